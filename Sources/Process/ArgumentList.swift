internal import Experiment

extension ParameterReader {
    /// Reports an argument list that cannot name a program: an empty one, and a whole command line in one text, which no
    /// shell will ever split.
    mutating func checkProgram(_ key: String, _ arguments: [String]?) {
        guard has(key), let arguments else { return }
        guard let program = arguments.first, !program.isEmpty else {
            diagnostics.error("'\(key)' names no program", at: location(of: key))
            return
        }
        guard arguments.count == 1, program.contains(" ") else { return }
        let words = program.split(separator: " ").joined(separator: ", ")
        diagnostics.error(
            "'\(key)' is one text, and no shell splits it into program and arguments", at: location(of: key),
            notes: ["write a list: \(key): [\(words)]"])
    }
}
