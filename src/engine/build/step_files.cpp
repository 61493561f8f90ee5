#include "engine/build/step_files.h"

#include "engine/build/build.h"
#include "sys/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::build {
namespace {

std::string directory_for(const Paths& paths) {
    return paths.run + "/build";
}

}  // namespace

StepFiles::StepFiles(const Paths& paths) : directory_(directory_for(paths)) {}

std::string StepFiles::write(const std::string& name,
                             std::string_view content,
                             std::uint32_t mode,
                             Owner owner) const {
    std::string path = directory_.path() + "/" + name;
    const sys::Fd file = sys::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    sys::write_all(file, content);
    sys::check(::fchown(file.get(), owner.uid, owner.gid), "set the owner of " + path);
    sys::check(::fchmod(file.get(), mode), "set the mode of " + path);
    return path;
}

void sweep(const Paths& paths) {
    sys::ScratchDirectory::sweep(directory_for(paths));
}

}  // namespace stack::build
