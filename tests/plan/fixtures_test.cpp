// What `up` makes of a stack file, a second `up` leaves alone, also when all of it has been through
// the records and sockets between: of the examples, and of every file that the loader's tests have
// and that loads.

#include <stack/load.h>
#include <stack/plan.h>

#include "model/codec.h"
#include "tests/support/fake_world.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> text_of(const std::string& path) {
    std::ifstream file(path);
    if (!file)
        return std::nullopt;
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

/// nullopt: it is one of those with mistakes.
std::optional<Stack> stack_of(const fs::path& path) {
    LoadInput input;
    input.files = {path.string()};
    input.project_directory = path.parent_path().string();
    input.environment = {{"TOKEN", "s3cret"}};
    input.profiles = {"*"};
    input.read_file = [](const std::string& file) {
        return file.ends_with("web.env") ? "FROM_FILE=1\n" : text_of(file);
    };
    auto stack = load(input).stack;
    if (stack)
        for (auto& [name, service] : stack->services)
            service.scale = 1;  // two cannot have one published port
    return stack;
}

/// As the other end of a socket, and a later reader of a record, has it.
template <class T>
T passed_on(const T& value) {
    T other;
    model::decode(model::Json::parse(model::encode(value).dump()), other);
    return other;
}

/// What the stack does not make itself.
Observed world_before(const Stack& stack) {
    Observed world;
    for (const auto& [key, network] : stack.networks)
        if (network.external)
            world.networks.push_back({network.name, "", key, "", "br", {}, false});
    for (const auto& [key, volume] : stack.volumes)
        if (volume.external)
            world.volumes.push_back({volume.name, "", key, "", false});
    for (const auto& [name, service] : stack.services)
        if (service.image.starts_with("rootfs:"))
            world.images.push_back({.reference = service.image, .id = service.image});
    return world;
}

/// Whether it can be brought up at all.
bool expect_nothing_to_do_after_up(const fs::path& path) {
    SCOPED_TRACE(path);
    const Stack first = *stack_of(path);
    const Plan plan = plan_up(first, world_before(first), {});
    if (!plan.errors.empty())
        return false;
    Observed world = apply(world_before(first), plan, Time{});
    for (auto& container : world.containers)
        container.service_config = passed_on<Service>(container.service_config);
    const Stack again = passed_on(*stack_of(path));
    const Plan rest = plan_up(again, world, {});
    EXPECT_TRUE(rest.actions.empty() && rest.errors.empty()) << to_text(rest);
    return true;
}

TEST(Fixtures, ChangeNothingWhenTheyAreUp) {
    const std::string source = STACK_SOURCE_DIR;
    for (const auto* name : {"/examples/flask/compose.yaml",
                             "/examples/voting/compose.yaml",
                             "/tests/loader/everything.yaml"})
        EXPECT_TRUE(expect_nothing_to_do_after_up(source + name)) << name;
    int others = 0;
    for (const auto& entry : fs::directory_iterator(source + "/tests/loader/golden"))
        if (entry.path().extension() == ".yaml" && stack_of(entry.path()))
            others += expect_nothing_to_do_after_up(entry.path()) ? 1 : 0;
    EXPECT_GT(others, 3);
}

}  // namespace
}  // namespace stack::test
