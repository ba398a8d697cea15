internal import Basics
internal import HTTP

/// Signs a call, sends it, reads the answer, and repeats what may be repeated. Knows nothing of where credentials come from.
struct AWSTransport: Sendable {
    /// One attempt; what hangs longer is given up, whatever the call's patience.
    private static let attemptPatience = Span.seconds(15)
    private static let connectPatience = Span.seconds(4)

    let settings: AWSSettings
    let time: any TimeSource
    private let http: HTTPClient
    private let retries: RetryPolicy
    private let clock = ClockOffset()

    init(
        _ settings: AWSSettings, _ http: HTTPClient, _ time: any TimeSource,
        random: @escaping @Sendable () -> Double
    ) {
        self.settings = settings
        self.http = http
        self.time = time
        retries = RetryPolicy(attempts: settings.attempts, random: random)
    }

    /// Without credentials only a call that needs none (`AWSCall.isUnsigned`).
    func perform(
        _ call: AWSCall, region: String, credentials: AWSCredentials? = nil
    ) async throws(AWSError) -> AWSAnswer {
        let subject = "\(call.action) in \(region)"
        let deadline = time.now + call.patience
        var attempt = 1
        var isClockCorrected = false
        while true {
            let failure: AWSError
            switch try await once(call, region, credentials, subject, deadline) {
            case .success(let answer):
                retries.succeeded()
                return answer
            case .failure(let refused):
                if !isClockCorrected, refused.canBeTheClock, let response = refused.response,
                    clock.correct(refused.host, from: response, time.wallClock)
                {
                    isClockCorrected = true
                    continue
                }
                failure = refused.error
            }
            guard let delay = retries.delay(after: failure, attempt: attempt, call.repetition),
                time.now + delay < deadline
            else { throw failure }
            attempt += 1
            do throws(CancellationError) {
                try await time.sleep(for: delay)
            } catch {
                throw AWSError(
                    .cancelled, "cancelled", subject: subject, mayHaveHappened: failure.mayHaveHappened)
            }
        }
    }

    /// A request that is no call of a service: metadata and container credentials. Any status is an answer.
    func fetch(
        _ request: HTTPRequest, within patience: Span, attempts: Int, what: String
    ) async throws(AWSError) -> HTTPResponse {
        var attempt = 1
        while true {
            var request = request
            request.deadline = time.now + patience
            do throws(HTTPError) {
                return try await http.send(request)
            } catch {
                guard attempt < attempts, error.code != .cancelled else {
                    throw AWSError(error.awsCode, "\(what): \(error)", mayHaveHappened: error.sentAnything)
                }
                attempt += 1
            }
        }
    }

    // MARK: One attempt

    private struct Refusal: Error {
        var error: AWSError
        var host = ""
        var response: HTTPResponse?

        /// These codes are also what a wrong clock looks like.
        var canBeTheClock: Bool {
            switch error.code {
            case .clockSkew: true
            case .authentication: error.word == "SignatureDoesNotMatch" || error.word == "InvalidSignatureException"
            default: false
            }
        }
    }

    private func once(
        _ call: AWSCall, _ region: String, _ credentials: AWSCredentials?, _ subject: String, _ deadline: Instant
    ) async throws(AWSError) -> Result<AWSAnswer, Refusal> {
        let endpoint =
            call.endpoint.map { Endpoint(url: $0, signingRegion: region) }
            ?? Endpoint(call.service, region: region, settings)
        let request = try request(call, endpoint, credentials, subject, deadline)
        let response: HTTPResponse
        do throws(HTTPError) {
            response = try await http.send(request)
        } catch {
            let advice = error.code == .refusedBeforeSend ? "curl -sv \(endpoint.url)" : ""
            return .failure(
                Refusal(
                    error: AWSError(
                        error.awsCode, "\(error)", subject: subject, advice: advice,
                        mayHaveHappened: error.sentAnything)))
        }
        let reader = AnswerReader(service: call.service, subject: subject)
        if let failure = reader.failure(response) {
            return .failure(Refusal(error: failure, host: endpoint.host, response: response))
        }
        do throws(AWSError) {
            return .success(
                AWSAnswer(
                    body: try reader.body(response), requestID: reader.requestID(response),
                    end: response.timing.ended))
        } catch {
            return .failure(Refusal(error: error))
        }
    }

    /// The request as it goes onto the wire, signed for this instant.
    func request(
        _ call: AWSCall, _ endpoint: Endpoint, _ credentials: AWSCredentials?, _ subject: String, _ deadline: Instant
    ) throws(AWSError) -> HTTPRequest {
        let (body, contentType) = try call.written(subject)
        let target = call.service.target(of: call.operation)
        let path = endpoint.pathPrefix + call.path
        let query = call.query.map { "\(percentEncoded($0.name))=\(percentEncoded($0.value))" }.joined(separator: "&")
        var headers = call.headers
        if let contentType { headers.add("Content-Type", contentType) }
        if let target { headers.add("X-Amz-Target", target) }
        let isSigned = credentials != nil && !call.isUnsigned
        if let credentials, isSigned {
            let date = clock.now(endpoint.host, time.wallClock).iso8601Basic
            headers.add("X-Amz-Date", date)
            if let token = credentials.sessionToken { headers.add("X-Amz-Security-Token", token) }
            let signer = SignatureV4(region: endpoint.signingRegion, service: call.service.signingName)
            let signed = signer.sign(
                call.method.rawValue, path: path, query: query,
                headers: headers.fields + [HTTPHeaders.Field(name: "Host", value: endpoint.host)], body: body,
                at: date, with: credentials)
            headers.add("Authorization", signed.authorization)
        }
        let authority =
            endpoint.pathPrefix.isEmpty ? endpoint.url : String(endpoint.url.dropLast(endpoint.pathPrefix.count))
        return HTTPRequest(
            call.method, "\(authority)\(path)\(query.isEmpty ? "" : "?\(query)")", headers: headers,
            body: body.isEmpty ? .none : .bytes(body), deadline: min(deadline, time.now + Self.attemptPatience),
            connectTimeout: Self.connectPatience, tls: TLSOptions(authorityFile: settings.authorityFile))
    }
}

extension AWSCall {
    /// The body's bytes and what they are.
    fileprivate func written(_ subject: String) throws(AWSError) -> (bytes: [UInt8], type: String?) {
        switch body {
        case .none: return ([], nil)
        case .form(let text): return (Array(text.utf8), "application/x-www-form-urlencoded; charset=utf-8")
        case .xml(let text): return (Array(text.utf8), "application/xml")
        case .json(let value):
            let type: String
            switch service.dialect {
            case .json(let version, _): type = "application/x-amz-json-\(version)"
            case .query, .ec2, .restJSON, .restXML: type = "application/json"
            }
            do {
                return (Array(try value.text().utf8), type)
            } catch {
                throw AWSError(.invalid, "the request cannot be written as JSON: \(error)", subject: subject)
            }
        }
    }
}

extension HTTPError {
    /// What a missing answer means for a call.
    fileprivate var awsCode: AWSError.Code {
        switch code {
        case .refusedBeforeSend, .interrupted: .unreachable
        case .timeout: .timeout
        case .cancelled: .cancelled
        case .tls: .configuration
        case .tooLarge, .misuse: .unexpected
        }
    }
}
