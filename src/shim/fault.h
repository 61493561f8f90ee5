#pragma once

// How the shim and the set-up stage fail: with the step, the reason and an exit status, to whoever
// listens.

#include <string>

namespace stack::shim {

/// How a fault is told: "<code> <sentence>" to a program, or the sentence on a line to a person.
enum class FaultForm { record, line };

/// Where faults are told; -1: nowhere. The set-up stage sends them to its shim, the shim to its
/// supervisor.
void tell_faults_to(int fd, FaultForm form = FaultForm::record);

/// A set-up stage whose faults come by this channel is at work; -1: none. What fails meanwhile may
/// do so because the stage has ended, and its namespaces with it: its fault is told then.
void heed_faults_of(int channel);

/// Tells the fault and ends the process with `code`. `error` is an errno; 0: the sentence is
/// complete.
[[noreturn]] void give_up(int code, const std::string& sentence, int error);

/// Passes a system call's result on; gives up with status 125 (the engine failed) where it is
/// negative.
long must(long result, const char* step);
long must(long result, const std::string& step);

constexpr int engine_failed = 125;
constexpr int not_executable = 126;
constexpr int not_found = 127;

}  // namespace stack::shim
