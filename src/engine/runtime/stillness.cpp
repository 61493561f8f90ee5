#include "engine/runtime/stillness.h"

#include "base/log.h"
#include "engine/runtime/helper.h"
#include "engine/runtime/record.h"
#include "engine/runtime/runtime.h"
#include "sys/file.h"

#include <utility>

#include <unistd.h>

namespace stack::runtime {

Stillness::Stillness(sys::Child helper, sys::Fd end, sys::Fd freezer, std::string word)
    : helper_(std::move(helper)),
      end_(std::move(end)),
      freezer_(std::move(freezer)),
      word_(std::move(word)) {}

Stillness::~Stillness() {
    if (!end_)
        return;  // moved from
    end_.reset();
    if (sys::wait(*helper_) != 0 && ::write(freezer_.get(), word_.data(), word_.size()) < 0)
        log::warn("a container stays frozen: unpause it");
}

Stillness Runtime::hold_still(const std::string& id) {
    const auto seen = observe(id);
    if (!seen || seen->state != ContainerState::running)
        return {};
    const std::string group = places_of(paths_, id).cgroup;
    auto [freezer, word] = cgroups_.thawer(group);
    if (!freezer)
        return {};
    constexpr int freezer_fd = 3;
    constexpr int words_fd = 4;
    sys::Pipe words = sys::make_pipe();
    sys::write_all(words.write, word);
    auto helper =
        start_helper("thaw", {{freezer.get(), freezer_fd}, {words.read.get(), words_fd}}, true);
    Stillness still(std::move(helper), std::move(words.write), std::move(freezer), std::move(word));
    cgroups_.freeze(group, true);
    return still;
}

}  // namespace stack::runtime
