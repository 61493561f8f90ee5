#include "sys/user_namespace.h"

#include "sys/file.h"

#include <grp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace stack::sys {

void join_users(const Fd& users) {
    check(::setns(users.get(), CLONE_NEWUSER), "enter a user namespace");
    check(::setgroups(0, nullptr), "drop groups");
    check(::setresgid(0, 0, 0), "become the root group of a user namespace");
    check(::setresuid(0, 0, 0), "become the root of a user namespace");
}

FilesOf::FilesOf(std::uint32_t id)
    : bits_(static_cast<unsigned long>(check(::prctl(PR_GET_SECUREBITS), "read securebits"))) {
    if (id == 0)
        return;
    check(::prctl(PR_SET_SECUREBITS, bits_ | SECBIT_NO_SETUID_FIXUP), "keep the rights");
    ::setfsgid(id);
    ::setfsuid(id);
}

FilesOf::~FilesOf() {
    ::setfsuid(::geteuid());
    ::setfsgid(::getegid());
    ::prctl(PR_SET_SECUREBITS, bits_);
}

}  // namespace stack::sys
