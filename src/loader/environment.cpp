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

/// Later files stand above earlier ones, what the service says itself above all of them.
class ServiceFiles {
  public:
    ServiceFiles(Session& session, Files& files, const Node& root)
        : session_(session), files_(files), root_(root) {}

    void read_environment(Service& service) {
        Values variables;
        const Variables known = [&](const std::string& name) -> std::optional<std::string> {
            const auto& environment = session_.environment;
            if (const auto found = environment.find(name); found != environment.end())
                return found->second;
            for (const auto* map : {&service.environment, &variables})
                if (const auto found = map->find(name); found != map->end() && found->second)
                    return found->second;
            return std::nullopt;
        };
        for (const auto& file : service.env_file)
            if (const std::string* text = text_of("env_file", file.path, file.required, service))
                for (auto& [name, value] :
                     files_.assignments_of(file.path, *text, known, file.format == "raw"))
                    variables[name] = std::move(value);
        service.environment.merge(variables);
        service.env_file.clear();
    }

    void read_labels(Service& service) {
        StringMap labels;
        for (const auto& file : service.label_file)
            if (const std::string* text = text_of("label_file", file, true, service))
                for (auto& [name, value] :
                     files_.assignments_of(file, *text, variables_of(session_.environment), false))
                    labels[name] = value.value_or("");
        service.labels.merge(labels);
        service.label_file.clear();
    }

  private:
    const std::string* text_of(const std::string& attribute,
                               const std::string& path,
                               bool required,
                               const Service& service) {
        const std::string* text = files_.read_if_there(path, {path, 0, 0, 1});
        if (text == nullptr && required && !session_.reporter.is_full())
            session_.reporter.error(
                locate(root_, {"services", service.name, attribute, path}),
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
        const auto found = session.environment.find(source.environment);
        if (found != session.environment.end())
            source.content = found->second;
        else
            session.reporter.warning(  // only who makes a container needs it: see plan/values.h
                locate(root, {what, key, "environment"}),
                "unset-variable",
                "environment variable " + source.environment + " of `" + key + "` is not set",
                "set it in the environment or in .env: what uses it cannot be made without");
    }
}

}  // namespace

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
        const auto text = read_file(file);
        if (!text) {
            reporter.error(
                {file, 0, 0, 1}, "no-file", "the environment file " + file + " does not exist");
            continue;
        }
        const auto variables = [&](const std::string& name) -> std::optional<std::string> {
            for (const StringMap* map : {&process, static_cast<const StringMap*>(&files)})
                if (const auto found = map->find(name); found != map->end())
                    return found->second;
            return std::nullopt;
        };
        for (auto& [name, value] : loader::parse_dotenv(file, *text, variables, false, reporter))
            if (value)
                files[name] = std::move(*value);
    }
    StringMap merged = process;
    merged.merge(files);
    return merged;
}

}  // namespace stack
