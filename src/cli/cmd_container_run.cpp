// container run, container create: a container without a stack file.

#include <stack/error.h>
#include <stack/supervise.h>

#include "base/text.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/here.h"
#include "cli/local_runtime.h"
#include "cli/options.h"
#include "cli/output_file.h"
#include "cli/progress.h"
#include "cli/random_name.h"
#include "cli/session.h"
#include "cli/single.h"
#include "cli/single_stack.h"
#include "cli/target.h"
#include "engine/image/store.h"
#include "engine/runtime/process.h"
#include "engine/storage/volumes.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/terminal.h"

#include <algorithm>

namespace stack::cli {
namespace {

struct Options {
    SingleOptions container;
    std::string cid_file;
    std::string detach_keys = default_detach_keys;
    Strings attach;  // stdin, stdout, stderr; none: all
    bool proxy_signals = true;
    bool detach = false;
    bool quiet = false;
};

/// The container's own status is the command's: a refusal of ours must not look like one.
int with_docker_status(const std::function<int()>& work) {
    try {
        return work();
    } catch (const stack::Error& error) {
        sys::write_err(std::string("stack: ") + error.what() + "\n");
    } catch (const Exit&) {
    }
    return engine_failed;
}

/// Says nothing where --platform does not, or the image is as it says.
void check_platform(const image::Image& image, const SingleOptions& wanted) {
    if (!image::is_for(image.config, wanted.platform))
        throw stack::Error("image with reference " + wanted.image +
                           " was found but its platform (" + image.config.os + "/" +
                           image.config.architecture + ") does not match the specified platform (" +
                           wanted.platform + ")");
}

/// What the image, which is in the store then, says of itself; of a plain directory: nothing.
ImageConfig ensure_image(const Context& context, const Options& options) {
    const SingleOptions& wanted = options.container;
    if (wanted.image.starts_with("rootfs:"))
        return {};
    const auto found = image::Store(context.paths).find(wanted.image);
    const bool fits = found && image::is_for(found->config, wanted.platform);
    if (fits && wanted.pull != "always")
        return found->config;
    if (found && wanted.pull == "never")
        check_platform(*found, wanted);
    if (wanted.pull == "never")
        throw stack::Error("image " + wanted.image +
                           " is not in the store, and --pull never forbids to fetch it: see `stack "
                           "image ls`");
    Globals globals = context.globals;
    if (options.quiet)
        globals.progress = "quiet";
    const auto progress = make_progress(globals, "Pulling");
    LocalEngine local(context.paths);
    const auto outcome = local.perform({PullImage{wanted.image, wanted.platform}},
                                       [&](const Event& event) { progress->show(event); });
    progress->finish();
    if (outcome)
        throw stack::Error(*outcome);
    const auto pulled = image::Store(context.paths).find(wanted.image);
    if (!pulled)
        return {};  // removed meanwhile: who uses it says so
    check_platform(*pulled, wanted);
    return pulled->config;
}

/// Throws where neither its options nor its image say what is to run in it.
void require_command(const Service& service, const std::string& name, const ImageConfig& image) {
    const Strings entrypoint = service.entrypoint.value_or(image.entrypoint);
    const Strings command =
        service.command.value_or(service.entrypoint ? Strings() : image.command);
    if (entrypoint.empty() && command.empty())
        throw stack::Error("no command specified: image " + name +
                           " names none; say one behind it");
}

/// The address that a container has in one of the networks that are wanted.
std::string linked_address(const ObservedContainer& container, const Strings& networks) {
    for (const auto& address : container.addresses)
        for (const auto& network : networks.empty() ? Strings{bridge_network} : networks)
            if (address.network == (network == "default" ? bridge_network : network))
                return address.ipv4.empty() ? address.ipv6 : address.ipv4;
    return {};
}

/// --link, as lines of /etc/hosts: what Docker's links are, too.
void add_links(const Context& context, SingleOptions& options) {
    for (const auto& link : options.links) {
        const auto [name, alias] = split_once(link, ':');
        const auto other = find_target(context, {Naming::container, name});
        if (!is_up(other))
            throw stack::Error("cannot link to a non running container: " + name +
                               ": see `stack container start " + name + "`");
        const std::string address = linked_address(other, options.networks);
        if (address.empty())
            throw stack::Error("--link " + link + ": container " + name +
                               " is in none of the networks of this one: name one of its by "
                               "--network");
        options.extra_hosts.push_back((alias.empty() ? name : alias) + ":" + address);
    }
}

/// Null where the name is free.
runtime::ContainerRecordPtr owner_of(const Context& context, const std::string& name) {
    auto record = LocalRuntime(context.paths).get().find(name);
    return record && record->spec.name == name ? record : nullptr;
}

void require_free(const Context& context, const std::string& name) {
    if (const auto owner = owner_of(context, name))
        throw stack::Error(std::make_error_code(std::errc::file_exists),
                           "the name " + name + " belongs to container " + owner->id.substr(0, 12) +
                               ": remove or rename that one, or choose another --name");
}

/// This process's.
std::uint32_t own_number() {
    return parse_number<std::uint32_t>(split_once(sys::identity_of_self(), ' ').first).value_or(0);
}

void choose_name(const Context& context, std::string& name) {
    if (name.empty())
        name = random_name(own_number(), [&](const std::string& one) {
            return owner_of(context, one) != nullptr;
        });
    else
        require_free(context, name);
}

/// What the current directory is called where it does not exist any more.
constexpr std::string_view gone_directory = "/(the current directory)/";

/// Throws where the path is meant from a current directory that is gone.
const std::string& require_place(const std::string& path) {
    if (path.starts_with(gone_directory))
        static_cast<void>(here(path.substr(gone_directory.size())));
    return path;
}

/// Says what of the options has no effect here.
Stack stack_for(const Context& context, const SingleOptions& options) {
    SingleContext single;
    single.directory =
        find_here().value_or(std::string(gone_directory.substr(0, gone_directory.size() - 1)));
    single.environment = sys::environment();
    single.read_file = [](const std::string& path) { return sys::read_file(require_place(path)); };
    for (const auto& volume : storage::list_volumes(context.paths))
        single.volumes.push_back(volume.name);
    SingleStack made = single_stack(options, single);
    for (const auto& warning : made.warnings)
        warn(warning);
    for (const auto& mount : made.stack.services.at(options.name).volumes)
        static_cast<void>(require_place(mount.source));
    return std::move(made.stack);
}

/// One container on its way.
class SingleContainer {
  public:
    SingleContainer(const Context& context, Options& options)
        : context_(context), options_(options) {
        if (!options.cid_file.empty() && sys::exists(options.cid_file))
            throw stack::Error(std::make_error_code(std::errc::file_exists),
                               "the file " + options.cid_file +
                                   " of --cidfile exists already: "
                                   "remove it, or choose another");
        sweep_single(context);
        choose_name(context, options.container.name);
        add_links(context, options.container);
        stack_ = stack_for(context, options.container);
        const ImageConfig image = ensure_image(context, options);
        Service& service = stack_.services.at(options.container.name);
        if (options.container.publish_all)
            for (auto& port : runtime::exposed_ports(service, image))
                service.ports.push_back(std::move(port));
        require_command(service, options.container.image, image);
        run_.service = service;
        run_.name = options.container.name;
        run_.auto_remove = options.container.remove;
        run_.keeps_policy = true;
        // Its image is there; what it mounts may have to be fetched.
        plan_options_.pull = options.container.pull == "never" ? "never" : "missing";
        supervised_ =
            needs_supervisor(service, image) || (options.detach && options.container.remove);
    }

