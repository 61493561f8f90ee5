// container: a process that the kernel does not let go, for a disk that answers nobody.

#include "tests/integration/containers.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stack::test {
namespace {

/// A file system that says that its root is a directory, and never whether there is a file in it:
/// who looks for one waits, whatever signal comes. It ends with the process that serves it.
class HungDisk {
  public:
    explicit HungDisk(std::string place) : place_(std::move(place)) {
        std::filesystem::create_directory(place_);
        const int device = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
        EXPECT_GE(device, 0) << std::strerror(errno);
        const std::string options =
            "fd=" + std::to_string(device) + ",rootmode=40000,user_id=0,group_id=0";
        EXPECT_EQ(::mount("hung", place_.c_str(), "fuse", 0, options.c_str()), 0)
            << std::strerror(errno);
        server_ = ::fork();
        if (server_ == 0)
            serve(device);
        ::close(device);
    }

    HungDisk(const HungDisk&) = delete;
    HungDisk& operator=(const HungDisk&) = delete;

    ~HungDisk() {
        fail();
        ::umount2(place_.c_str(), MNT_DETACH);
    }

    /// Whoever waits is told that it is gone.
    void fail() {
        if (server_ <= 0)
            return;
        ::kill(server_, SIGKILL);
        ::waitpid(server_, nullptr, 0);
        server_ = 0;
    }

  private:
    template <class Body>
    static void answer(int device, std::uint64_t request, const Body& body) {
        struct {
            fuse_out_header header;
            Body body;
        } reply{{sizeof reply, 0, request}, body};

        static_cast<void>(!::write(device, &reply, sizeof reply));
    }

    [[noreturn]] static void serve(int device) {
        constexpr std::size_t largest = 1 << 17;
        std::vector<char> bytes(largest);
        while (::read(device, bytes.data(), bytes.size()) > 0 || errno == EINTR) {
            fuse_in_header request{};
            std::memcpy(&request, bytes.data(), sizeof request);
            if (request.opcode == FUSE_INIT) {
                fuse_init_out init{};
                init.major = FUSE_KERNEL_VERSION;
                init.minor = FUSE_KERNEL_MINOR_VERSION;
                init.max_write = 4096;
                answer(device, request.unique, init);
            } else if (request.opcode == FUSE_GETATTR) {
                fuse_attr_out attributes{};
                attributes.attr.ino = FUSE_ROOT_ID;
                attributes.attr.mode = S_IFDIR | 0755;
                attributes.attr.nlink = 2;
                answer(device, request.unique, attributes);
            } else if (request.opcode != FUSE_LOOKUP && request.opcode != FUSE_INTERRUPT) {
                const fuse_out_header refusal{sizeof refusal, -ENOSYS, request.unique};
                static_cast<void>(!::write(device, &refusal, sizeof refusal));
            }
        }
        ::_exit(0);
    }

    std::string place_;
    pid_t server_ = 0;
};

class Stuck : public Containers {};

TEST_F(Stuck, OneThatCannotBeKilledIsSaidAndHoldsUpNobody) {
    HungDisk disk((here_ / "disk").string());
    must({"run",
          "-d",
          "--name",
          "stuck",
          "-v",
          (here_ / "disk").string() + ":/disk",
          "busybox",
          "sh",
          "-c",
          "echo up; exec cat /disk/file"});
    EXPECT_TRUE(eventually([&] {
        return must({"top", "stuck"}).find("cat") != std::string::npos;
    }));
    const auto stop = con({"stop", "-t", "0", "stuck"});
    EXPECT_EQ(stop.status, 1);
    EXPECT_NE(stop.err.find("stuck did not end within 10 s of SIGKILL: one of its processes is "
                            "stuck in the kernel"),
              std::string::npos)
        << stop.err;
    EXPECT_EQ(seen("stuck")["State"], "running") << "what is still there is not said to be over";
    EXPECT_EQ(must({"run", "--rm", "busybox", "echo", "unharmed"}), "unharmed\n");
    disk.fail();
    EXPECT_TRUE(reaches("stuck", "exited"));
    must({"rm", "stuck"});
}

}  // namespace
}  // namespace stack::test
