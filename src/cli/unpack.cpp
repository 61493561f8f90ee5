#include "cli/unpack.h"

#include <stack/error.h>

#include "sys/file.h"

#include <exception>

namespace stack::cli {

void unpack(const std::function<image::Fetch(const sys::Fd&)>& start,
            const std::function<void(const image::ByteSink&)>& write) {
    sys::Pipe pipe = sys::make_pipe();
    image::Fetch worker = start(pipe.read);
    pipe.read.reset();
    std::exception_ptr failure;
    try {
        write([&](std::string_view bytes) { sys::write_all(pipe.write, bytes); });
    } catch (const Error&) {
        failure = std::current_exception();
    }
    pipe.write.reset();
    image::finish_unpack(worker);
    if (failure)
        std::rethrow_exception(failure);
}

}  // namespace stack::cli
