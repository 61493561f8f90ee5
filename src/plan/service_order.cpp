#include "plan/service_order.h"

#include <set>

namespace stack::plan {
namespace {

class Walk {
  public:
    Walk(const Stack& stack, bool no_deps) : stack_(stack), no_deps_(no_deps) {}

    void visit(const std::string& name) {
        const auto service = stack_.services.find(name);
        if (service == stack_.services.end() || !seen_.insert(name).second)
            return;
        if (!no_deps_)
            for (const auto& [dependency, how] : service->second.depends_on)
                visit(dependency);
        order.push_back(name);
    }

    Strings order;

  private:
    const Stack& stack_;
    bool no_deps_;
    std::set<std::string> seen_;
};

}  // namespace

Strings selected_services(const Stack& stack, const Strings& named, bool no_deps) {
    // With no_deps the order among the named ones must still be that of their dependencies.
    Walk all(stack, false);
    for (const auto& [name, service] : stack.services)
        all.visit(name);
    Walk wanted(stack, no_deps);
    for (const auto& name : named)
        wanted.visit(name);
    if (named.empty())
        return all.order;
    const std::set<std::string> chosen(wanted.order.begin(), wanted.order.end());
    std::erase_if(all.order, [&](const std::string& name) { return !chosen.contains(name); });
    return all.order;
}

}  // namespace stack::plan
