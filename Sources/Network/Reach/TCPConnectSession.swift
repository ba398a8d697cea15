internal import Basics
internal import Contracts
internal import Synchronization

/// A `tcp.connect` probe at work.
final class TCPConnectSession: ProbeSession {
    private static let look = Span.seconds(1)

    private let probe: TCPConnectProbe
    private let context: SystemContext
    private let connector: TCPConnector
    private let path: Label
    private let inFlightLimit: Int
    private let inFlight = Mutex(0)

    init(_ probe: TCPConnectProbe, in context: SystemContext) async throws(FaultError) {
        self.probe = probe
        self.context = context
        path = Label(probe.from.map { "\($0) > \(probe.to)" } ?? "machine > \(probe.to)")
        inFlightLimit = OpenLoop.inFlightLimit(rate: probe.rate, timeout: probe.timeout)
        do throws(SystemError) {
            connector = try TCPConnector()
        } catch {
            throw FaultError(.unexpected, "probe '\(probe.name)' cannot start its thread", underlying: error)
        }
        await connector.take(try await probe.ends(in: context))
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            if probe.from != nil || probe.address == nil { group.addTask { await self.lookAgainAndAgain() } }
            let plan = OpenLoop(start: context.time.now, rate: probe.rate)
            await plan.run(time: context.time) { stall in
                context.record(.stall(stall))
            } _: { arrival in
                guard reserve() else {
                    return record(arrival, .init(sent: nil, ended: context.time.now, .failed, "overrun"))
                }
                group.addTask {
                    self.record(arrival, await self.connector.connect(to: self.probe.port, within: self.probe.timeout))
                    self.inFlight.withLock { $0 -= 1 }
                }
            }
        }
    }

    func close() async throws(FaultError) {
        await connector.take(nil)
    }

    private func reserve() -> Bool {
        inFlight.withLock { count in
            guard count < inFlightLimit else { return false }
            count += 1
            return true
        }
    }

    private func record(_ arrival: Arrival, _ result: TCPConnector.Attempt) {
        context.record(
            .operation(
                Operation(
                    probe: probe.name, path: path, node: Label(probe.to), action: .check, sequence: arrival.number,
                    due: arrival.due, sent: result.sent, end: max(arrival.due, result.ended), outcome: result.outcome,
                    reason: result.reason)))
    }

    /// A container that is gone is an observation: connections to its last address go on to be tried.
    private func lookAgainAndAgain() async {
        var told = ""
        while !Task.isCancelled {
            do throws(CancellationError) {
                try await context.time.sleep(for: Self.look)
            } catch {
                return
            }
            var news = ""
            do throws(FaultError) {
                await connector.take(try await probe.ends(in: context))
            } catch {
                if error.code == .cancelled { return }
                news = error.description
            }
            if !news.isEmpty, news != told {
                context.record(
                    .note(Note(at: context.time.now, source: probe.name, level: .warning, message: news)))
            }
            told = news
        }
    }
}
