internal import Basics
internal import CLinux
internal import Glibc

/// Turns SIGINT, SIGTERM and SIGHUP into values: a run heals first, whoever asks it to stop.
struct SignalSource {
    /// Calls `handler` on the loop's thread for every signal from now on.
    static func forward(on loop: EventLoop, _ handler: @escaping @Sendable (CInt) -> Void) throws(SystemError) {
        var ends: [CInt] = [-1, -1]
        try retryingInterrupts("pipe2") { squall_pipe(&ends) }
        for end in ends { try retryingInterrupts("fcntl") { fcntl(end, F_SETFL, O_NONBLOCK) } }
        let reader = ends[0]
        try loop.watch(reader, for: .readable) { _ in
            var number: UInt8 = 0
            while read(reader, &number, 1) == 1 { handler(CInt(number)) }
        }
        // A terminal that is closed ends the run like a person would, unless it was started with nohup.
        let signals = squall_is_ignored(SIGHUP) == 1 ? [SIGINT, SIGTERM] : [SIGINT, SIGTERM, SIGHUP]
        for signal in signals {
            try retryingInterrupts("sigaction") { squall_forward_signal(signal, ends[1]) }
        }
    }
}
