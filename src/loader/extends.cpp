#include "loader/extends.h"

#include "base/text.h"
#include "loader/merge.h"
#include "loader/paths.h"

#include <algorithm>

namespace stack::loader {
namespace {

constexpr std::size_t longest_chain = 100;  // of services that extend each other

}  // namespace

void Extends::resolve(Node& file, const std::string& path, const std::string& directory) {
    const Bases bases(file, path, directory);
    if (bases.services == nullptr)
        return;
    for (auto& [name, service] : bases.services->entries) {
        Strings chain{path + ":" + name.text};
        resolve_service(bases, service, chain);
    }
}

/// In place, so that a service which many extend is resolved once.
void Extends::resolve_service(const Bases& file, Node& service, Strings& chain) {
    const Node* extends = service.find("extends");
    if (extends == nullptr || extends->is_null() || session_.budget.is_spent())
        return;
    const Node* name = extends;
    const Node* other = nullptr;
    if (!extends->is_scalar()) {
        Object object(*extends, "`extends`", session_.reporter);
        name = object.need("service", "`extends` needs `service`");
        object.unread_text("file");
        other = object.take("file");
    }
    if (name == nullptr || !name->is_scalar())
        return;
    const Bases* source = other == nullptr ? &file : bases_of(file, *other);
    Node* base = source == nullptr ? nullptr : source->find(name->value);
    if (base == nullptr) {
        if (source != nullptr)
            undefined_base(*name, *source);
        return;
    }
    const std::string link = source->path + ":" + name->value;
    if (!may_extend(link, chain, extends->at))
        return;
    chain.push_back(link);
    resolve_service(*source, *base, chain);
    chain.pop_back();
    if (!session_.budget.spend(extent_of(*base), extends->at))
        return;
    const KeyPath place{"services", name->value};
    Node whole = *base;
    for (Node* node : {&whole, &service})
        std::erase_if(node->entries, [](const auto& entry) { return entry.key.text == "extends"; });
    merge_into(whole, std::move(service), place);
    service = std::move(whole);
}

/// The services of the file that `extends` names, which may be `file` itself.
const Bases* Extends::bases_of(const Bases& file, const Node& other) {
    if (!files_.is_here(other.value, other.at))
        return nullptr;
    const std::string path = session_.absolute(other.value, file.directory);
    if (path == file.path)
        return &file;
    if (const auto known = read_files.find(path); known != read_files.end())
        return &known->second.bases;
    if (files_.read(path, other.at) == nullptr)
        return nullptr;
    const std::string directory = directory_of(path);
    auto documents = files_.values_of(path);
    if (documents.empty() && session_.reporter.has_errors())
        return nullptr;  // which are why
    if (documents.empty())
        documents.emplace_back();
    Node whole = empty_mapping();
    for (auto& document : documents) {
        if (session_.input.resolve_paths)
            resolve_paths(document, directory, session_.home());
        merge_into(whole, std::move(document), {});
    }
    return &read_files.try_emplace(path, std::move(whole), path, directory).first->second.bases;
}

void Extends::undefined_base(const Node& name, const Bases& source) {
    Strings known;
    if (source.services != nullptr && !session_.reporter.is_full())
        for (const auto& [key, service] : source.services->entries)
            known.push_back(key.text);
    const std::string meant = closest(name.value, known);
    session_.reporter.error(
        name.at,
        "undefined",
        "`extends` refers to service `" + name.value + "`, which is not in " + source.path,
        meant.empty() ? "" : "did you mean `" + meant + "`?");
}

bool Extends::may_extend(const std::string& link, const Strings& chain, const Location& at) {
    const bool circle = std::find(chain.begin(), chain.end(), link) != chain.end();
    if (circle)
        session_.reporter.error(
            at,
            "circular-extends",
            "services extend each other in a circle: " + join(chain, " -> ") + " -> " + link);
    else if (chain.size() > longest_chain)
        session_.reporter.error(
            at, "too-deep", "services extend each other more than 100 levels deep here");
    return !circle && chain.size() <= longest_chain;
}

}  // namespace stack::loader
