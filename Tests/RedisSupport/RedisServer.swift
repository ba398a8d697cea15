internal import Basics
internal import Glibc
package import Redis
package import TestSupport

/// A real Redis of its own on loopback: made for one test, killed when the test lets go of it.
package final class RedisServer: Sendable {
    package let port: UInt16
    package let process: ChildProcess
    private let folder: TemporaryFolder

    /// - Parameters:
    ///   - settings: lines of redis.conf.
    ///   - port: of one that was there before.
    ///   - role: `server` or `sentinel`.
    package init(
        _ settings: [String] = [], folder: TemporaryFolder? = nil, port: UInt16? = nil, role: String = "server"
    ) async throws {
        self.folder = try folder ?? TemporaryFolder()
        self.port = port ?? freeLoopbackPort()
        let isTLS = settings.contains { $0.hasPrefix("tls-cert-file") }
        let lines =
            [
                isTLS ? "port 0" : "port \(self.port)", isTLS ? "tls-port \(self.port)" : "", "bind 127.0.0.1",
                role == "server" ? "save \"\"" : "",
                "dir \(self.folder.path)", "logfile /dev/null",
            ] + settings
        let file = try self.folder.write(lines.joined(separator: "\n") + "\n", to: "redis.conf")
        // Debian's tools hold the server: it is one program, which looks at its name. Its own package would start a service.
        process = try ChildProcess(["bash", "-c", "exec -a redis-\(role) redis-check-rdb \"$0\"", file])
        let deadline = SystemTimeSource().now + .seconds(20)
        while !isListening {
            guard SystemTimeSource().now < deadline else { throw NotListening(port: self.port) }
            try await SystemTimeSource().sleep(for: .milliseconds(5))
        }
    }

    package struct NotListening: Error {
        package var port: UInt16
    }

    package var url: RedisURL { RedisURL("redis://127.0.0.1:\(port)") }

    private var isListening: Bool {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) == 0 }
        }
    }

    package func send(_ signal: CInt) { kill(process.pid, signal) }
}
