internal import Basics
internal import Foundation
package import Glibc
package import Postgres
internal import TestSupport

/// A real PostgreSQL 15 of its own on loopback: made for one test, removed with its files afterwards.
package final class PostgresServer: Sendable {
    package static let binaries = "/usr/lib/postgresql/15/bin"

    package let directory: String
    package let port: UInt16

    package init(directory: String, port: UInt16) {
        self.directory = directory
        self.port = port
    }

    package var dsn: DSN { DSN("host=127.0.0.1 port=\(port) user=postgres dbname=postgres") }

    /// PostgreSQL refuses to run as root; then everything is done as the user that Debian's package creates.
    package static func run(_ command: [String]) async throws -> String {
        try await Command.run((geteuid() == 0 ? ["runuser", "-u", "postgres", "--"] : []) + command)
    }

    package static let settings = """
        listen_addresses = '127.0.0.1'
        max_connections = 200
        max_wal_senders = 8
        shared_buffers = 16MB
        fsync = off
        wal_keep_size = 64MB
        wal_retrieve_retry_interval = 100ms
        hot_standby_feedback = off
        autovacuum = off
        jit = off
        log_min_messages = fatal
        """

    package static func create(in root: String, name: String, configuration: String = "") async throws -> PostgresServer
    {
        let directory = "\(root)/\(name)"
        _ = try await run([
            "\(binaries)/initdb", "-D", directory, "-U", "postgres", "-A", "trust", "--no-sync", "--no-locale", "-E",
            "UTF8",
        ])
        let server = PostgresServer(directory: directory, port: freeLoopbackPort())
        try server.append(settings + "\n" + configuration + "\n")
        return server
    }

    /// A streaming standby of this server, not started; its link stands in `postgresql.auto.conf`.
    package func makeStandby(in root: String, name: String, configuration: String = "") async throws -> PostgresServer {
        let directory = "\(root)/\(name)"
        _ = try await Self.run([
            "\(Self.binaries)/pg_basebackup", "-D", directory, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d",
            "host=127.0.0.1 port=\(port) user=postgres application_name=\(name)",
        ])
        let standby = PostgresServer(directory: directory, port: freeLoopbackPort())
        try standby.append(configuration + "\n")
        return standby
    }

    package func append(_ configuration: String) throws {
        let path = "\(directory)/postgresql.conf"
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("\n\(configuration)".utf8))
        try handle.close()
    }

    package func start() async throws {
        _ = try await Self.run([
            "\(Self.binaries)/pg_ctl", "start", "-w", "-s", "-D", directory, "-l", "\(directory)/server.log", "-o",
            // No socket in the file system: its lock file would outlive a killed server.
            "-p \(port) -k ''",
        ])
    }

    /// Ends every process of the server at once, as the loss of a machine does.
    package func kill() async {
        guard let postmaster = postmaster() else { return }
        let all = [postmaster] + Self.children(of: postmaster)
        for pid in all { Glibc.kill(pid, SIGKILL) }
        // Where nobody reaps orphans a dead process keeps its number, and the lock file would pass for a live server.
        var patience = 200
        while patience > 0, all.contains(where: Self.isAlive) {
            try? await SystemTimeSource().sleep(for: .milliseconds(10))
            patience -= 1
        }
        try? FileManager.default.removeItem(atPath: "\(directory)/postmaster.pid")
    }

    private static func isAlive(_ pid: pid_t) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return status.split(separator: ")").last?.hasPrefix(" Z") == false
    }

    /// SIGSTOP or SIGCONT to every process of the server.
    package func signal(_ number: CInt) {
        guard let postmaster = postmaster() else { return }
        // The postmaster first: it must neither fork nor notice the death of a child.
        Glibc.kill(postmaster, number)
        for child in Self.children(of: postmaster) { Glibc.kill(child, number) }
    }

    package func postmaster() -> pid_t? {
        guard let text = try? String(contentsOfFile: "\(directory)/postmaster.pid", encoding: .utf8) else { return nil }
        return text.split(separator: "\n").first.flatMap { pid_t($0) }
    }

    private static func children(of parent: pid_t) -> [pid_t] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { pid_t($0) }.filter { pid in
            guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let fields = status.split(separator: ")").last?.split(separator: " "), fields.count > 1
            else { return false }
            return pid_t(fields[1]) == parent
        }
    }

    /// The processes of this server by their titles, for example `walreceiver`.
    package func processes(titled word: String) -> [pid_t] {
        guard let postmaster = postmaster() else { return [] }
        return Self.children(of: postmaster).filter { pid in
            let title = (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""
            return title.contains(word)
        }
    }
}
