internal import Basics
internal import CCurl

/// One libcurl easy handle with everything it points to; freed in `deinit`. Not Sendable: used on the loop's thread.
final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>
    private var failedOption: CURLcode = CURLE_OK

    init?() {
        guard let pointer = curl_easy_init() else { return nil }
        self.pointer = pointer
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        set(CURLOPT_ERRORBUFFER, UnsafeRawPointer(errorText))
    }

    deinit {
        curl_easy_cleanup(pointer)
        curl_slist_free_all(headerList)
        errorText.deallocate()
    }

    /// curl's description of the failure, or its general text for the code.
    func message(for result: CURLcode) -> String {
        if errorText.pointee != 0 { return String(cString: errorText) }
        return curl_easy_strerror(result).map { String(cString: $0) } ?? "error \(result.rawValue)"
    }

    /// Sets every option of a request; throws `misuse` with the option libcurl refused.
    func configure(_ request: HTTPRequest, context: UnsafeMutableRawPointer) throws(HTTPError) {
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https")
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        set(CURLOPT_URL, request.url)
        // A cached address would hide the very failover a new connection is there to see.
        set(CURLOPT_DNS_CACHE_TIMEOUT, 0)
        set(CURLOPT_TCP_NODELAY, 1)
        setRoute(request)
        setTLS(request.tls)
        setMethodAndBody(request)
        try setHeaders(request)
        setCallbacks(context, streamsBody: request.body.isStreamed)
        if let connectTimeout = request.connectTimeout {
            set(CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(connectTimeout.nanoseconds / 1_000_000)))
        }
        if failedOption != CURLE_OK {
            throw HTTPError(
                .misuse, message(for: failedOption), subject: request.subject,
                curlCode: Int32(failedOption.rawValue))
        }
    }

    private func setRoute(_ request: HTTPRequest) {
        if let unixSocket = request.unixSocket { set(CURLOPT_UNIX_SOCKET_PATH, unixSocket) }
        // libcurl would send even loopback addresses, and the request for an instance's credentials, to a proxy that the
        // environment names.
        if request.unixSocket != nil || request.isLocal { set(CURLOPT_PROXY, "") }
        if request.connection == .fresh {
            set(CURLOPT_FRESH_CONNECT, 1)
            set(CURLOPT_FORBID_REUSE, 1)
        }
        switch request.redirects {
        case .refused: set(CURLOPT_FOLLOWLOCATION, 0)
        case .followed(let max):
            set(CURLOPT_FOLLOWLOCATION, 1)
            set(CURLOPT_MAXREDIRS, max)
        }
    }

    private func setTLS(_ tls: TLSOptions) {
        if let authorityFile = tls.authorityFile { set(CURLOPT_CAINFO, authorityFile) }
        if let certificateFile = tls.certificateFile { set(CURLOPT_SSLCERT, certificateFile) }
        if let keyFile = tls.keyFile { set(CURLOPT_SSLKEY, keyFile) }
        set(CURLOPT_SSL_VERIFYPEER, tls.verifiesPeer ? 1 : 0)
        set(CURLOPT_SSL_VERIFYHOST, tls.verifiesHost ? 2 : 0)
    }

    private func setMethodAndBody(_ request: HTTPRequest) {
        switch request.body {
        case .none:
            switch request.method {
            case .get: set(CURLOPT_HTTPGET, 1)
            case .head: set(CURLOPT_NOBODY, 1)
            // These announce `Content-Length: 0`, which some servers insist on.
            case .post, .put, .patch: setPostFields([])
            case .delete, .options: set(CURLOPT_HTTPGET, 1)
            }
        case .bytes(let bytes): setPostFields(bytes)
        case .streamed(let length, _):
            set(CURLOPT_UPLOAD, 1)
            note(squall_curl_set_offset(pointer, CURLOPT_INFILESIZE_LARGE, curl_off_t(length ?? -1)))
        }
        if request.method != .head || !request.body.isEmpty { set(CURLOPT_CUSTOMREQUEST, request.method.rawValue) }
    }

    private func setPostFields(_ bytes: [UInt8]) {
        set(CURLOPT_POST, 1)
        note(squall_curl_set_offset(pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count)))
        // An empty array has no address, and a null pointer would mean "ask the read callback".
        (bytes.isEmpty ? [0] : bytes).withUnsafeBytes { set(CURLOPT_COPYPOSTFIELDS, $0.baseAddress) }
    }

    private func setHeaders(_ request: HTTPRequest) throws(HTTPError) {
        var lines: [String] = []
        for field in request.headers.fields {
            guard field.isSendable else {
                throw HTTPError(
                    .misuse, "the header '\(field.name)' holds a line break or an empty name", subject: request.subject)
            }
            // libcurl's way to write an empty value; "Name:" would remove the header instead.
            lines.append(field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        // Not to wait a second for "100 Continue", and not to claim a form where the caller names no type.
        if request.headers["Expect"] == nil { lines.append("Expect:") }
        if request.headers["Content-Type"] == nil { lines.append("Content-Type:") }
        for line in lines {
            guard let longer = curl_slist_append(headerList, line) else {
                throw HTTPError(.misuse, "out of memory for headers", subject: request.subject)
            }
            headerList = longer
        }
        note(squall_curl_set_list(pointer, CURLOPT_HTTPHEADER, headerList))
    }

    private func setCallbacks(_ context: UnsafeMutableRawPointer, streamsBody: Bool) {
        note(squall_curl_set_data_function(pointer, CURLOPT_WRITEFUNCTION, receiveBody))
        set(CURLOPT_WRITEDATA, context)
        note(squall_curl_set_data_function(pointer, CURLOPT_HEADERFUNCTION, receiveHeader))
        set(CURLOPT_HEADERDATA, context)
        note(squall_curl_set_prerequest_function(pointer, requestStarts))
        set(CURLOPT_PREREQDATA, context)
        set(CURLOPT_PRIVATE, context)
        guard streamsBody else { return }
        note(squall_curl_set_data_function(pointer, CURLOPT_READFUNCTION, provideBody))
        set(CURLOPT_READDATA, context)
    }

    // MARK: Options and information, with the first failure kept

    private func set(_ option: CURLoption, _ value: Int) { note(squall_curl_set_long(pointer, option, value)) }
    private func set(_ option: CURLoption, _ value: String) { note(squall_curl_set_text(pointer, option, value)) }
    private func set(_ option: CURLoption, _ value: UnsafeRawPointer?) {
        note(squall_curl_set_pointer(pointer, option, value))
    }

    private func note(_ result: CURLcode) {
        if failedOption == CURLE_OK { failedOption = result }
    }

    func number(_ info: CURLINFO) -> Int {
        var value = 0
        return squall_curl_get_long(pointer, info, &value) == CURLE_OK ? value : 0
    }

    /// A time of libcurl, which counts microseconds from the start of the transfer.
    func span(_ info: CURLINFO) -> Span {
        var value: curl_off_t = 0
        return squall_curl_get_offset(pointer, info, &value) == CURLE_OK ? .microseconds(Int64(value)) : .zero
    }

    func text(_ info: CURLINFO) -> String {
        var value: UnsafePointer<CChar>?
        guard squall_curl_get_text(pointer, info, &value) == CURLE_OK, let value else { return "" }
        return String(cString: value)
    }
}

extension HTTPRequest {
    /// Method and URL for messages, without user, password and query, which may hold secrets.
    package var subject: String {
        var text = url.prefix { $0 != "?" && $0 != "#" }
        if let scheme = text.firstRange(of: "://") {
            let authority = text[scheme.upperBound...].prefix { $0 != "/" }
            if let at = authority.lastIndex(of: "@") {
                text = text[..<scheme.upperBound] + text[text.index(after: at)...]
            }
        }
        return unixSocket.map { "\(method.rawValue) \(text) over \($0)" } ?? "\(method.rawValue) \(text)"
    }

    /// The URL names this machine by loopback address or as localhost, or what stands right beside it: link-local
    /// addresses, at which clouds give an instance its credentials.
    var isLocal: Bool {
        guard let scheme = url.firstRange(of: "://") else { return false }
        var authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
        if authority.hasPrefix("[::1]") || authority.hasPrefix("[fd00:ec2::") { return true }
        let host = authority.prefix { $0 != ":" }
        return host == "localhost" || host.hasSuffix(".localhost")
            || (host.hasPrefix("127.") || host.hasPrefix("169.254.")) && host.allSatisfy { $0.isNumber || $0 == "." }
    }
}

extension HTTPRequest.Body {
    var isStreamed: Bool {
        switch self {
        case .streamed: true
        case .none, .bytes: false
        }
    }

    var isEmpty: Bool {
        switch self {
        case .none: true
        case .bytes, .streamed: false
        }
    }
}

extension HTTPHeaders.Field {
    /// A line break in a field would smuggle another header or request.
    var isSendable: Bool {
        !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: ":") && $0 < 0x7F }
            && value.utf8.allSatisfy { $0 != 0x0D && $0 != 0x0A && $0 != 0 }
    }
}
