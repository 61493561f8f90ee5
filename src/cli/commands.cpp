#include "cli/commands.h"

namespace stack::cli {

const std::vector<Command>& commands() {
    static const std::vector<Command> all{
        {"up", "Stacks", "Make what runs be what the stack file says", add_up},
        {"down", "Stacks", "Stop and remove containers and networks; keep volumes", add_down},
        {"plan", "Stacks", "Show what `up` would do, and why; change nothing", add_plan},
        {"config", "Stacks", "Check the stack file and print its canonical form", add_config},
        {"lint", "Stacks", "Look for what a stack file had better not say", add_lint},
        {"ps", "Stacks", "List the stack's containers", add_ps},
        {"logs", "Stacks", "Show what containers have printed", add_logs},
        {"ls", "Stacks", "List the stacks of this machine", add_ls},
        {"create", "Services", "Create containers without starting them", add_create},
        {"start", "Services", "Start containers that exist", add_start},
        {"stop", "Services", "Stop containers without removing them", add_stop},
        {"restart", "Services", "Stop and start containers", add_restart},
        {"kill", "Services", "Send a signal to containers", add_kill},
        {"rm", "Services", "Remove stopped containers", add_rm},
        {"pause", "Services", "Freeze containers", add_pause},
        {"unpause", "Services", "Let frozen containers go on", add_unpause},
        {"scale", "Services", "Set how many containers a service has", add_scale},
        {"wait",
         "Services",
         "Wait until containers end; the first one's code is the exit code",
         add_wait},
        {"exec", "Services", "Run a command in a running container", add_exec},
        {"run", "Services", "Run one command in a new container of a service", add_run},
        {"cp", "Services", "Copy files between a container and this machine", add_cp},
        {"attach", "Services", "Join a running container's input and output", add_attach},
        {"top", "Services", "List the processes in containers", add_top},
        {"port", "Services", "Print where a container's port is published", add_port},
        {"build", "Images", "Build the images of services", add_build},
        {"pull", "Images", "Pull the images of services", add_pull},
        {"push", "Images", "Push the images of services", add_push},
        {"images", "Images", "List the images that containers were made from", add_images},
        {"volumes", "Images", "List the stack's volumes", add_volumes},
        {"image",
         "Images",
         "Work with the image store: ls, pull, push, save, load, prune …",
         add_image},
        {"container",
         "Containers",
         "Work with containers by their own names, with or without a stack file",
         add_container},
        {"login", "Images", "Log in to a registry", add_login},
        {"logout", "Images", "Log out of a registry", add_logout},
        {"system", "Other", "The disk that images take: df, prune", add_system},
        {"schema", "Other", "Print the JSON Schema of stack files, for editors", add_schema},
        {"version", "Other", "Print the version", add_version},
        {"supervise",
         "",
         "Keep a project as its stack file says (started by other commands)",
         add_supervise},
        {"build-worker", "", "Run one build (started by other commands)", add_build_worker},
    };
    return all;
}

const std::vector<Command>& container_commands() {
    static const std::vector<Command> all{
        {"wait", "Containers", "Print the exit codes when containers end", add_container_wait},
        {"ls", "Looking", "List containers, of whichever stack", add_container_ls},
        {"ps", "Looking", "The same", add_container_ls},
        {"inspect", "Looking", "Print what a container is, as JSON", add_container_inspect},
        {"logs", "Looking", "Show what containers have printed", add_container_logs},
        {"top", "Looking", "List the processes in containers", add_container_top},
        {"port", "Looking", "Print where ports are published", add_container_port},
        {"exec", "Inside", "Run a command in a running container", add_container_exec},
        {"attach", "Inside", "Join a container's input and output", add_container_attach},
        {"cp", "Inside", "Copy files between a container and this machine", add_container_cp},
    };
    return all;
}

}  // namespace stack::cli
