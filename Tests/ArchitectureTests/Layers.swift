/// What Package.swift declares: its modules in their order, which is the order of the layers, and what each may import.
struct Layers {
    /// Module names from the lowest layer up.
    let order: [String]
    let dependencies: [String: Set<String>]

    /// Reads the declarations `.target(name: "C…")`, `.systemLibrary(name:)`, `module("X", […])` and `.executableTarget`.
    init(manifest: String) {
        var order: [String] = []
        var dependencies: [String: Set<String>] = [:]
        let declaration =
            #/(?:\bmodule\(\s*|\.target\(\s*name:\s*|\.systemLibrary\(\s*name:\s*|\.executableTarget\(\s*name:\s*)"(\w+)"/#
        let targets = manifest.firstRange(of: "targets: [\n").map { manifest[$0.upperBound...] } ?? ""
        for match in targets.matches(of: declaration) {
            let name = String(match.output.1)
            order.append(name)
            dependencies[name] = Self.quoted(in: Self.list(after: match.range.upperBound, in: targets))
        }
        self.order = order
        self.dependencies = dependencies
    }

    /// The bracketed list of the declaration that goes on at `start`; empty when the declaration ends without one.
    private static func list(after start: Substring.Index, in text: Substring) -> Substring {
        var depth = 0
        var opening: Substring.Index?
        for index in text[start...].indices {
            switch text[index] {
            case "[":
                if depth == 0 { opening = index }
                depth += 1
            case "]":
                depth -= 1
                if depth == 0, let opening { return text[opening...index] }
            case ")" where depth == 0:
                return ""
            default:
                continue
            }
        }
        return ""
    }

    private static func quoted(in text: Substring) -> Set<String> {
        Set(text.matches(of: #/"([\w-]+)"/#).map { String($0.output.1) })
    }
}
