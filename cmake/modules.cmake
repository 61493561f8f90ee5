# One static library a module, so that the link graph is the layering table of the README.

# `src` is searched for quoted includes only: <sys/mount.h> is always the system's.
# stack_module(NAME DEPS...): the library stack_NAME made of every .cpp of the current folder.
function(stack_module name)
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
    add_library(stack_${name} STATIC ${sources})
    target_include_directories(stack_${name} PUBLIC "${PROJECT_SOURCE_DIR}/include")
    target_compile_options(stack_${name} PUBLIC "SHELL:-iquote ${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(stack_${name} PUBLIC ${ARGN} PRIVATE stack_sanitizers)
endfunction()

# stack_fast(TARGET): a module whose speed is that of its loops, not of the pages that it touches.
function(stack_fast target)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O2>)
endfunction()

# stack_test(NAME DEPS...): the GoogleTest program NAME_test made of every .cpp of the current folder.
# Extra arguments of the ctest entries: set STACK_TEST_PROPERTIES before the call.
function(stack_test name)
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
    add_executable(${name}_test ${sources})
    target_compile_options(${name}_test PRIVATE "SHELL:-iquote ${PROJECT_SOURCE_DIR}")
    target_compile_definitions(${name}_test PRIVATE
        STACK_SOURCE_DIR="${PROJECT_SOURCE_DIR}" STACK_BINARY_DIR="${CMAKE_BINARY_DIR}")
    target_link_libraries(${name}_test PRIVATE ${ARGN} GTest::gtest GTest::gtest_main stack_test_sanitizers)
    gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST TEST_PREFIX "${name}."
        PROPERTIES TIMEOUT 120 ${STACK_TEST_PROPERTIES})
endfunction()
