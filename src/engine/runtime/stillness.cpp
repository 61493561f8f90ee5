#include "engine/runtime/stillness.h"

#include "engine/runtime/helper.h"
#include "engine/runtime/record.h"
#include "engine/runtime/runtime.h"
#include "sys/file.h"

#include <utility>

namespace stack::runtime {

Stillness::Stillness(sys::Child helper, sys::Fd end)
    : helper_(std::move(helper)), end_(std::move(end)) {}

Stillness::~Stillness() {
    if (!end_)
        return;  // moved from
    end_.reset();
    static_cast<void>(sys::wait(*helper_));
}

Stillness Runtime::hold_still(const std::string& id) {
    const auto seen = observe(id);
    if (!seen || seen->state != ContainerState::running)
        return {};
    const std::string group = places_of(paths_, id).cgroup;
    const auto [file, value] = cgroups_.thawer(group);
    if (!file)
        return {};
    constexpr int freezer_fd = 3;
    constexpr int words_fd = 4;
    sys::Pipe words = sys::make_pipe();
    sys::write_all(words.write, value);
    auto helper =
        start_helper("thaw", {{file.get(), freezer_fd}, {words.read.get(), words_fd}}, true);
    Stillness still(std::move(helper), std::move(words.write));
    cgroups_.freeze(group, true);
    return still;
}

}  // namespace stack::runtime