    int create() {
        plan_options_.no_start = true;
        const sys::Lock use = use_single_project(context_.paths);
        LocalEngine local(context_.paths);
        if (!local.carry_out(plan(local), noting_id(say_errors)))
            return engine_failed;
        sys::write_out(id_ + "\n");
        return 0;
    }

    int run_detached() {
        if (bring_up(say_errors) != 0)
            return failed_status();
        sys::write_out(id_ + "\n");
        return 0;
    }

    int run_attached() {
        const bool terminal = run_.service.tty;
        if (!is_attached("stdout") && !is_attached("stderr"))
            throw stack::Error("-a stdin alone is not supported: say -d, or attach stdout, too");
        if (terminal && run_.service.stdin_open && !sys::is_terminal(0))
            throw stack::Error("standard input is no terminal: leave -t away");
        run_.await_client = true;
        Session session;
        session.container = run_.name;
        session.attach.terminal = terminal;
        session.attach.input = run_.service.stdin_open && is_attached("stdin");
        session.attach.output = is_attached("stdout");
        session.attach.error = is_attached("stderr");
        session.attach.proxy_signals = options_.proxy_signals && !terminal;
        session.attach.detach_keys = detach_keys(options_.detach_keys);
        session.quiet = true;
        session.failure = engine_failed;
        session.start = [this](const EventSink& events) { return bring_up(events); };
        session.ended = [](const std::string&) {};
        const int status = run_session(context_, std::move(session));
        tidy_up();
        return status;
    }

  private:
    [[nodiscard]] bool is_attached(const std::string& stream) const {
        return options_.attach.empty() ||
               std::find(options_.attach.begin(), options_.attach.end(), stream) !=
                   options_.attach.end();
    }

    static void say_errors(const Event& event) {
        if (event.status == EventStatus::error)
            sys::write_err("stack: " + event.detail + "\n");
    }

