/// A place in a source file; line and column count from 1, columns in Unicode scalars.
package struct Location: Sendable, Hashable, Codable {
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}

/// One finding about a file a person wrote: what is wrong, where, and what to write instead.
package struct Diagnostic: Error, Sendable, Hashable, Codable {
    /// An error refuses the file; a warning does not.
    package enum Severity: String, Sendable, Hashable, Codable {
        case error
        case warning
    }

    package var severity: Severity
    package var message: String
    /// nil when no file is involved, for example for a command-line value.
    package var location: Location?
    /// Further lines: the suggestion, the other place, the next command to type.
    package var notes: [String]

    package init(_ severity: Severity, _ message: String, at location: Location?, notes: [String] = []) {
        self.severity = severity
        self.message = message
        self.location = location
        self.notes = notes
    }
}

/// Collects every finding of a load, so that a person sees all of them at once.
package struct Diagnostics: Sendable {
    package private(set) var all: [Diagnostic] = []

    package init() {}

    package var hasErrors: Bool { all.contains { $0.severity == .error } }

    /// Adds what makes the file unusable.
    package mutating func error(_ message: String, at location: Location?, notes: [String] = []) {
        all.append(Diagnostic(.error, message, at: location, notes: notes))
    }

    /// Adds what is probably a mistake.
    package mutating func warning(_ message: String, at location: Location?, notes: [String] = []) {
        all.append(Diagnostic(.warning, message, at: location, notes: notes))
    }

    /// Adds one finding as it is.
    package mutating func append(_ diagnostic: Diagnostic) {
        all.append(diagnostic)
    }

    /// Adds all findings of another part.
    package mutating func append(contentsOf other: Diagnostics) {
        all.append(contentsOf: other.all)
    }
}

/// The errors of a load as one thrown value.
package struct InvalidInput: Error, Sendable {
    package var diagnostics: [Diagnostic]

    package init(_ diagnostics: Diagnostics) {
        self.diagnostics = diagnostics.all
    }
}
