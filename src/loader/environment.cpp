#include "loader/environment.h"

#include "loader/validate.h"

#include <set>
#include <utility>

namespace stack::loader {
namespace {

using Values = std::map<std::string, std::optional<std::string>>;

/// `NAME:` without a value takes the one of the environment, where there is one.
void pass_through(Values& values, const StringMap& environment) {
    for (auto& [name, value] : values)
        if (const auto found = environment.find(name); !value && found != environment.end())
            value = found->second;
}

std::optional<std::string> value_in(const Values& values, const std::string& name) {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : found->second;
}

/// Later files stand above earlier ones, what the service says itself above all of them.
class ServiceFiles {
  public:
    ServiceFiles(Session& session, Files& files, const Node& root)
        : session_(session), files_(files), root_(root) {}

    void read_environment(Service& service) {
        Values variables;
        const Variables above = [&](const std::string& name) -> std::optional<std::string> {
            const auto& environment = session_.environment;
            if (const auto found = environment.find(name); found != environment.end())
                return found->second;
            return value_in(service.environment, name);
        };
        const Variables earlier = [&](const std::string& name) {
            return value_in(variables, name);
        };
        for (const auto& file : service.env_file)
            if (const std::string* text = text_of("env_file", file.path, file.required, service))
                for (auto& [name, value] :
                     files_.assignments_of(file.path, *text, above, earlier, file.format == "raw"))
                    variables[name] = std::move(value);
        service.environment.merge(variables);
        service.env_file.clear();
    }

    void read_labels(Service& service) {
        StringMap labels;
        for (const auto& file : service.label_file)
            if (const std::string* text = text_of("label_file", file, true, service))
                for (auto& [name, value] : files_.assignments_of(file,
                                                                 *text,
                                                                 variables_of(session_.environment),
                                                                 variables_of(labels),
                                                                 false))
                    labels[name] = value.value_or("");
        service.labels.merge(labels);
        service.label_file.clear();
    }

  private:
    const std::string* text_of(const std::string& attribute,
                               const std::string& path,
                               bool required,
                               const Service& service) {
        const auto from = [&] {
            return locate(root_, {"services", service.name, attribute, path});
        };
        const std::string* text = files_.read_if_there(path, from);
        if (text == nullptr && required && !session_.reporter.is_full())
            session_.reporter.error(
                from(),
                "no-file",
                attribute + " " + path + " of service `" + service.name + "` does not exist",
                attribute == "env_file" ? "`required: false` makes it optional" : "");
        return text;
    }

    Session& session_;
    Files& files_;
    const Node& root_;
};

/// What nobody uses need not be there.
std::set<std::string> used_sources(const Stack& stack,
                                   std::vector<FileReference> Service::*references) {
    std::set<std::string> used;
    for (const auto& [name, service] : stack.services) {
        for (const auto& reference : service.*references)
            used.insert(reference.source);
        if (service.build)
            for (const auto& secret : service.build->secrets)
                used.insert(secret.source);
    }
    return used;
}

void take_content(Session& session,
                  const char* what,
                  std::map<std::string, FileSource>& sources,
                  const std::set<std::string>& used,
                  const Node& root) {
    for (auto& [key, source] : sources) {
        if (source.environment.empty() || !used.contains(key))
            continue;
        const auto included = session.contents.find({what, key});
        const auto found = session.environment.find(source.environment);
        if (included != session.contents.end())
            source.content = included->second;
        else if (found != session.environment.end())
            source.content = found->second;
        else
            session.reporter.warning(  // only who makes a container needs it: see plan/values.h
                locate(root, {what, key, "environment"}),
                "unset-variable",
                "environment variable " + source.environment + " of `" + key + "` is not set",
                "set it in the environment or in .env: what uses it cannot be made without");
    }
}

/// `- NAME`, or `NAME:` without a value, where the environment has one.
void give_values(Node* names, const StringMap& environment) {
    if (names == nullptr)
        return;
    for (auto& item : names->items)
        if (const auto found = environment.find(item.value);
            item.is_scalar() && found != environment.end())
            item.value += "=" + found->second;
    for (auto& [key, value] : names->entries)
        if (const auto found = environment.find(key.text);
            value.is_null() && value.tag == Tag::none && found != environment.end()) {
            value.kind = NodeKind::scalar;
            value.quoted = true;
            value.value = found->second;
        }
}

}  // namespace

void take_variables(Session& session, Node& included) {
    const StringMap& environment = session.environment;
    if (Node* services = included.find("services"))
        for (auto& [name, service] : services->entries) {
            give_values(service.find("environment"), environment);
            if (Node* build = service.find("build"))
                give_values(build->find("args"), environment);
        }
    for (const std::string kind : {"secrets", "configs"})
        if (Node* sources = included.find(kind))
            for (const auto& [key, source] : sources->entries)
                if (const Node* variable = source.find("environment"))
                    if (const auto found = environment.find(variable->value);
                        found != environment.end())
                        session.contents[{kind, key.text}] = found->second;
}

void resolve_environment(Session& session, Files& files, Stack& stack, const Node& root) {
    ServiceFiles service_files(session, files, root);
    for (auto& [name, service] : stack.services) {
        service_files.read_environment(service);
        service_files.read_labels(service);
        pass_through(service.environment, session.environment);
        for (auto* hooks : {&service.pre_start, &service.post_start, &service.pre_stop})
            for (auto& hook : *hooks)
                pass_through(hook.environment, session.environment);
        if (service.build)
            pass_through(service.build->args, session.environment);
    }
    take_content(session, "secrets", stack.secrets, used_sources(stack, &Service::secrets), root);
    take_content(session, "configs", stack.configs, used_sources(stack, &Service::configs), root);
}

}  // namespace stack::loader

namespace stack {

StringMap merge_environment(const StringMap& process,
                            const Strings& env_files,
                            const ReadFile& read_file,
                            Diagnostics& diagnostics) {
    loader::Reporter reporter(diagnostics);
    StringMap files;
    for (const auto& file : env_files) {
        const auto text = loader::read_or_complain(
            read_file,
            file,
            [&] {
                return Location{file, 0, 0, 1};
            },
            reporter);
        if (!text) {
            reporter.error(
                {file, 0, 0, 1}, "no-file", "the environment file " + file + " does not exist");
            continue;
        }
        for (auto& [name, value] : loader::parse_dotenv(file,
                                                        *text,
                                                        loader::variables_of(process),
                                                        loader::variables_of(files),
                                                        false,
                                                        reporter))
            if (value)
                files[name] = std::move(*value);
    }
    StringMap merged = process;
    merged.merge(files);
    return merged;
}

}  // namespace stack
