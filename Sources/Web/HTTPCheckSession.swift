internal import Basics
internal import Contracts
internal import HTTP
internal import Synchronization

/// The probe at work: one HTTP thread of its own, so that no other probe's answers delay it.
final class HTTPCheckSession: ProbeSession {
    private struct State {
        var inFlight = 0
        var nodes: Set<String> = []
    }

    /// Names of nodes are interned for good: a header that holds a request's id must not fill the memory.
    private static let nodeLimit = 256

    private let probe: HTTPCheckProbe
    private let context: SystemContext
    private let client: HTTPClient
    private let judge: ResponseJudge
    private let inFlightLimit: Int
    private let state = Mutex(State())

    init(_ probe: HTTPCheckProbe, in context: SystemContext) throws(FaultError) {
        self.probe = probe
        self.context = context
        inFlightLimit = OpenLoop.inFlightLimit(rate: probe.rate, timeout: probe.timeout)
        do throws(HTTPError) {
            client = try HTTPClient(name: "http-\(probe.name)")
        } catch {
            throw FaultError(.unexpected, "probe '\(probe.name)' cannot start its thread", underlying: error)
        }
        do throws(PatternError) {
            judge = try ResponseJudge(probe.tolerance)
        } catch {
            throw FaultError(.notApplicable, "probe '\(probe.name)': \(error.message)")
        }
    }

    func run() async {
        let plan = OpenLoop(start: context.time.now, rate: probe.rate)
        await withDiscardingTaskGroup { group in
            await plan.run(time: context.time) { stall in
                context.record(.stall(stall))
            } _: { arrival in
                guard reserve() else { return recordUnsent(arrival, reason: "overrun") }
                group.addTask {
                    await self.send(arrival)
                    self.state.withLock { $0.inFlight -= 1 }
                }
            }
        }
    }

    func close() async throws(FaultError) {
        await client.close()
    }

    private func reserve() -> Bool {
        state.withLock { state in
            guard state.inFlight < inFlightLimit else { return false }
            state.inFlight += 1
            return true
        }
    }

    private func connection(for arrival: Arrival) -> HTTPRequest.Connection {
        switch probe.connections {
        case .kept: .kept
        case .fresh: .fresh
        case .both: arrival.number.isMultiple(of: 2) ? .kept : .fresh
        }
    }

    private func send(_ arrival: Arrival) async {
        let connection = connection(for: arrival)
        let request: HTTPRequest
        do throws(FaultError) {
            request = try probe.makeRequest(connection, deadline: context.time.now + probe.timeout, in: context)
        } catch {
            return recordUnsent(arrival, reason: "secret-unavailable")
        }
        do throws(HTTPError) {
            let response = try await client.send(request)
            let result = RequestOutcome(response, failure: judge.failure(of: response), action: probe.action)
            record(arrival, connection, result, response.timing, node: node(of: response))
        } catch {
            record(arrival, connection, RequestOutcome(error, action: probe.action), error.timing, node: .none)
        }
    }

    private func node(of response: HTTPResponse) -> Label {
        guard let header = probe.nodeHeader, let name = response.headers[header] else { return .none }
        let isKnown = state.withLock { state in
            if state.nodes.count < Self.nodeLimit { state.nodes.insert(name) }
            return state.nodes.contains(name)
        }
        return isKnown ? Label(name) : "other"
    }

    /// A request that found no connection was sent as far as its client is concerned: it asked, and waited.
    private func record(
        _ arrival: Arrival, _ connection: HTTPRequest.Connection, _ result: RequestOutcome, _ timing: HTTPTiming?,
        node: Label
    ) {
        let now = context.time.now
        context.record(
            .operation(
                Operation(
                    probe: probe.name, path: Label(connection.rawValue), node: node, action: probe.action,
                    sequence: arrival.number, due: arrival.due, sent: timing.map { $0.sent ?? $0.started },
                    end: timing?.ended ?? now, outcome: result.outcome, reason: result.reason)))
    }

    private func recordUnsent(_ arrival: Arrival, reason: Label) {
        context.record(
            .operation(
                Operation(
                    probe: probe.name, path: Label(connection(for: arrival).rawValue), action: probe.action,
                    sequence: arrival.number, due: arrival.due, sent: nil, end: context.time.now, outcome: .failed,
                    reason: reason)))
    }
}
