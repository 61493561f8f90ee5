#pragma once

// Waiting for the end of a container without a thread: a pidfd becomes readable.

#include "sys/fd.h"

#include <functional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace stack::engine {

/// Calls `ended` once, from the loop, when the process behind `pidfd` has ended. Destroying it
/// forgets the call.
class Watch {
  public:
    Watch(boost::asio::io_context& loop, sys::Fd pidfd, std::function<void()> ended)
        : descriptor_(loop, pidfd.release()) {
        descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                               [ended = std::move(ended)](boost::system::error_code error) {
                                   if (!error)
                                       ended();
                               });
    }

  private:
    boost::asio::posix::stream_descriptor descriptor_;
};

}  // namespace stack::engine
