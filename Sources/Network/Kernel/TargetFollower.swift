internal import Basics
package import Contracts
internal import Docker
internal import Process

/// Finds containers again that ended while a network fault was on them, and has the fault put on them.
///
/// The engine's events say at once that a container runs; because a stream can break and its first moments can be missed,
/// missing containers are also asked for at a steady pace. Nothing is asked while nothing is held.
package struct TargetFollower: Sendable {
    private enum Wake: Sendable {
        case started(String)
        case tick
    }

    /// Between two looks at containers that are missing.
    private static let interval = Span.milliseconds(200)
    /// Before a broken stream of events is opened again.
    private static let pause = Span.seconds(1)

    private let context: SystemContext
    private let kernel: any NetworkKernel
    private let engine: any ContainerEngine

    /// nil in a process that knows no engine or no kernel: there is nothing to follow.
    package init?(in context: SystemContext) {
        do throws(FaultError) {
            kernel = try context.services.require((any NetworkKernel).self)
            engine = try context.services.require((any ContainerEngine).self)
        } catch {
            return nil
        }
        self.context = context
    }

    /// Until the task is cancelled.
    package func run() async {
        for await containers in await kernel.containers() where !containers.isEmpty {
            await follow()
            return
        }
    }

    private func follow() async {
        let (wakes, continuation) = AsyncStream.makeStream(of: Wake.self, bufferingPolicy: .bufferingNewest(64))
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await listen(continuation) }
            group.addTask { await tick(continuation) }
            for await wake in wakes { await look(wake) }
            group.cancelAll()
        }
    }

    private func listen(_ wakes: AsyncStream<Wake>.Continuation) async {
        while !Task.isCancelled {
            do throws(FaultError) {
                try await engine.followEvents { event in
                    if event.action == "start" { wakes.yield(.started(event.container)) }
                }
            } catch {
                if error.code == .cancelled { return }
            }
            await sleep(Self.pause)
        }
    }

    private func tick(_ wakes: AsyncStream<Wake>.Continuation) async {
        while !Task.isCancelled {
            wakes.yield(.tick)
            await sleep(Self.interval)
        }
        wakes.finish()
    }

    private func sleep(_ span: Span) async {
        do {
            try await context.time.sleep(for: span)
        } catch {
            return
        }
    }

    private func look(_ wake: Wake) async {
        for missing in await kernel.missing() {
            if case .started(let container) = wake, container != missing.container { continue }
            await bring(missing)
        }
    }

    /// One that does not run yet is looked at again; what else fails is told when the fault ends, as the member is
    /// missing then.
    private func bring(_ missing: MissingMember) async {
        do throws(FaultError) {
            let member = try await NamespaceMember(
                name: missing.name, container: missing.container, for: "a network fault", in: context)
            do throws(NetworkError) {
                try await kernel.bring(member, startedAt: member.process.startInstant)
            } catch {
                throw FaultError("follow", on: missing.name, error)
            }
        } catch {
            return
        }
    }
}

extension ProcessIdentity {
    /// When it was started: the kernel counts in hundredths of a second since boot (USER_HZ), rounded down.
    fileprivate var startInstant: Instant { Instant(nanoseconds: Int64(clamping: startTime) * 10_000_000) }
}
