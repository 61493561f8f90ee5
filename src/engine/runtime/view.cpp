#include "engine/runtime/view.h"

#include <stack/error.h>

#include "base/text.h"
#include "engine/runtime/helper.h"
#include "engine/runtime/record.h"
#include "engine/runtime/runtime.h"
#include "shim/spec.h"
#include "sys/file.h"
#include "sys/lock.h"

#include <algorithm>

#include <fcntl.h>

namespace stack::runtime {

View::View(sys::Child helper, sys::Fd status, Users users)
    : helper_(std::move(helper)), status_(std::move(status)), users_(std::move(users)) {
    open_root();
}

View::View(sys::Child helper, sys::Fd status, sys::ScratchDirectory place, sys::Lock lock)
    : lock_(std::move(lock)),
      place_(std::move(place)),
      helper_(std::move(helper)),
      status_(std::move(status)) {
    open_root();
}

View::~View() {
    if (!helper_.pidfd)
        return;  // moved from
    root_.reset();
    status_.reset();
    static_cast<void>(sys::wait(helper_));
}

void View::open_root() {
    constexpr std::size_t longest = 4096;
    const std::string said = sys::read_some(status_, longest);
    if (said != "started") {
        static_cast<void>(sys::wait(helper_));
        helper_.pidfd.reset();
        throw Error(std::make_error_code(std::errc::io_error),
                    "the container's files cannot be reached: " +
                        (said.empty() ? "the helper died" : split_once(said, ' ').second));
    }
    root_ = sys::open_file("/proc/" + std::to_string(helper_.pid) + "/root", O_PATH | O_DIRECTORY);
}

View Runtime::view(const std::string& id) {
    const auto found = require(id);
    const ContainerRecord& record = *found;
    const Places places = places_of(paths_, record.id);
    static_cast<void>(hold_run(places));  // an end that is being settled, or a start, first
    sys::Lock lock = sys::Lock::acquire(files_lock(places));
    if (!watch(record.id))
        return view_at_rest(record, std::move(lock));
    const sys::Fd process = init_process(record.id);
    Users users = users_of(record, process);
    sys::Pipe status = sys::make_pipe();
    constexpr int process_fd = 3;
    constexpr int status_fd = 4;
    auto helper =
        start_helper("enter", {{process.get(), process_fd}, {status.write.get(), status_fd}}, true);
    status.write.reset();
    return {std::move(helper), std::move(status.read), std::move(users)};
}

/// `process`: its first one, which runs.
Users Runtime::users_of(const ContainerRecord& record, const sys::Fd& process) const {
    const auto live =
        record.first_user == 0 ? std::nullopt : read_live(places_of(paths_, record.id));
    if (!live)
        return {};
    Users users{sys::open_file("/proc/" + std::to_string(live->pid) + "/ns/user", O_RDONLY),
                record.first_user};
    if (sys::has_ended(process))  // or the number is another's by now
        throw Error(std::make_error_code(std::errc::no_such_process),
                    "container " + record.spec.name + " has just ended");
    return users;
}

View Runtime::view_at_rest(const ContainerRecord& record, sys::Lock lock) {
    const Places places = places_of(paths_, record.id);
    if (sys::exists(places.run) && sys::Lock::is_held(run_lock(places)))
        throw Error(std::make_error_code(std::errc::device_or_resource_busy),
                    "container " + record.spec.name + " is being started: try again");
    for (const auto& directory : {places.state + "/upper", places.state + "/work"})
        sys::ensure_directory(directory);
    prepare_volumes(record);
    sys::ScratchDirectory place(paths_.run + "/views");
    shim::Spec spec;
    describe_files(record, spec);
    std::erase_if(spec.mounts, [](const shim::MountSpec& mount) {
        return mount.kind == shim::MountKind::tmpfs;  // what it held is gone
    });
    spec.mount_point = place.path();
    sys::Pipe status = sys::make_pipe();
    constexpr int status_fd = 4;
    auto helper = start_helper("view", shim::encode(spec), {{status.write.get(), status_fd}}, true);
    status.write.reset();
    return {std::move(helper), std::move(status.read), std::move(place), std::move(lock)};
}

}  // namespace stack::runtime
