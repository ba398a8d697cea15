package import Basics

/// The states of a container in the engine's own words.
package enum ContainerState: Sendable, Hashable {
    case created
    case running
    case paused
    case restarting
    case removing
    case exited
    case dead
    /// A word of a later engine.
    case other(String)

    package init(_ text: String) {
        switch text {
        case "created": self = .created
        case "running": self = .running
        case "paused": self = .paused
        case "restarting": self = .restarting
        case "removing": self = .removing
        case "exited": self = .exited
        case "dead": self = .dead
        default: self = .other(text)
        }
    }

    package var text: String {
        switch self {
        case .created: "created"
        case .running: "running"
        case .paused: "paused"
        case .restarting: "restarting"
        case .removing: "removing"
        case .exited: "exited"
        case .dead: "dead"
        case .other(let text): text
        }
    }
}

/// One line of a listing.
package struct ContainerSummary: Sendable, Hashable {
    package var id: String
    /// Without the leading slash.
    package var name: String
    package var image: String
    package var imageID: String
    package var labels: [String: String]
    package var state: ContainerState

    package init(
        id: String, name: String, image: String = "", imageID: String = "", labels: [String: String] = [:],
        state: ContainerState = .running
    ) {
        self.id = id
        self.name = name
        self.image = image
        self.imageID = imageID
        self.labels = labels
        self.state = state
    }
}

/// What the engine knows of one container; fields it does not send are empty.
package struct ContainerDetails: Sendable, Hashable {
    package var id: String
    package var name: String
    package var state: ContainerState
    /// The init process in the engine's own pid namespace; 0 when there is none.
    package var pid: Int32
    package var exitCode: Int
    /// The engine's text, as an identity of this start only, never as a time.
    package var startedAt: String
    package var health: String
    package var restartCount: Int
    package var isRemovedOnExit: Bool
    /// `no`, `always`, `unless-stopped`, `on-failure`.
    package var restartPolicy: String
    package var labels: [String: String]
    /// The whole answer, for what is created anew from it. Holds the environment: never journal or print it.
    package var document: JSONValue

    package init(
        id: String, name: String, state: ContainerState, pid: Int32 = 0, exitCode: Int = 0, startedAt: String = "",
        health: String = "", restartCount: Int = 0, isRemovedOnExit: Bool = false, restartPolicy: String = "no",
        labels: [String: String] = [:], document: JSONValue = .null
    ) {
        self.id = id
        self.name = name
        self.state = state
        self.pid = pid
        self.exitCode = exitCode
        self.startedAt = startedAt
        self.health = health
        self.restartCount = restartCount
        self.isRemovedOnExit = isRemovedOnExit
        self.restartPolicy = restartPolicy
        self.labels = labels
        self.document = document
    }
}

extension ContainerDetails {
    /// Reads the engine's answer; nil without an id. Missing and unknown fields are no error.
    package init?(_ document: JSONValue) {
        guard let id = document["Id"]?.string else { return nil }
        let state = document["State"]
        let host = document["HostConfig"]
        self.init(
            id: id, name: plainName(document["Name"]?.string ?? ""),
            state: ContainerState(state?["Status"]?.string ?? ""),
            pid: Int32(clamping: state?["Pid"]?.integer ?? 0), exitCode: Int(state?["ExitCode"]?.integer ?? 0),
            startedAt: state?["StartedAt"]?.string ?? "", health: state?["Health"]?["Status"]?.string ?? "",
            restartCount: Int(document["RestartCount"]?.integer ?? 0),
            isRemovedOnExit: host?["AutoRemove"]?.boolean ?? false,
            restartPolicy: host?["RestartPolicy"]?["Name"]?.string ?? "no",
            labels: strings(document["Config"]?["Labels"]), document: document)
    }
}

extension ContainerSummary {
    package init?(_ document: JSONValue) {
        guard let id = document["Id"]?.string else { return nil }
        // A container has one name of its own; others are links of other containers and hold a second slash.
        let names = (document["Names"]?.array ?? []).compactMap(\.string).map(plainName)
        self.init(
            id: id, name: names.first { !$0.contains("/") } ?? names.first ?? String(id.prefix(12)),
            image: document["Image"]?.string ?? "", imageID: document["ImageID"]?.string ?? "",
            labels: strings(document["Labels"]), state: ContainerState(document["State"]?.string ?? ""))
    }
}

private func plainName(_ text: String) -> String {
    text.hasPrefix("/") ? String(text.dropFirst()) : text
}

/// A table of texts; other values are left out.
func strings(_ document: JSONValue?) -> [String: String] {
    (document?.object ?? [:]).compactMapValues(\.string)
}
