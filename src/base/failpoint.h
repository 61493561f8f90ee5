#pragma once

// Named places at which a test can make the program fail, die or wait.
//
//     STACK_FAILPOINT("layer.publish");
//
// STACK_FAILPOINTS=NAME[#N]=MODE[,…] arms them: at the N-th hit (default 1) of a process, or, where
// there is a log, of all the processes that write it, MODE is
//   kill        the process dies of SIGKILL
//   error:E     std::system_error with errno E is thrown (as stack::Error by the caller's rules)
//   memory      std::bad_alloc is thrown
//   delay:MS    the process waits
// STACK_FAILPOINT_LOG=FILE appends "NAME\n" at each hit, so that a driver can enumerate them, and so
// that a process that takes the place of a killed one is not killed at the same place.
//
// Compiled to nothing unless the build has STACK_FAILPOINTS (the debug preset has it).

namespace stack {

void failpoint(const char* name);

}  // namespace stack

#ifdef STACK_FAILPOINTS
#define STACK_FAILPOINT(name) ::stack::failpoint(name)
#else
#define STACK_FAILPOINT(name) static_cast<void>(0)
#endif
