internal import Yams

/// The parser's complaint in a person's words, at its place.
func yamlDiagnostic(_ error: any Error, in source: SourceText) -> Diagnostic {
    let start = Location(file: source.file, line: 1, column: 1)
    guard let error = error as? YamlError else {
        return Diagnostic(.error, "not valid YAML: \(error)", at: start)
    }
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
        return explain(problem, context: context, mark: mark, in: source)
    case .composer(_, let problem, let mark, _):
        return explain(problem, context: nil, mark: mark, in: source)
    case .duplicatedKeysInMapping(let keys, let context):
        let place = Location(file: source.file, line: context.mark.line, column: context.mark.column)
        let names = keys.map { "'\($0)'" }.joined(separator: ", ")
        return Diagnostic(.error, "a key is used twice: \(names)", at: place)
    case .reader(let problem, _, _, _), .writer(let problem), .emitter(let problem), .representer(let problem):
        return Diagnostic(.error, "not valid YAML: \(problem)", at: start)
    case .no, .memory, .dataCouldNotBeDecoded:
        return Diagnostic(.error, "not valid YAML: \(error)", at: start)
    }
}

private func explain(_ problem: String, context: YamlError.Context?, mark: Mark, in source: SourceText) -> Diagnostic {
    // At the end of the file the parser stands on a line that does not exist; the last one is shown instead.
    let line = min(mark.line, source.lineCount)
    let column = line == mark.line ? mark.column : (source.line(line)?.unicodeScalars.count ?? 0) + 1
    let place = Location(file: source.file, line: line, column: column)
    let scalar = source.scalar(line: line, column: column)
    let (message, advice) = wording(problem, at: scalar)
    var notes = advice.map { [$0] } ?? []
    if let context, context.mark.line != line || context.mark.column != column {
        notes.append("\(context.text) that starts at line \(context.mark.line), column \(context.mark.column)")
    }
    return Diagnostic(.error, message, at: place, notes: notes)
}

/// Message and advice for what people run into; anything else is passed on as the parser says it.
private func wording(_ problem: String, at scalar: Unicode.Scalar?) -> (String, String?) {
    switch problem {
    case "found character that cannot start any token" where scalar == "\t":
        ("a tab cannot indent YAML", "indent with spaces")
    case "found a tab character that violates indentation",
        "found a tab character where an indentation space is expected":
        ("a tab cannot indent YAML", "indent with spaces")
    case "found character that cannot start any token":
        ("a value cannot start with '\(scalar.map(String.init) ?? "")'", "put the value in quotes")
    case "mapping values are not allowed in this context":
        (
            "a ':' is not allowed here",
            "put a value that contains ': ' in quotes, and check the indentation of this line"
        )
    case "did not find expected key":
        ("expected a key here", "is the line indented like its neighbours, and is every quote and bracket closed?")
    case "could not find expected ':'":
        ("expected 'key: value'", "a key needs a ':' and a space after it")
    case "found unexpected end of stream":
        ("the file ends inside a quoted text", "close the quote")
    case "did not find expected ',' or '}'":
        ("expected ',' or '}'", "separate entries with ',' and close the mapping with '}'")
    case "did not find expected ',' or ']'":
        ("expected ',' or ']'", "separate entries with ',' and close the list with ']'")
    case "did not find expected '-' indicator":
        ("expected '-' here", "every entry of a list starts with '-' at the same indentation")
    case "found undefined alias":
        ("this alias has no anchor before it", "write the value in quotes if it is meant to start with '*'")
    case "but found another document":
        ("a second document starts here", "one file holds one experiment; put the other one in a file of its own")
    default: ("not valid YAML: \(problem)", nil)
    }
}
