internal import Basics
internal import Contracts

/// Which process a fault has changed, and what tells whether the change may have reached its configuration file.
///
/// What is set at run time ends with the process, unless somebody sends CONFIG REWRITE: a Sentinel does so with every change
/// of a node's role (sentinelSendSlaveOf in sentinel.c).
package struct Installation: Codable, Sendable, Hashable {
    /// The run id, drawn when the process starts.
    package var process: String
    /// Path of its configuration file; empty without one.
    package var file: String
    /// `master`, or `slave host:port`.
    package var role: String

    /// What has become of a changed process.
    enum Standing {
        /// The same, in the same role: the change is in its memory alone.
        case asChanged
        /// The same, in another role: the change may stand in its file.
        case rewritten
        /// Another one with the same file, from which it may have the change.
        case restarted
        /// Another one, which has nothing of ours.
        case other
    }

    func standing(of now: Installation) -> Standing {
        if now.process == process { return now.role == role ? .asChanged : .rewritten }
        return !file.isEmpty && now.file == file ? .restarted : .other
    }
}

extension RedisTarget {
    func installation(in context: SystemContext) async throws(FaultError) -> Installation {
        let (info, role) = try await session(in: context, "reading the run id") {
            connection, deadline throws(RedisError) in
            (
                try await connection.call(["INFO", "server"], until: deadline).text ?? "",
                try await connection.call(["ROLE"], until: deadline).array ?? []
            )
        }
        guard let process = infoField("run_id", in: info) else {
            throw FaultError(.unexpected, "\(node) does not say its run id", advice: command(["INFO", "server"]))
        }
        let primary = role.first?.text == "slave" ? announcedAddress(Array(role.dropFirst())) : nil
        return Installation(
            process: process, file: infoField("config_file", in: info) ?? "",
            role: [role.first?.text, primary].compactMap(\.self).joined(separator: " "))
    }

    /// What a server says whose file nobody can have rewritten before either.
    private static let unwritable = ["without a config file", "Permission denied", "Read-only file system"]

    /// Writes what is set now into the configuration file; the answer is the proof. Any other failure may leave our value in
    /// a file that a Sentinel has written, so it is one of the heal.
    func rewriteFile(in context: SystemContext) async throws(FaultError) {
        try await session(in: context, "rewriting the configuration file") { connection, deadline throws(RedisError) in
            do throws(RedisError) {
                _ = try await connection.call(["CONFIG", "REWRITE"], until: deadline)
            } catch {
                guard error.code == .server, Self.unwritable.contains(where: { error.message.contains($0) }) else {
                    throw error
                }
            }
        }
    }
}
