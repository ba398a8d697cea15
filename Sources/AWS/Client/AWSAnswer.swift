package import Basics
internal import HTTP

/// AWS's answer to a call that it carried out.
package struct AWSAnswer: Sendable, Hashable {
    enum Body: Sendable, Hashable {
        case none
        case xml(XMLNode)
        case json(JSONValue)
    }

    var body: Body
    var requestID: String
    /// When the answer was complete.
    package var end: Instant

    /// The result's element: inside the wrapper of the query protocol, else the root. Empty when the answer is no XML.
    var xml: XMLNode {
        guard case .xml(let root) = body else { return XMLNode("") }
        return root.children.first { $0.name.hasSuffix("Result") } ?? root
    }

    var json: JSONValue {
        guard case .json(let value) = body else { return .object([:]) }
        return value
    }
}

/// Reads what a service wrote, a failure included.
struct AnswerReader: Sendable {
    var service: AWSService
    /// `rds:FailoverDBCluster in us-east-1`
    var subject: String

    /// An error that AWS answered with; or nil when the status is a success.
    func failure(_ response: HTTPResponse) -> AWSError? {
        guard !(200...299).contains(response.status) else { return nil }
        let said = said(response)
        let entry = ErrorCatalog.entry(for: said.word, status: response.status)
        return AWSError(
            entry.code, said.message.isEmpty ? "HTTP status \(response.status)" : said.message, word: said.word,
            subject: subject, requestID: said.requestID, status: response.status, advice: entry.advice,
            // A refusal says that nothing was done; a failure on AWS's side says nothing.
            mayHaveHappened: response.status >= 500 && entry.code == .server)
    }

    /// The body of a success. One that is cut short, or of another kind than agreed, is no answer.
    func body(_ response: HTTPResponse) throws(AWSError) -> AWSAnswer.Body {
        if response.body.allSatisfy({ $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }) { return .none }
        switch service.dialect {
        case .query, .ec2, .restXML:
            do throws(XMLReader.Malformed) {
                return .xml(try XMLReader.read(response.body))
            } catch {
                throw unreadable("\(error)", response)
            }
        case .json, .restJSON:
            do {
                return .json(try JSONValue(parsing: response.text))
            } catch {
                throw unreadable("not JSON", response)
            }
        }
    }

    func requestID(_ response: HTTPResponse) -> String {
        response.headers["x-amzn-RequestId"] ?? response.headers["x-amz-request-id"] ?? ""
    }

    private func unreadable(_ why: String, _ response: HTTPResponse) -> AWSError {
        AWSError(
            .unexpected, "the answer cannot be read (\(why)): \(excerpt(response))", subject: subject,
            requestID: requestID(response), status: response.status, mayHaveHappened: true)
    }

    private func excerpt(_ response: HTTPResponse) -> String {
        let text = String(response.text.prefix(80)).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return text.isEmpty ? "empty" : "'\(text)'"
    }

    // MARK: Errors, in every form that is in use

    private func said(_ response: HTTPResponse) -> (word: String, message: String, requestID: String) {
        var header = requestID(response)
        if let root = try? XMLReader.read(response.body) {
            if header.isEmpty { header = root.first("RequestId")?.text ?? root.first("RequestID")?.text ?? "" }
            if let error = root.first("Error"), let code = error.string("Code") {
                return (code, error.string("Message") ?? "", header)
            }
            // Route 53: `<InvalidChangeBatch><Messages><Message>…`.
            if let messages = root["Messages"], root.name.hasPrefix("Invalid") {
                return (root.name, messages.children.map(\.text).joined(separator: "; "), header)
            }
        }
        let json = try? JSONValue(parsing: response.text)
        let type = response.headers["x-amzn-errortype"] ?? json?["__type"]?.string ?? json?["code"]?.string ?? ""
        let message = json?["message"]?.string ?? json?["Message"]?.string ?? ""
        let reason = json?["reason"]?.string.map { " (\($0))" } ?? ""
        // `ns#Code`, `Code:http://…`
        let word = type.split(separator: "#").last?.split(separator: ":").first.map(String.init) ?? ""
        if word.isEmpty, json == nil { return ("", excerpt(response), header) }
        return (word, message + reason, header)
    }
}