    /// Who has made it, and only who has, knows its id: its name may have become another's.
    [[nodiscard]] EventSink noting_id(const EventSink& events) {
        return [this, events](const Event& event) {
            if (event.status == EventStatus::warning)
                warn(event.id + ": " + event.detail);
            if (event.id == "Container " + run_.name && event.text == "Created") {
                const auto record = owner_of(context_, run_.name);
                id_ = record ? record->id : "";
                if (!options_.cid_file.empty())
                    write_output_file(options_.cid_file, id_);
            }
            events(event);
        };
    }

    [[nodiscard]] Plan plan(LocalEngine& local) const {
        Plan plan = plan_run(stack_, local.observe(stack_), plan_options_, run_);
        if (!plan.errors.empty()) {
            require_free(context_, run_.name);  // somebody may have taken it meanwhile
            throw stack::Error(join(plan.errors, "\nstack: "));
        }
        return plan;
    }

    /// Before anything is made of it.
    void require_free_ports() const {
        if (run_.service.ports.empty())
            return;
        LocalEngine local(context_.paths);
        const auto taken = local.engine().port_conflicts(stack_, local.observe(stack_));
        if (!taken.empty())
            throw stack::Error(std::make_error_code(std::errc::address_in_use),
                               join(taken, "\nstack: ") + ": say another port with -p");
    }

    int bring_up(const EventSink& events) {
        require_free_ports();
        const EventSink sink = noting_id(events);
        const sys::Lock use = use_single_project(context_.paths);
        if (supervised_) {
            Request request;
            request.verb = "run";
            request.stack = stack_;
            request.up = plan_options_;
            request.run = run_;
            return stack::request(context_.paths, stack_.name, request, sink);
        }
        LocalEngine local(context_.paths);
        plan_options_.no_start = true;
        if (!local.carry_out(plan(local), sink))
            return 1;
        const bool has_names = !run_.service.networks.empty();
        if (has_names)
            publish_single_names(local);  // it may ask for names as soon as it runs
        Plan start;
        start.actions.push_back({StartContainer{run_.name}, "container/" + run_.name, "asked for"});
        if (!local.carry_out(std::move(start), sink))
            return 1;
        if (has_names)
            publish_single_names(local);
        return 0;
    }

    /// Of one that was made and could not be started: that of its program, where it was to blame.
    int failed_status() {
        const LocalRuntime runtime(context_.paths);
        const auto seen = runtime.get().observe(id_);
        const int status = seen && seen->state == ContainerState::exited
                               ? seen->exit.code.value_or(engine_failed)
                               : engine_failed;
        tidy_up();
        return status;
    }

    /// What is left to do behind its end; nothing where it runs on.
    void tidy_up() {
        LocalEngine local(context_.paths);
        const Observed observed = local.observe(single_project());
        for (const auto& container : observed.containers) {
            if (container.id != id_ || !container.auto_remove)
                continue;
            if (is_up(container))
                ensure_keeper(context_, container);  // whose client leaves it
            else
                remove_single(local, context_, container);
        }
        if (!run_.service.networks.empty() && !supervised_)
            publish_single_names(local);
        leave_single_project(context_);
    }

    const Context& context_;
    Options& options_;
    Stack stack_;
    RunOptions run_;
    PlanOptions plan_options_;
    std::string id_;  // empty: it has not been made
    bool supervised_ = false;
};

std::shared_ptr<Options> declare(CLI::App& app, Context& context) {
    context.misuse_code = engine_failed;
    auto options = std::make_shared<Options>();
    declare_single_options(app, options->container);
    declare_apart(app, [&] {
        app.add_option("--cidfile", options->cid_file, "Write the container's id into this file");
        app.add_flag("-q,--quiet", options->quiet, "Do not show how the image is pulled");
    });
    return options;
}

}  // namespace

void add_container_run(CLI::App& app, Context& context) {
    const auto options = declare(app, context);
    declare_apart(app, [&] {
        app.add_flag("-d,--detach", options->detach, "Print the container's id and do not wait")
            ->excludes(
                app.add_option("-a,--attach",
                               options->attach,
                               "Only these of its streams: stdin, stdout, stderr (repeatable)")
                    ->allow_extra_args(false)
                    ->transform(CLI::IsMember({"stdin", "stdout", "stderr"}, CLI::ignore_case)));
        app.add_flag("--sig-proxy",
                     options->proxy_signals,
                     "Pass signals on to it, where it has no terminal (default true)");
        app.add_option("--detach-keys",
                       options->detach_keys,
                       "The keys that leave it running (default ctrl-p,ctrl-q)");
    });
    app.callback([&context, options] {
        context.exit_code = with_docker_status([&] {
            require_root();
            SingleContainer container(context, *options);
            return options->detach ? container.run_detached() : container.run_attached();
        });
    });
}

void add_container_create(CLI::App& app, Context& context) {
    const auto options = declare(app, context);
    app.callback([&context, options] {
        context.exit_code = with_docker_status([&] {
            require_root();
            return SingleContainer(context, *options).create();
        });
    });
}

}  // namespace stack::cli
