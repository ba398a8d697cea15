package import Basics
package import Contracts
internal import FoundationEssentials
internal import HTTP

extension DockerClient {
    package func logs(_ container: String, tail: Int) async throws(FaultError) -> ContainerOutput {
        let details = try await inspect(container)
        let purpose = "read the logs of \(short(container))"
        let stream = try await open(
            .get, path(container, "logs"), query: [("stdout", "1"), ("stderr", "1"), ("tail", String(tail))],
            deadline: time.now + Self.promptTimeout, to: purpose)
        let hasTerminal = details.document["Config"]?["Tty"]?.boolean ?? false
        return try await gather(stream, limit: 16 << 20, isFramed: !hasTerminal)
    }

    package func execute(
        _ execution: Execution, in container: String, until deadline: Instant
    ) async throws(FaultError) -> ExecutionResult {
        let program = execution.arguments.first ?? ""
        let purpose = "run '\(program)' in \(short(container))"
        let created = try await call(.post, path(container, "exec"), body: execution.body, to: purpose)
        guard let id = try document(created, to: purpose)["Id"]?.string else {
            throw FaultError(.unexpected, "the Docker engine prepared '\(program)' without telling its id")
        }
        let stream = try await open(
            .post, "/exec/\(id)/start", body: .object(["Detach": .boolean(false), "Tty": .boolean(false)]),
            deadline: deadline, to: purpose)
        let output = try await gather(stream, limit: execution.outputLimit, isFramed: true)
        let ended = try document(try await call(.get, "/exec/\(id)/json", to: purpose), to: purpose)
        guard let exitCode = ended["ExitCode"]?.integer, ended["Running"]?.boolean == false else {
            throw FaultError(.unexpected, "'\(program)' in \(short(container)) closed its output and runs on")
        }
        return ExecutionResult(exitCode: Int(exitCode), output: output)
    }

    /// Reads frames (or the plain bytes of a terminal) to the end of the stream.
    private func gather(_ stream: HTTPStream, limit: Int, isFramed: Bool) async throws(FaultError) -> ContainerOutput {
        var frames = StreamDemultiplexer(limit: limit)
        var plain = ContainerOutput()
        do throws(HTTPError) {
            while let chunk = try await stream.next() {
                if isFramed {
                    frames.append(chunk)
                } else {
                    plain.standardOutput += chunk.prefix(max(0, limit - plain.standardOutput.count))
                    plain.totalOutput += chunk.count
                }
            }
        } catch {
            throw unreachable(error)
        }
        guard !frames.isWithinFrame else {
            throw FaultError(.unexpected, "the Docker engine at \(address) ended the output in the middle")
        }
        return isFramed ? frames.output : plain
    }

    package func followEvents(_ handle: @Sendable (EngineEvent) -> Void) async throws(FaultError) {
        let filter = jsonText(.object(["type": .array([.string("container")])]))
        let stream = try await open(
            .get, "/events", query: [("filters", filter)], deadline: nil, to: "report its events")
        var buffer: [UInt8] = []
        do throws(HTTPError) {
            while let chunk = try await stream.next() {
                buffer += chunk
                // One JSON document per line.
                while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                    if let event = EngineEvent(line: buffer[..<end]) { handle(event) }
                    buffer.removeSubrange(...end)
                }
            }
        } catch {
            throw unreachable(error)
        }
    }
}

extension Execution {
    fileprivate var body: JSONValue {
        var members: [String: JSONValue] = [
            "AttachStdout": .boolean(true), "AttachStderr": .boolean(true), "Tty": .boolean(false),
            "Cmd": .array(arguments.map(JSONValue.string)),
        ]
        if !environment.isEmpty {
            members["Env"] = .array(
                environment.sorted { $0.key < $1.key }.map { .string("\($0.key)=\($0.value)") })
        }
        if let workingDirectory { members["WorkingDir"] = .string(workingDirectory) }
        if let user { members["User"] = .string(user) }
        return .object(members)
    }
}

extension EngineEvent {
    /// nil for a line that is no event of a container.
    init?(line: some Collection<UInt8>) {
        guard let document = try? JSONDecoder().decode(JSONValue.self, from: Data(line)),
            let action = document["Action"]?.string ?? document["status"]?.string,
            let id = document["Actor"]?["ID"]?.string ?? document["id"]?.string
        else { return nil }
        let attributes = strings(document["Actor"]?["Attributes"])
        self.init(container: id, name: attributes["name"] ?? short(id), action: action, attributes: attributes)
    }
}

/// A document as compact text, with sorted keys so that requests are the same each time.
func jsonText(_ document: JSONValue) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(document)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
}
