internal import Basics
internal import Contracts
internal import Glibc
internal import Network
internal import Process
internal import TestSupport

/// Measures what network faults cost, beside the commands that a person would type instead; `scripts/bench-network`
/// prints the figures as a table. Makes namespaces of its own and removes them.
///
///     NetworkBench figures COUNT     one JSON object per line: name, ours, theirs (milliseconds)
///     NetworkBench own PID PID       cuts two processes' networks off from each other, and waits to be killed
@main struct NetworkBench {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        switch arguments.first {
        case "figures":
            guard let count = arguments.dropFirst().first.flatMap({ Int($0) }), count > 1 else { return usage() }
            try await Figures(count).print()
        case "own":
            let pids = arguments.dropFirst().compactMap { Int32($0) }
            guard pids.count == 2 else { return usage() }
            try await Owner(pids).wait()
        default: usage()
        }
    }

    private static func usage() {
        print("usage: NetworkBench figures COUNT | own PID PID")
    }
}

/// Cuts two namespaces off from each other until it is killed.
struct Owner {
    let pids: [Int32]

    init(_ pids: [Int32]) {
        self.pids = pids
    }

    func wait() async throws {
        let stage = try Stage()
        let block = try await stage.pair(pids)
        try await stage.kernel.install(block.work) { _ in }
        _ = try await stage.kernel.arm(block.mark)
        print("armed")
        fflush(nil)
        try await SystemTimeSource().sleep(for: .seconds(60))
    }
}
