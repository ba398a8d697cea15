/// The text of one file as a person wrote it, with its lines as the YAML parser counts them.
package struct SourceText: Sendable {
    package let file: String
    package let text: String
    private let lines: [String]

    package init(file: String, text: String) {
        self.file = file
        self.text = text
        lines = SourceText.split(text)
    }

    package var lineCount: Int { lines.count }

    /// The line without its break, counted from 1; nil beyond the end.
    package func line(_ number: Int) -> String? {
        lines.indices.contains(number - 1) ? lines[number - 1] : nil
    }

    /// The scalar at a place; nil at the end of a line and beyond.
    func scalar(line: Int, column: Int) -> Unicode.Scalar? {
        guard let text = self.line(line), column >= 1 else { return nil }
        return text.unicodeScalars.dropFirst(column - 1).first
    }

    /// Where `needle` first stands at or after a place, looking at no more than `lines` lines.
    func find(_ needle: String, from start: Location, lines count: Int) -> Location? {
        let wanted = Array(needle.unicodeScalars)
        for number in start.line..<(start.line + max(1, count)) {
            guard let text = line(number) else { return nil }
            let scalars = Array(text.unicodeScalars)
            var column = number == start.line ? max(0, start.column - 1) : 0
            while column + wanted.count <= scalars.count {
                if Array(scalars[column..<(column + wanted.count)]) == wanted {
                    return Location(file: file, line: number, column: column + 1)
                }
                column += 1
            }
        }
        return nil
    }

    /// Splits at every break of YAML 1.1 section 5.4, so that line numbers agree with the parser's.
    private static func split(_ text: String) -> [String] {
        var lines: [String] = []
        var current = String.UnicodeScalarView()
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n" where previous == "\r": break
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}":
                lines.append(String(current))
                current = String.UnicodeScalarView()
            default: current.append(scalar)
            }
            previous = scalar
        }
        lines.append(String(current))
        return lines
    }
}

extension SourceText {
    /// Decodes what was read from a file; reports what is no UTF-8 text, with the place of the first such byte.
    static func decode(_ bytes: [UInt8], file: String, into diagnostics: inout Diagnostics) -> SourceText? {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            diagnostics.error(
                "the file is UTF-16; it must be UTF-8", at: Location(file: file, line: 1, column: 1),
                notes: ["convert it with: iconv -f UTF-16 -t UTF-8"])
            return nil
        }
        let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        guard let text = String(validating: content, as: UTF8.self) else {
            diagnostics.error(
                "the file is not UTF-8 text: this byte belongs to no character", at: invalidByte(content, file))
            return nil
        }
        let source = SourceText(file: file, text: text)
        guard let (scalar, location) = source.firstControlCharacter() else { return source }
        let code = String(scalar.value, radix: 16, uppercase: true)
        let name = String(repeating: "0", count: max(0, 4 - code.count)) + code
        diagnostics.error("the control character U+\(name) is not allowed in YAML", at: location)
        return nil
    }

    private static func invalidByte(_ bytes: ArraySlice<UInt8>, _ file: String) -> Location {
        var location = Location(file: file, line: 1, column: 1)
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        while case .scalarValue(let scalar) = decoder.decode(&iterator) {
            location.column += 1
            if scalar == "\n" { location = Location(file: file, line: location.line + 1, column: 1) }
        }
        return location
    }

    /// The characters that YAML 1.1 section 5.1 leaves out.
    private func firstControlCharacter() -> (Unicode.Scalar, Location)? {
        for (index, line) in lines.enumerated() {
            for (offset, scalar) in line.unicodeScalars.enumerated() where !SourceText.isPrintable(scalar) {
                return (scalar, Location(file: file, line: index + 1, column: offset + 1))
            }
        }
        return nil
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x9, 0x20...0x7E, 0xA0...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }
}
