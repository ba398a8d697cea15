internal import Basics
internal import CCurl

/// One request on its way: what libcurl's callbacks fill and the client's tasks wait for.
///
/// Used on the loop's thread only, by the callbacks and by the client actor; not Sendable.
final class Transfer {
    enum Kind {
        /// The whole body is gathered; more than `limit` bytes is an error.
        case gathered(limit: Int)
        /// The body is handed out in chunks; the connection is paused while the reader is behind.
        case streamed
    }

    let number: UInt64
    let easy: EasyHandle
    let request: HTTPRequest
    let kind: Kind
    let started: Instant
    private let time: any TimeSource

    private(set) var sent: Instant?
    private(set) var status = 0
    private(set) var headers = HTTPHeaders()
    private(set) var isHeadComplete = false
    /// Received and not handed out yet.
    private(set) var received: [UInt8] = []
    private(set) var isReceivingPaused = false
    /// A failure we decided on ourselves, which explains libcurl's "callback aborted".
    private(set) var ownFailure: (code: HTTPError.Code, message: String)?

    private var upload: [UInt8] = []
    private var uploadOffset = 0
    private var isUploadEnded = false
    private var isUploadPaused = false

    var deadlineTimer: EventLoop.Timer?
    /// nil while under way.
    var result: Result<HTTPResponse, HTTPError>?
    var completionWaiter: CheckedContinuation<Result<HTTPResponse, HTTPError>, Never>?
    var headWaiter: CheckedContinuation<Result<HTTPHead, HTTPError>, Never>?
    var chunkWaiter: CheckedContinuation<Result<[UInt8]?, HTTPError>, Never>?
    var uploadWaiter: CheckedContinuation<Bool, Never>?

    /// Bytes that wait for the reader of a stream, or for the connection of an upload, before the other side is paused.
    static let bufferLimit = 1 << 20

    init(
        number: UInt64, easy: EasyHandle, request: HTTPRequest, kind: Kind, time: any TimeSource
    ) {
        self.number = number
        self.easy = easy
        self.request = request
        self.kind = kind
        self.time = time
        started = time.now
    }

    var head: HTTPHead { HTTPHead(status: status, headers: headers) }

    /// At least one byte of the request left this process: CURLINFO_REQUEST_SIZE counts what the transport accepted.
    var sentAnything: Bool { sent != nil && easy.number(CURLINFO_REQUEST_SIZE) > 0 }

    // MARK: Called by libcurl

    /// The connection stands and the request comes next. False aborts.
    ///
    /// libcurl repeats a request by itself when a kept connection dies before the answer's first byte. A second sending
    /// could do the work twice and would hide the loss, so it is allowed only while nothing was written.
    func requestStarts() -> Bool {
        if case .refused = request.redirects, sentAnything {
            ownFailure = (.interrupted, "the kept connection was closed by the other side before it answered")
            return false
        }
        sent = time.now
        return true
    }

    /// One header line with its line break; a status line begins a new head (after `100 Continue` or a redirect).
    func receiveHeader(_ line: UnsafeRawBufferPointer) {
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("HTTP/") {
            status = Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0
            headers = HTTPHeaders()
            return
        }
        if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) {
            let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers.add(String(text[..<colon]), String(value.prefix { !$0.isNewline }))
            return
        }
        if status >= 200 && !isRedirectToFollow { completeHead() }
    }

    /// Bytes of the body. Returns what libcurl expects: the count, or its word for pausing, or 0 to fail.
    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        switch kind {
        case .gathered(let limit):
            guard received.count + bytes.count <= limit else {
                ownFailure = (.tooLarge, "the body is longer than \(ByteCount(bytes: Int64(limit)))")
                return 0
            }
            received.append(contentsOf: bytes)
        case .streamed:
            guard received.count < Self.bufferLimit else {
                isReceivingPaused = true
                return Int(CURL_WRITEFUNC_PAUSE)
            }
            received.append(contentsOf: bytes)
            if let waiter = chunkWaiter {
                chunkWaiter = nil
                waiter.resume(returning: .success(takeReceived()))
            }
        }
        return bytes.count
    }

    /// Fills libcurl's buffer from what the body's source has given.
    func provideBody(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, upload.count - uploadOffset)
        if count == 0 {
            if isUploadEnded { return 0 }
            isUploadPaused = true
            return Int(CURL_READFUNC_PAUSE)
        }
        buffer.copyBytes(from: upload[uploadOffset..<uploadOffset + count])
        uploadOffset += count
        if uploadOffset == upload.count {
            upload.removeAll(keepingCapacity: true)
            uploadOffset = 0
            resumeUploader(with: true)
        }
        return count
    }

    // MARK: Called by the client

    func takeReceived() -> [UInt8] {
        defer { received = [] }
        return received
    }

    /// Lets a paused connection deliver again; libcurl calls the body callback from inside.
    func resumeReceiving() {
        guard isReceivingPaused, result == nil else { return }
        isReceivingPaused = false
        unpause()
    }

    /// Takes the next bytes of the body; nil ends it. Returns whether there is room for more at once.
    func offer(_ bytes: [UInt8]?) -> Bool {
        if let bytes { upload += bytes } else { isUploadEnded = true }
        if isUploadPaused {
            isUploadPaused = false
            unpause()
        }
        return upload.count - uploadOffset < Self.bufferLimit
    }

    func resumeUploader(with goesOn: Bool) {
        uploadWaiter?.resume(returning: goesOn)
        uploadWaiter = nil
    }

    func timing(ended: Instant) -> HTTPTiming {
        HTTPTiming(
            started: started, sent: sent, ended: ended, nameLookup: easy.span(CURLINFO_NAMELOOKUP_TIME_T),
            connect: easy.span(CURLINFO_CONNECT_TIME_T), secured: easy.span(CURLINFO_APPCONNECT_TIME_T),
            firstByte: easy.span(CURLINFO_STARTTRANSFER_TIME_T), total: easy.span(CURLINFO_TOTAL_TIME_T),
            isReused: sent != nil && easy.number(CURLINFO_NUM_CONNECTS) == 0, remoteAddress: remoteAddress)
    }

    private var remoteAddress: String {
        guard sent != nil else { return "" }
        if let unixSocket = request.unixSocket { return unixSocket }
        let address = easy.text(CURLINFO_PRIMARY_IP)
        guard !address.isEmpty else { return "" }
        return (address.contains(":") ? "[\(address)]" : address) + ":\(easy.number(CURLINFO_PRIMARY_PORT))"
    }

    private func unpause() {
        let state = (isReceivingPaused ? CURLPAUSE_RECV : 0) | (isUploadPaused ? CURLPAUSE_SEND : 0)
        curl_easy_pause(easy.pointer, state)
    }

    private func completeHead() {
        isHeadComplete = true
        headWaiter?.resume(returning: .success(head))
        headWaiter = nil
    }

    private var isRedirectToFollow: Bool {
        switch request.redirects {
        case .refused: false
        case .followed: (300..<400).contains(status) && headers["Location"] != nil
        }
    }
}
