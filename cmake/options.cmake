# Language, warnings, sanitizers and hardening, the same for every target.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE}")
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()
find_program(MOLD mold)
if(MOLD)
    # What runs at a start lies together, as GNU's linker does it unasked: fewer pages to fault in.
    add_link_options(-fuse-ld=mold -Wl,-z,keep-text-section-prefix)
endif()

add_compile_options(
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>
    $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>
    $<$<COMPILE_LANGUAGE:CXX>:-Woverloaded-virtual>
    -Wno-missing-field-initializers  # designated initializers name what differs from the defaults
    -Wimplicit-fallthrough -Wswitch-enum
    -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # False alarms of this version about std::string where it inlines (GCC bugs 105651, 105562).
    add_compile_options(-Wno-restrict -Wno-maybe-uninitialized)
endif()
if(STACK_WERROR)
    add_compile_options(-Werror)
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    add_compile_options(-Og -g1)
    add_compile_definitions(_GLIBCXX_ASSERTIONS)
else()
    # A command lives for milliseconds, most of which are the pages that it touches. So: small code (stack_fast is for
    # the modules that compute), no copy of a library's function in every file that calls it with the same argument, and
    # nothing that nobody calls.
    string(REPLACE "-O3" "-Os" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
    add_compile_options(-ffunction-sections -fdata-sections
        "$<$<CXX_COMPILER_ID:GNU>:SHELL:-fno-ipa-cp -fno-ipa-sra>")
    add_link_options(-Wl,--gc-sections)
    if(MOLD)
        add_link_options(-Wl,--icf=safe)
    endif()
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

# Kept apart from the global flags: static helpers (the shim) cannot carry a sanitizer's runtime. What only tests has
# AddressSanitizer alone: it finds what the program's values suffer there, and a test's own code is compiled in two
# thirds of the time.
add_library(stack_sanitizers INTERFACE)
add_library(stack_test_sanitizers INTERFACE)
if(STACK_SANITIZE)
    # The tests start `stack` some ten thousand times. Without asan-globals=0 each start registers the data of every
    # check of UBSan's as a global of ours (an index beyond a global array is UBSan's to find, and is found); a PIE
    # relocates them all. Both together were 0.7 s of each start. And what describes the checks of functions that the
    # linker has thrown away is thrown away with them: the search for leaks reads all data at every end.
    set(plain -fno-omit-frame-pointer -fdata-sections "$<$<CXX_COMPILER_ID:GNU>:SHELL:--param asan-globals=0>")
    target_compile_options(stack_sanitizers INTERFACE
        -fsanitize=address,undefined -fno-sanitize-recover=undefined ${plain})
    target_compile_options(stack_test_sanitizers INTERFACE -fsanitize=address ${plain})
    foreach(sanitizers stack_sanitizers stack_test_sanitizers)
        target_link_options(${sanitizers} INTERFACE -fsanitize=address,undefined -no-pie -Wl,--gc-sections)
    endforeach()
endif()
if(STACK_FUZZ)
    target_compile_options(stack_sanitizers INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(STACK_FAILPOINTS)
    add_compile_definitions(STACK_FAILPOINTS=1)
endif()
