// What the planner needs for a large stack, beside what the project promises. usage: plan_bench

#include <stack/load.h>
#include <stack/plan.h>

#include "tests/support/fake_world.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace {

using namespace stack;

constexpr int services = 1000;
constexpr int runs = 7;
constexpr double promised = 50;  // milliseconds

/// Each with a port and a volume, each after the one before.
std::string large_file(const std::string& command) {
    std::string text = "name: large\nservices:\n";
    for (int i = 0; i < services; ++i) {
        const std::string number = std::to_string(i);
        text += "  s" + number + ":\n    image: busybox\n    command: " + command +
                "\n    ports: [\"" + std::to_string(10000 + i) +
                ":80\"]\n    volumes: [\"data:/data\"]\n";
        if (i > 0)
            text += "    depends_on: [s" + std::to_string(i - 1) + "]\n";
    }
    return text +
           "volumes: {data: }\nnetworks: {default: {ipam: {config: [{subnet: 10.9.0.0/20}]}}}\n";
}

Stack loaded(const std::string& text) {
    LoadInput input;
    input.files = {"/compose.yaml"};
    input.project_directory = "/";
    input.read_file = [&](const std::string&) { return text; };
    return load(input).stack.value();
}

void show(const char* figure, const Stack& desired, const Observed& observed) {
    std::vector<double> times;
    std::size_t actions = 0;
    for (int i = 0; i < runs; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        actions = plan_up(desired, observed, {}).actions.size();
        times.push_back(
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
                .count());
    }
    std::sort(times.begin(), times.end());
    const auto rounded = [](double number) { return std::round(number * 100) / 100; };
    std::puts(nlohmann::json{{"figure", figure},
                             {"value", rounded(times[runs / 2])},
                             {"unit", "ms"},
                             {"vs", "promised 50 ms (" + std::to_string(actions) + " actions)"},
                             {"ratio", rounded(times[runs / 2] / promised)}}
                  .dump()
                  .c_str());
}

}  // namespace

int main() {
    const Stack stack = loaded(large_file("sleep 1"));
    const Observed world = stack::test::apply({}, plan_up(stack, {}, {}), {});
    show("plan.first_of_1000", stack, {});
    show("plan.noop_of_1000", stack, world);
    show("plan.changed_1000", loaded(large_file("sleep 2")), world);
}
