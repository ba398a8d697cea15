internal import Basics
internal import Process

/// `credential_process`: a program of the user's prints credentials.
struct CredentialProcess: Sendable {
    private static let patience = Span.seconds(60)

    private let commands: any CommandRunner
    private let time: any TimeSource
    private let environment: [String: String]

    init(_ commands: any CommandRunner, _ time: any TimeSource, _ environment: [String: String]) {
        self.commands = commands
        self.time = time
        self.environment = environment
    }

    /// Splits the line as a shell does and runs it without one. Its output is never shown: it is the secret.
    func run(_ line: String, for profile: String) async throws(AWSError) -> AWSCredentials {
        let source = "credential_process of profile \(profile)"
        guard let words = Self.words(line), !words.isEmpty else {
            throw AWSError(.credentials, "\(source): a quote is not closed", advice: "edit ~/.aws/config")
        }
        let result: CommandResult
        do throws(SystemError) {
            result = try await commands.run(
                Command(words, environment: environment), until: time.now + Self.patience)
        } catch {
            throw AWSError(.credentials, "\(source) could not be started: \(error)", advice: words[0])
        }
        guard result.interruption == nil, result.ending == .exited(0) else {
            throw AWSError(.credentials, "\(source) failed", advice: line)
        }
        guard let document = try? JSONValue(parsing: result.output.text), document["Version"]?.integer == 1 else {
            throw AWSError(.credentials, "\(source) printed no JSON with \"Version\": 1", advice: line)
        }
        var credentials = try CredentialDocument.read(document, source: source)
        // Nobody knows whether the program can give others then.
        credentials.end = credentials.expiration
        return credentials
    }

    /// Words of a line with quotes and backslashes; nil when a quote is not closed.
    static func words(_ line: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in line {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let finished = word { words.append(finished) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if quote != nil || isEscaped { return nil }
        return words + [word].compactMap { $0 }
    }
}
