#pragma once

// The first touch of a page is a fault. On plain hardware that is 0.3 µs; on a virtual machine
// whose hypervisor sees each exception it is 15 to 35 µs, and a short command is hardly more than
// its faults. A page that the kernel is asked for along with its neighbours (MADV_POPULATE_WRITE,
// madvise(2)) is 0.8 µs even there.

namespace stack::sys {

/// Asks for the pages that every run of this program touches: its data, the first of its heap, the
/// top of its stack. To be called before anything else; what the kernel does not know is left out.
void populate_memory();

/// Gives back what the heap keeps for later: after work that needs far more than what stays.
void release_memory();

}  // namespace stack::sys
