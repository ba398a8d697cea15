internal import Basics

/// The request that creates a container like another one: same configuration, networks, mounts, plus our mark.
///
/// Built from the engine's own description, in memory only: it holds the environment and with it secrets.
struct ContainerTwin {
    /// Marks the twin; its value is the id of the container it stands in for.
    static let label = "squall.undo"
    static let runLabel = "squall.undo.run"
    /// The name that the twin gets when it takes the original's place.
    static let nameLabel = "squall.undo.name"

    /// The body of `POST /containers/create`.
    let body: JSONValue
    /// Networks to connect after creation: engines before API 1.44 take only one at creation.
    let furtherNetworks: [(name: String, endpoint: JSONValue)]

    /// - Parameter image: what to create it from: the name the original was created from, or the image's own id.
    init(of details: ContainerDetails, run: String, image: String?) {
        let document = details.document
        let mode = document["HostConfig"]?["NetworkMode"]?.string ?? "default"
        var config = document["Config"]?.object ?? [:]
        var labels = config["Labels"]?.object ?? [:]
        labels[Self.label] = .string(details.id)
        labels[Self.runLabel] = .string(run)
        labels[Self.nameLabel] = .string(details.name)
        config["Labels"] = .object(labels)
        if let image { config["Image"] = .string(image) }
        if mode.hasPrefix("container:") {
            // These belong to the container whose network is shared; the engine refuses them twice.
            for key in ["Hostname", "Domainname", "ExposedPorts"] { config[key] = nil }
        }
        if document["HostConfig"]?["UTSMode"]?.string == "host" { config["Hostname"] = nil }
        config["HostConfig"] = Self.hostConfig(document)
        let networks = Self.networks(details, mode: mode)
        if let first = networks.first(where: \.isMain) {
            config["NetworkingConfig"] = .object(["EndpointsConfig": .object([first.name: first.endpoint])])
        }
        body = .object(config)
        furtherNetworks = networks.filter { !$0.isMain }.map { ($0.name, $0.endpoint) }
    }

    /// The host's part, with every anonymous volume mounted by its name: otherwise the twin would get empty new ones.
    private static func hostConfig(_ document: JSONValue) -> JSONValue {
        var host = document["HostConfig"]?.object ?? [:]
        var binds = host["Binds"]?.array ?? []
        var mounts = host["Mounts"]?.array ?? []
        let volumes = (document["Mounts"]?.array ?? []).filter { $0["Type"]?.string == "volume" }
        for volume in volumes {
            guard let name = volume["Name"]?.string, let place = volume["Destination"]?.string else { continue }
            if let index = mounts.firstIndex(where: { $0["Target"]?.string == place }) {
                var mount = mounts[index].object ?? [:]
                mount["Source"] = .string(name)
                mounts[index] = .object(mount)
            } else if !binds.contains(where: { destination($0) == place }) {
                let access = volume["RW"]?.boolean == false ? ":ro" : ""
                binds.append(.string("\(name):\(place)\(access)"))
            }
        }
        if !binds.isEmpty { host["Binds"] = .array(binds) }
        if !mounts.isEmpty { host["Mounts"] = .array(mounts) }
        return .object(host)
    }

    /// The container's path in `source:path[:options]`.
    private static func destination(_ bind: JSONValue) -> String? {
        let parts = bind.string?.split(separator: ":", omittingEmptySubsequences: false) ?? []
        return parts.count >= 2 ? String(parts[1]) : nil
    }

    private struct Network {
        var name: String
        var endpoint: JSONValue
        var isMain: Bool
    }

    /// The user-defined networks with what was asked for; what the engine assigned is assigned anew.
    private static func networks(_ details: ContainerDetails, mode: String) -> [Network] {
        let builtIn = ["default", "bridge", "host", "none"]
        let connected = details.document["NetworkSettings"]?["Networks"]?.object ?? [:]
        return connected.sorted { $0.key < $1.key }.compactMap { name, settings in
            guard !builtIn.contains(name), !mode.hasPrefix("container:") else { return nil }
            var endpoint: [String: JSONValue] = [:]
            for key in ["IPAMConfig", "Links", "DriverOpts"] {
                if let value = settings[key], value != .null { endpoint[key] = value }
            }
            // The engine adds the short id by itself; the twin has another one.
            let aliases = (settings["Aliases"]?.array ?? []).filter { $0.string != String(details.id.prefix(12)) }
            if !aliases.isEmpty { endpoint["Aliases"] = .array(aliases) }
            let isMain = name == mode || settings["NetworkID"]?.string == mode
            return Network(name: name, endpoint: .object(endpoint), isMain: isMain)
        }
    }
}
