# The libraries that the modules use, as imported targets. Light commands must start at the price of a small
# program, so whatever `stack` itself needs is linked statically where Debian ships an archive of it.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(Boost 1.81 REQUIRED)

# stack_library(NAME HEADER FILES...): imported library stack::NAME, the first of FILES that exists.
function(stack_library name header)
    find_path(${name}_INCLUDE ${header} REQUIRED)
    find_library(${name}_FILE NAMES ${ARGN} REQUIRED)
    add_library(stack::${name} UNKNOWN IMPORTED)
    set_target_properties(stack::${name} PROPERTIES IMPORTED_LOCATION "${${name}_FILE}")
endfunction()

stack_library(yaml yaml-cpp/yaml.h libyaml-cpp.a yaml-cpp)
stack_library(seccomp seccomp.h libseccomp.a seccomp)
stack_library(crypto openssl/evp.h libcrypto.a crypto)
stack_library(zlib zlib.h libz.a z)
stack_library(zstd zstd.h libzstd.a zstd)
stack_library(isal isa-l/igzip_lib.h isal)
stack_library(archive archive.h archive)
stack_library(curl curl/curl.h curl)
stack_library(cap sys/capability.h libcap.a cap)
stack_library(nl libnl3/netlink/netlink.h libnl-3.a nl-3)
stack_library(nl_route libnl3/netlink/route/link.h libnl-route-3.a nl-route-3)
find_path(libnl_INCLUDE netlink/netlink.h PATH_SUFFIXES libnl3 REQUIRED)
set_target_properties(stack::nl PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${libnl_INCLUDE}")
target_link_libraries(stack::nl_route INTERFACE stack::nl)
# Debian 13's archive of it compresses.
target_link_libraries(stack::crypto INTERFACE stack::zlib stack::zstd Threads::Threads ${CMAKE_DL_LIBS})

if(STACK_TESTS)
    find_package(GTest REQUIRED)
    include(GoogleTest)
endif()
