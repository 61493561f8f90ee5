// UDP datagrams, forwarded; answers go back from the address that was asked.

#include "shim/forward_loop.h"
#include "shim/ports.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <optional>
#include <string>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::shim {
namespace {

constexpr std::size_t most_flows = 1024;
constexpr std::time_t patience = 120;  // seconds, as the kernel has it for a flow with answers

std::time_t now() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

/// A datagram with where it comes from and the address it was sent to. The latter is the kernel's
/// (IP_PKTINFO, IPV6_PKTINFO) and says, given back to it, where the answer comes from.
struct Datagram {
    std::array<char, 65536> bytes;
    sockaddr_storage peer{};
    alignas(cmsghdr) std::array<char, 64> control{};
    iovec data{};
    msghdr header{};

    Datagram() {
        data = {bytes.data(), bytes.size()};
        header.msg_name = &peer;
        header.msg_namelen = sizeof peer;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        header.msg_iov = &data;
        header.msg_iovlen = 1;
    }
};

/// Where an entrance leads now. Its file is read again only where it is another than it was: that
/// is asked for every datagram.
class Destination {
  public:
    explicit Destination(const Entrance& entrance) : entrance_(entrance) {}

    const Target& now() {
        struct stat status {};

        const bool is_there =
            !entrance_.target_file.empty() && ::stat(entrance_.target_file.c_str(), &status) == 0;
        const Version version = is_there ? Version{true,
                                                   status.st_ino,
                                                   status.st_size,
                                                   status.st_mtim.tv_sec,
                                                   status.st_mtim.tv_nsec}
                                         : Version{};
        if (!target_ || version != version_)
            target_ = current_target(entrance_);
        version_ = version;
        return *target_;
    }

  private:
    struct Version {
        bool is_there = false;
        ino_t number = 0;
        off_t size = 0;
        std::time_t seconds = 0;
        long nanoseconds = 0;

        bool operator==(const Version&) const = default;
    };

    Entrance entrance_;
    Version version_;
    std::optional<Target> target_;
};

/// What one client at one address of ours has to do with the container.
struct Flow {
    std::string client;   // its socket address
    std::string control;  // our address
    std::string target;   // the container's
    std::time_t last_used = 0;
};

class UdpEntrance : public Forwarding {
  public:
    UdpEntrance(ForwardLoop& loop, const Entrance& entrance)
        : loop_(loop), entrance_(entrance), destination_(entrance) {
        const int one = 1;
        ::setsockopt(entrance.socket, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
        ::setsockopt(entrance.socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one);
        loop_.watch(entrance.socket, EPOLLIN, *this);
    }

    void ready(int fd, std::uint32_t /*events*/) override {
        if (fd == entrance_.socket)
            receive_question();
        else
            receive_answer(fd);
    }

    [[nodiscard]] bool is_over() override {
        const std::time_t oldest = now() - patience;
        std::erase_if(flows_, [&](const auto& entry) {
            const bool over = entry.second.last_used < oldest;
            if (over)
                forget(entry.first, entry.second);
            return over;
        });
        return false;
    }

    [[nodiscard]] bool is_busy() const override { return !flows_.empty(); }

  private:
    void receive_question() {
        Datagram datagram;
        const auto size = ::recvmsg(entrance_.socket, &datagram.header, 0);
        if (size < 0)
            return;
        const int fd = flow_to(
            std::string(reinterpret_cast<const char*>(&datagram.peer), datagram.header.msg_namelen),
            std::string(datagram.control.data(), datagram.header.msg_controllen));
        if (fd < 0)
            return;
        flows_.at(fd).last_used = now();
        ::send(fd, datagram.bytes.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL);
    }

    void receive_answer(int fd) {
        Datagram datagram;
        const auto size = ::recv(fd, datagram.bytes.data(), datagram.bytes.size(), 0);
        const auto flow = flows_.find(fd);
        if (size < 0 || flow == flows_.end())
            return;
        flow->second.last_used = now();
        datagram.data.iov_len = static_cast<std::size_t>(size);
        datagram.header.msg_name = flow->second.client.data();
        datagram.header.msg_namelen = static_cast<socklen_t>(flow->second.client.size());
        datagram.header.msg_control = flow->second.control.data();
        datagram.header.msg_controllen = flow->second.control.size();
        ::sendmsg(entrance_.socket, &datagram.header, MSG_NOSIGNAL);
    }

    /// The socket of a client's flow, made where there is none; -1 where that cannot be.
    int flow_to(const std::string& client, const std::string& control) {
        const Target& target = destination_.now();
        const std::string bytes(reinterpret_cast<const char*>(&target.address), target.size);
        if (const auto known = by_client_.find(client + control); known != by_client_.end()) {
            const int fd = known->second;
            if (flows_.at(fd).target == bytes)
                return fd;
            forget(fd, flows_.at(fd));
            flows_.erase(fd);
        }
        if (flows_.size() >= most_flows)
            drop_oldest();
        const int fd = ::socket(
            target.address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
        const auto* name = reinterpret_cast<const sockaddr*>(&target.address);
        if (fd < 0 || ::connect(fd, name, target.size) < 0) {
            ::close(fd);
            return -1;
        }
        flows_[fd] = {client, control, bytes, now()};
        by_client_[client + control] = fd;
        loop_.watch(fd, EPOLLIN, *this);
        return fd;
    }

    void drop_oldest() {
        const auto oldest =
            std::min_element(flows_.begin(), flows_.end(), [](const auto& a, const auto& b) {
                return a.second.last_used < b.second.last_used;
            });
        forget(oldest->first, oldest->second);
        flows_.erase(oldest);
    }

    void forget(int fd, const Flow& flow) {
        by_client_.erase(flow.client + flow.control);
        ::close(fd);
    }

    ForwardLoop& loop_;
    Entrance entrance_;
    Destination destination_;
    std::map<int, Flow> flows_;  // by the socket that is connected to the container
    std::map<std::string, int> by_client_;
};

}  // namespace

std::unique_ptr<Forwarding> udp_entrance(ForwardLoop& loop, const Entrance& entrance) {
    return std::make_unique<UdpEntrance>(loop, entrance);
}

}  // namespace stack::shim
