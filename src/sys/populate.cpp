#include "sys/populate.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14
#endif

namespace stack::sys {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr bool is_sanitized = true;  // with a heap of the sanitizer's own
#else
constexpr bool is_sanitized = false;
#endif
constexpr std::uintptr_t page_size = 4096;
constexpr int heap_step = 512 * 1024;  // what malloc takes from the kernel at a time
constexpr std::uintptr_t stack_size = 96 * 1024;

void populate(std::uintptr_t from, std::uintptr_t to) {
    from &= ~(page_size - 1);
    to = (to + page_size - 1) & ~(page_size - 1);
    if (from < to)
        ::madvise(reinterpret_cast<void*>(from), to - from, MADV_POPULATE_WRITE);
}

/// The program itself comes first (dl_iterate_phdr(3)), and is the only one looked at.
int populate_data(dl_phdr_info* program, std::size_t, void*) {
    std::uintptr_t fixed = 0;  // the end of what is read-only after relocation
    for (int i = 0; i < program->dlpi_phnum; ++i)
        if (const auto& part = program->dlpi_phdr[i]; part.p_type == PT_GNU_RELRO)
            fixed = program->dlpi_addr + part.p_vaddr + part.p_memsz;
    for (int i = 0; i < program->dlpi_phnum; ++i) {
        const auto& part = program->dlpi_phdr[i];
        const std::uintptr_t begin = program->dlpi_addr + part.p_vaddr;
        if (part.p_type == PT_LOAD && (part.p_flags & PF_W) != 0)
            populate(std::max(begin, fixed), begin + part.p_memsz);
    }
    return 1;
}

void populate_heap() {
    ::mallopt(M_ARENA_MAX, 1);  // a thread's own would be touched anew
    ::mallopt(M_TOP_PAD, heap_step);
    ::mallopt(M_TRIM_THRESHOLD, 4 * heap_step);
    ::mallopt(M_MMAP_THRESHOLD, 4 * heap_step);
    void* first = std::malloc(heap_step);
    const auto begin = reinterpret_cast<std::uintptr_t>(first);
    populate(begin, begin + heap_step);
    std::free(first);
}

}  // namespace

void populate_memory() {
    if (is_sanitized)
        return;
    ::dl_iterate_phdr(populate_data, nullptr);
    populate_heap();
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    populate(here - stack_size, here);
}

void release_memory() {
    ::malloc_trim(0);
}

}  // namespace stack::sys
