import Basics
import Glibc
import Process
import TestSupport
import Testing

/// A Docker engine of the test's own, which it may stop, kill and start again; nobody else's containers are in it.
final class PrivateEngine {
    private let folder: TemporaryFolder
    private let isLiveRestoring: Bool
    private var daemon: ChildProcess?
    var host: String { "unix://\(folder.path)/docker.sock" }
    private var engine: Engine { Engine(host) }

    /// - Parameter isLiveRestoring: containers run on while the engine is away.
    init(isLiveRestoring: Bool) async throws {
        folder = try TemporaryFolder()
        self.isLiveRestoring = isLiveRestoring
        try await start()
        // The lab's image is large; the few files that a sleeping shell needs are an image too.
        let files = "bin/sh bin/sleep $(ldd /bin/sh /bin/sleep | grep -o '/[^ :]*[.]so[^ ]*' | sort -u | sed 's|^/||')"
        try ChildProcess.run([
            "sh", "-c", "tar -C / --dereference -c \(files) | docker --host \(host) import - \(Engine.image)",
        ])
    }

    /// Starts the daemon and waits until it answers. One that was killed leaves a dying containerd behind, which makes the
    /// next one give up at once: then another is started.
    func start() async throws {
        let answers = try await eventually(within: .seconds(60)) {
            if daemon.map({ ProcessList.state($0.pid) == nil }) ?? true { daemon = try launch() }
            return try await !engine.run(["version", "--format", "{{.Server.Version}}"], mayFail: true).isEmpty
        }
        try #require(answers, "the private engine does not start")
    }

    private func launch() throws -> ChildProcess {
        let path = folder.path
        // In a network namespace of its own: with --bridge none an engine removes docker0, which is the machine's.
        return try ChildProcess(
            [
                "unshare", "--net", "dockerd", "--data-root", "\(path)/data", "--exec-root", "\(path)/exec", "--host",
                host, "--pidfile",
                "\(path)/pid", "--bridge", "none", "--iptables=false", "--storage-driver", "vfs",
            ] + (isLiveRestoring ? ["--live-restore"] : []))
    }

    /// Waits until the engine itself has taken notice of a container that does not run. One that is stopped in between
    /// (moby 20.10) can never start that container again: "task already exists", until containerd is told to delete it.
    func hasSeen(_ state: String, of container: String) async throws {
        let isSeen = try await eventually(within: .seconds(10)) {
            try await engine.run(["inspect", "--format", "{{.State.Status}}", container]) == state
        }
        try #require(isSeen, "the engine does not say that \(container) is \(state)")
    }

    /// SIGTERM lets it end in order, SIGKILL does not; returns when it is gone.
    func end(_ signal: Int32) async throws {
        guard let pid = daemon?.pid else { return }
        kill(pid, signal)
        let isGone = try await eventually(within: .seconds(30)) { ProcessList.state(pid) == nil }
        try #require(isGone, "the private engine does not end")
        daemon = nil
        // What it left must not look like a daemon that lives.
        unlink("\(folder.path)/pid")
    }

    /// Removes every container and ends the daemon, whatever state it is in.
    func remove() async throws {
        if daemon == nil { try await start() }
        let all = try await engine.run(["ps", "--all", "--quiet"]).split(separator: "\n").map(String.init)
        if !all.isEmpty { try await engine.run(["rm", "--force"] + all, mayFail: true) }
        try await end(SIGTERM)
        // The daemon binds its own folder and leaves it bound; a folder that is bound cannot be removed.
        let data = "\(folder.path)/data"
        try ChildProcess.run(["sh", "-c", "! mountpoint --quiet \(data) || umount --lazy \(data)"])
    }

    /// Runs `body` with an engine and takes it away whatever happened.
    static func with(isLiveRestoring: Bool, _ body: (PrivateEngine) async throws -> Void) async throws {
        let engine = try await PrivateEngine(isLiveRestoring: isLiveRestoring)
        do {
            try await body(engine)
        } catch {
            try await engine.remove()
            throw error
        }
        try await engine.remove()
    }
}
