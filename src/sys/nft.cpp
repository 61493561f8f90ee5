#include "sys/nft.h"

#include <stack/error.h>

#include "base/text.h"

#include <cstdint>

#include <dlfcn.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <nftables/libnftables.h>

namespace stack::sys {
namespace {

/// The functions of libnftables. Loaded by hand, because linking it (and libnftnl, libmnl, gmp,
/// jansson behind it) would make every `stack ps` pay for their relocation.
struct Library {
    decltype(&nft_ctx_new) make = nullptr;
    decltype(&nft_ctx_free) free = nullptr;
    decltype(&nft_ctx_buffer_output) buffer_output = nullptr;
    decltype(&nft_ctx_buffer_error) buffer_error = nullptr;
    decltype(&nft_ctx_get_output_buffer) output = nullptr;
    decltype(&nft_ctx_get_error_buffer) error = nullptr;
    decltype(&nft_ctx_output_set_flags) set_flags = nullptr;
    decltype(&nft_run_cmd_from_buffer) run = nullptr;
};

template <class Function>
void bind(void* handle, const char* name, Function& function) {
    function = reinterpret_cast<Function>(::dlsym(handle, name));
    if (function == nullptr)
        throw Error(std::string("libnftables.so.1 lacks ") + name +
                    "; install a current libnftables1");
}

Library load_library() {
    void* handle = ::dlopen("libnftables.so.1", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr)
        throw Error(std::string("libnftables.so.1 cannot be loaded: ") + ::dlerror() +
                    "; install the package libnftables1");
    Library library;
    bind(handle, "nft_ctx_new", library.make);
    bind(handle, "nft_ctx_free", library.free);
    bind(handle, "nft_ctx_buffer_output", library.buffer_output);
    bind(handle, "nft_ctx_buffer_error", library.buffer_error);
    bind(handle, "nft_ctx_get_output_buffer", library.output);
    bind(handle, "nft_ctx_get_error_buffer", library.error);
    bind(handle, "nft_ctx_output_set_flags", library.set_flags);
    bind(handle, "nft_run_cmd_from_buffer", library.run);
    return library;
}

const Library& library() {
    static const Library loaded = load_library();
    return loaded;
}

}  // namespace

Nft::Nft() : context_(library().make(NFT_CTX_DEFAULT), library().free) {
    if (!context_)
        throw Error(
            "libnftables cannot be set up: is this program privileged, and nf_tables in the "
            "kernel?");
    library().buffer_output(context_.get());
    library().buffer_error(context_.get());
}

std::string Nft::try_commit(const std::string& commands) {
    if (library().run(context_.get(), commands.c_str()) == 0)
        return {};
    const std::string message(trim(library().error(context_.get())));
    return message.empty() ? "refused without a message" : message;
}

void Nft::commit(const std::string& commands, const std::string& what) {
    if (const auto message = try_commit(commands); !message.empty())
        throw Error(what + ": nft: " + message);
}

std::string Nft::list_table(const std::string& family, const std::string& name) {
    return list("table " + family + " " + name);
}

std::string Nft::list_ruleset() {
    return list("ruleset");
}

std::string Nft::list(const std::string& what) {
    library().set_flags(context_.get(), NFT_CTX_OUTPUT_JSON);
    const auto message = try_commit("list " + what);
    std::string json = library().output(context_.get());
    library().set_flags(context_.get(), 0);
    return message.empty() ? json : std::string();
}

NftGeneration::NftGeneration() : socket_(NETLINK_NETFILTER) {}

std::uint32_t NftGeneration::now() {
    const nfgenmsg header{};
    NetlinkMessage message((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN, 0, raw_bytes(header));
    std::uint32_t generation = 0;
    socket_.execute_or_throw(
        message, "ask for the generation of the nftables", [&](nlmsghdr* answer) {
            if (nlattr* id = nlmsg_find_attr(answer, sizeof header, NFTA_GEN_ID))
                generation = __builtin_bswap32(nla_get_u32(id));
        });
    return generation;
}

}  // namespace stack::sys
