package import Experiment

/// Which containers are meant: every condition that is written must hold.
package struct ContainerSelector: Sendable, Hashable {
    package var names: [String]
    /// Must match the whole name; checked when the file is read.
    package var pattern: String?
    package var labels: [NamedValue<String>]
    package var image: String?
    package var composeService: String?

    package init(
        names: [String] = [], pattern: String? = nil, labels: [NamedValue<String>] = [], image: String? = nil,
        composeService: String? = nil
    ) {
        self.names = names
        self.pattern = pattern
        self.labels = labels
        self.image = image
        self.composeService = composeService
    }

    private static let namesKey = Parameter<[String]>.defaulted(
        "names", .list(.text), to: [], written: "any", "container names; one of them must be the container's")
    private static let regexKey = Parameter<String?>.optional(
        "regex", .text, "a regular expression that the whole container name must match, for example web-[0-9]+")
    private static let labelsKey = Parameter<[NamedValue<String>]>.defaulted(
        "labels", .map(.text), to: [], written: "any", "labels the container must have, each with this value")
    private static let imageKey = Parameter<String?>.optional(
        "image", .text, "the image as docker ps shows it; without a tag, any tag of it")
    private static let composeServiceKey = Parameter<String?>.optional(
        "compose-service", .text, "the name of the service in the compose file")

    /// The keys of a selection, for everything that selects containers.
    package static let parameters: [any AnyParameter] = [
        namesKey, regexKey, labelsKey, imageKey, composeServiceKey,
    ]
    /// The label that compose gives each container.
    static let composeLabel = "com.docker.compose.service"

    /// Reads the keys; a selection that would take every container is an error.
    package init(from reader: inout ParameterReader) {
        self.init(
            names: reader.value(Self.namesKey), pattern: reader.value(Self.regexKey),
            labels: reader.value(Self.labelsKey), image: reader.value(Self.imageKey),
            composeService: reader.value(Self.composeServiceKey))
        if let pattern {
            do {
                _ = try Regex(pattern)
            } catch {
                reader.diagnostics.error(
                    "'\(pattern)' is no regular expression: \(error)", at: reader.location(of: Self.regexKey.key))
            }
        }
        let isUnbounded =
            names.isEmpty && pattern == nil && labels.isEmpty && image == nil && composeService == nil
        if isUnbounded && !Self.parameters.contains(where: { reader.has($0.key) }) {
            reader.diagnostics.error(
                "this selects every container; name at least one condition", at: reader.location,
                notes: ["conditions: \(Self.parameters.map(\.key).joined(separator: ", "))"])
        } else if isUnbounded {
            reader.diagnostics.error("an empty condition selects every container", at: reader.location)
        }
    }

    /// The labels as the engine's own filter takes them, compose's among them.
    package var labelFilter: [String: String] {
        var filter = Dictionary(labels.map { ($0.name, $0.value) }) { _, last in last }
        if let composeService { filter[Self.composeLabel] = composeService }
        return filter
    }

    /// Those of a listing that match, in the listing's order.
    package func matching(_ containers: [ContainerSummary]) -> [ContainerSummary] {
        // Regex is not Sendable: compiled once per listing; a pattern that does not compile was refused on reading.
        let expression = pattern.flatMap { try? Regex($0) }
        return containers.filter { container in
            (names.isEmpty || names.contains(container.name))
                && (pattern == nil || expression.map { container.name.wholeMatch(of: $0) != nil } == true)
                && labelFilter.allSatisfy { container.labels[$0.key] == $0.value }
                && image.map { Self.image($0, matches: container) } != false
        }
    }

    private static func image(_ wanted: String, matches container: ContainerSummary) -> Bool {
        if container.image == wanted || container.imageID == wanted { return true }
        // A colon after the last slash begins the tag; one before it belongs to a registry's port.
        let lastPart = wanted.split(separator: "/").last ?? ""
        return !lastPart.contains(":") && !lastPart.contains("@") && container.image.hasPrefix(wanted + ":")
    }

    /// One line for plans and messages.
    package var summary: String {
        var parts: [String] = []
        if !names.isEmpty { parts.append("names \(names.joined(separator: ", "))") }
        if let pattern { parts.append("regex \(pattern)") }
        if !labels.isEmpty {
            parts.append("labels \(labels.map { "\($0.name)=\($0.value)" }.joined(separator: ", "))")
        }
        if let image { parts.append("image \(image)") }
        if let composeService { parts.append("compose-service \(composeService)") }
        return parts.joined(separator: "; ")
    }
}
