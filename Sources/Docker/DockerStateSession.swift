internal import Basics
internal import Contracts
internal import Synchronization

/// A `docker.state` probe at work: a look at fixed instants, and the engine's events beside it.
final class DockerStateSession: ProbeSession {
    private let probe: DockerStateProbe
    private let engine: any ContainerEngine
    private let context: SystemContext
    /// Every container seen so far, by name: one that is gone is reported, not forgotten.
    private let known = Mutex<Set<String>>([])
    /// Events that show a change of state; the engine sends many more (exec, top, attach).
    private static let reportedEvents = [
        "create", "start", "restart", "die", "kill", "stop", "oom", "pause", "unpause", "destroy", "rename",
    ]

    init(_ probe: DockerStateProbe, _ engine: any ContainerEngine, _ context: SystemContext) {
        self.probe = probe
        self.engine = engine
        self.context = context
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.look() }
            group.addTask { await self.listen() }
            await group.waitForAll()
        }
    }

    func close() async throws(FaultError) {}

    // MARK: Looking

    private func look() async {
        let start = context.time.now
        var number: Int64 = 0
        while !Task.isCancelled {
            await sample()
            // Absolute instants: a slow engine delays looks but does not shift the plan.
            repeat { number += 1 } while start + probe.every * number <= context.time.now
            do {
                try await context.time.sleep(until: start + probe.every * number)
            } catch {
                return
            }
        }
    }

    private func sample() async {
        let sent = context.time.now
        do throws(FaultError) {
            let listed = try await engine.containers(.any, labels: probe.selector.labelFilter)
            let matching = probe.selector.matching(listed)
            let gone = known.withLock { known in
                let names = Set(matching.map(\.name))
                defer { known.formUnion(names) }
                return known.subtracting(names)
            }
            for name in gone.sorted() { unreachable(name, sent: sent, "no such container") }
            for container in matching { await sample(container, listedAt: sent) }
        } catch {
            // A look that was cut short by the end of the run says nothing about the system.
            if error.code == .cancelled { return }
            for name in known.withLock({ $0.sorted() }) { unreachable(name, sent: sent, error.code.rawValue) }
        }
    }

    private func sample(_ container: ContainerSummary, listedAt: Instant) async {
        let sent = context.time.now
        do throws(FaultError) {
            record(try await engine.inspect(container.id), container.name, sent: sent)
        } catch {
            if error.code == .cancelled { return }
            unreachable(container.name, sent: sent, error.code == .notFound ? "no such container" : error.code.rawValue)
        }
    }

    private func record(_ details: ContainerDetails, _ name: String, sent: Instant) {
        let end = context.time.now
        let node = Label(name)
        context.record(
            .state(
                StateSample(
                    probe: probe.name, node: node, sent: sent, end: end, state: Label(details.state.text),
                    identity: Label(short(details.id)), detail: Label(details.health))))
        let isRunning = details.state == .running
        let isHealthy = isRunning && (details.health.isEmpty || details.health == "none" || details.health == "healthy")
        measure("down", isRunning ? 0 : 1, node, end)
        measure("unhealthy", isHealthy ? 0 : 1, node, end)
        measure("restarts", Double(details.restartCount), node, end)
        measure("exit-code", Double(details.exitCode), node, end)
    }

    private func unreachable(_ name: String, sent: Instant, _ reason: String) {
        let end = context.time.now
        context.record(.state(StateSample(silent: Label(name), probe.name, sent: sent, end: end, Label(reason))))
        measure("down", 1, Label(name), end)
        measure("unhealthy", 1, Label(name), end)
    }

    private func measure(_ metric: Label, _ value: Double, _ node: Label, _ at: Instant) {
        context.record(
            .measurement(
                Measurement(probe: probe.name, node: node, metric: metric, at: at, value: value, unit: .count)))
    }

    // MARK: Listening

    private func listen() async {
        var pause = Span.milliseconds(200)
        while !Task.isCancelled {
            let started = context.time.now
            // A stream that ends or breaks is opened again; the looks report that the engine is away.
            do throws(FaultError) {
                try await engine.followEvents { self.note($0) }
            } catch {
                if error.code == .cancelled { return }
            }
            pause = context.time.now - started > .seconds(5) ? .milliseconds(200) : min(pause * 2, .seconds(5))
            do {
                try await context.time.sleep(for: pause)
            } catch {
                return
            }
        }
    }

    private func note(_ event: EngineEvent) {
        let isHealth = event.action.hasPrefix("health_status")
        guard isHealth || Self.reportedEvents.contains(event.action), isSelected(event) else { return }
        let details = ["exitCode", "signal"].compactMap { key in event.attributes[key].map { "\(key) \($0)" } }
        let suffix = details.isEmpty ? "" : " (\(details.joined(separator: ", ")))"
        let level: Note.Level = event.action == "oom" ? .warning : .info
        context.record(
            .note(
                Note(
                    at: context.time.now, source: probe.name, level: level,
                    message: "\(event.name): \(event.action)\(suffix)")))
    }

    private func isSelected(_ event: EngineEvent) -> Bool {
        if known.withLock({ $0.contains(event.name) }) { return true }
        let image = event.attributes["image"] ?? ""
        let summary = ContainerSummary(
            id: event.container, name: event.name, image: image, labels: event.attributes)
        return !probe.selector.matching([summary]).isEmpty
    }
}
