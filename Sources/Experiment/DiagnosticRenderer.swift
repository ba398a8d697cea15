/// Prints findings as compilers do: `file:line:column: error: message`, the source line, a caret, and the notes.
package struct DiagnosticRenderer: Sendable {
    private let sources: [String: SourceText]
    private let usesColor: Bool

    package init(sources: [SourceText], usesColor: Bool = false) {
        self.sources = Dictionary(sources.map { ($0.file, $0) }) { first, _ in first }
        self.usesColor = usesColor
    }

    /// All findings, each ending with a line break, and a last line that counts them.
    package func render(_ diagnostics: Diagnostics) -> String {
        if diagnostics.all.isEmpty { return "" }
        let errors = diagnostics.all.count { $0.severity == .error }
        let warnings = diagnostics.all.count - errors
        let counts = [(errors, "error"), (warnings, "warning")].filter { $0.0 > 0 }
            .map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s")" }
        return diagnostics.all.map(render).joined() + counts.joined(separator: ", ") + "\n"
    }

    /// One finding, ending with a line break.
    package func render(_ diagnostic: Diagnostic) -> String {
        let place = diagnostic.location.map { "\($0.file):\($0.line):\($0.column): " } ?? ""
        let (severity, color) =
            switch diagnostic.severity {
            case .error: ("error: ", "31")
            case .warning: ("warning: ", "33")
            }
        var text = paint(place, "1") + paint(severity, "1;\(color)") + paint(diagnostic.message, "1") + "\n"
        if let location = diagnostic.location { text += excerpt(location) }
        for note in diagnostic.notes { text += "  " + paint("note: ", "1;36") + note + "\n" }
        return text
    }

    /// The line and a caret under the column; nothing when the text is not known.
    private func excerpt(_ location: Location) -> String {
        guard let line = sources[location.file]?.line(location.line) else { return "" }
        let before = line.unicodeScalars.prefix(max(0, location.column - 1))
        // A tab is kept as a tab, so that both lines jump alike whatever the terminal's tab width is.
        let padding = before.map { $0 == "\t" ? "\t" : String(repeating: " ", count: displayWidth($0)) }.joined()
        return line + "\n" + padding + paint("^", "1;32") + "\n"
    }

    private func paint(_ text: String, _ code: String) -> String {
        usesColor && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

/// Columns a terminal gives to a character: none for combining ones, two for the wide ones of Unicode annex 11.
func displayWidth(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
        return 2
    default: return 1
    }
}
