package import Basics
internal import CCurl

/// libcurl on a thread of its own behind async calls; every HTTP byte of Squall goes through one of these.
///
/// HTTP/1.1, one request per connection at a time. Its methods run on the loop's thread and may be called from anywhere;
/// cancelling the caller's task ends the transfer. A request is sent at most once, see `Transfer.requestStarts`.
package actor HTTPClient {
    private let loop: EventLoop
    private let time: any TimeSource
    private let multi: MultiHandle
    private var transfers: [UInt64: Transfer] = [:]
    private var lastNumber: UInt64 = 0
    private var isClosed = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Starts the thread; `name` is what `ps -L` shows (15 bytes).
    package init(name: String = "http", time: any TimeSource = SystemTimeSource()) throws(HTTPError) {
        do throws(SystemError) {
            loop = try EventLoop(name: name)
        } catch {
            throw HTTPError(.misuse, "the HTTP thread could not be started: \(error)", subject: name)
        }
        self.time = time
        multi = try MultiHandle(on: loop)
    }

    deinit {
        loop.stop()
    }

    /// Sends a request and gathers the whole answer. Any status is an answer; only a missing answer throws.
    package func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let transfer = try start(request, kind: .gathered(limit: Int(clamping: request.maxBody.bytes)))
        guard case .streamed(_, let next) = request.body else { return try await completion(of: transfer).get() }
        let number = transfer.number
        let result = await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.pump(next, into: number) }
            let result = await self.completion(of: number)
            group.cancelAll()
            return result
        }
        return try result.get()
    }

    /// Sends a request and returns once the head of the answer is there; the body follows as chunks.
    ///
    /// The buffer is bounded: a slow reader slows the sender down. The transfer ends when the stream is let go of.
    package func stream(_ request: HTTPRequest) async throws(HTTPError) -> HTTPStream {
        guard !request.body.isStreamed else {
            throw HTTPError(.misuse, "a streamed body works with send only", subject: request.subject)
        }
        let transfer = try start(request, kind: .streamed)
        do throws(HTTPError) {
            let head = try await head(of: transfer).get()
            return HTTPStream(head: head, client: self, number: transfer.number)
        } catch {
            transfers[transfer.number] = nil
            throw error
        }
    }

    /// Ends every transfer as cancelled; later requests are refused.
    package func close() {
        isClosed = true
        for transfer in transfers.values { fail(transfer, .cancelled, "the HTTP client was closed") }
    }

    // MARK: Called by the loop, on its thread

    func socketReady(_ socket: CInt, _ readiness: EventLoop.Readiness) {
        multi.act(on: socket, readiness)
        finishCompleted()
    }

    func timerFired() {
        multi.timeOut()
        finishCompleted()
    }

    // MARK: Transfers

    private func start(_ request: HTTPRequest, kind: Transfer.Kind) throws(HTTPError) -> Transfer {
        if isClosed { throw HTTPError(.cancelled, "the HTTP client is closed", subject: request.subject) }
        if request.cancellation == .endsTransfer, Task.isCancelled {
            throw HTTPError(.cancelled, "cancelled", subject: request.subject)
        }
        guard let easy = EasyHandle() else {
            throw HTTPError(.misuse, "libcurl gave no handle", subject: request.subject)
        }
        lastNumber += 1
        let transfer = Transfer(number: lastNumber, easy: easy, request: request, kind: kind, time: time)
        try easy.configure(request, context: Unmanaged.passUnretained(transfer).toOpaque())
        if let deadline = request.deadline, deadline <= time.now {
            throw HTTPError(.timeout, "the deadline had passed before the request started", subject: request.subject)
        }
        multi.client = self
        let added = multi.add(easy)
        guard added == CURLM_OK else {
            throw HTTPError(
                .misuse, curl_multi_strerror(added).map { String(cString: $0) } ?? "", subject: request.subject)
        }
        transfers[transfer.number] = transfer
        if let deadline = request.deadline {
            let number = transfer.number
            transfer.deadlineTimer = loop.schedule(at: deadline) { [weak self] in
                self?.assumeIsolated { $0.expire(number) }
            }
        }
        return transfer
    }

    private func expire(_ number: UInt64) {
        guard let transfer = transfers[number], let deadline = transfer.request.deadline else { return }
        fail(transfer, .timeout, "no complete answer within \(deadline - transfer.started)")
    }

    private func cancel(_ number: UInt64) {
        if let transfer = transfers[number] { fail(transfer, .cancelled, "cancelled") }
    }

    /// Ends a transfer for a reason of ours; one that has ended keeps its result.
    private func fail(_ transfer: Transfer, _ code: HTTPError.Code, _ message: String) {
        guard transfer.result == nil else { return }
        let sentAnything = transfer.sentAnything
        let timing = transfer.timing(ended: time.now)
        multi.remove(transfer.easy)
        complete(
            transfer,
            .failure(
                HTTPError(
                    code, message, subject: transfer.request.subject, sentAnything: sentAnything, timing: timing)))
    }

    private func finishCompleted() {
        while let (transfer, code) = multi.nextFinished() {
            let result = outcome(of: transfer, code)
            multi.remove(transfer.easy)
            complete(transfer, result)
        }
    }

    private func outcome(of transfer: Transfer, _ code: CURLcode) -> Result<HTTPResponse, HTTPError> {
        let timing = transfer.timing(ended: time.now)
        if code == CURLE_OK {
            let body: [UInt8] =
                switch transfer.kind {
                case .gathered: transfer.takeReceived()
                case .streamed: []
                }
            return .success(
                HTTPResponse(status: transfer.status, headers: transfer.headers, body: body, timing: timing))
        }
        let sentAnything = transfer.sentAnything
        let reason = transfer.ownFailure
        return .failure(
            HTTPError(
                reason?.code ?? HTTPError.Code(curl: code, sentAnything: sentAnything),
                reason?.message ?? transfer.easy.message(for: code), subject: transfer.request.subject,
                sentAnything: sentAnything, curlCode: Int32(code.rawValue),
                errno: sentAnything ? 0 : CInt(transfer.easy.number(CURLINFO_OS_ERRNO)), timing: timing))
    }

    private func complete(_ transfer: Transfer, _ result: Result<HTTPResponse, HTTPError>) {
        transfer.result = result
        if let timer = transfer.deadlineTimer { loop.cancel(timer) }
        transfer.resumeUploader(with: false)
        transfer.completionWaiter?.resume(returning: result)
        transfer.completionWaiter = nil
        transfer.headWaiter?.resume(returning: result.map { _ in transfer.head })
        transfer.headWaiter = nil
        transfer.chunkWaiter?.resume(returning: result.map { _ in nil })
        transfer.chunkWaiter = nil
        // A stream stays until its reader has taken the rest.
        if case .gathered = transfer.kind { transfers[transfer.number] = nil }
    }

    // MARK: Waiting

    private func completion(of number: UInt64) async -> Result<HTTPResponse, HTTPError> {
        guard let transfer = transfers[number] else {
            return .failure(HTTPError(.cancelled, "the transfer is over", subject: "transfer \(number)"))
        }
        return await completion(of: transfer)
    }

    private func completion(of transfer: Transfer) async -> Result<HTTPResponse, HTTPError> {
        await cancelling(transfer.number) {
            if let result = transfer.result { return result }
            return await withCheckedContinuation { transfer.completionWaiter = $0 }
        }
    }

    private func head(of transfer: Transfer) async -> Result<HTTPHead, HTTPError> {
        await cancelling(transfer.number) {
            if transfer.isHeadComplete { return .success(transfer.head) }
            if let result = transfer.result { return result.map { _ in transfer.head } }
            return await withCheckedContinuation { transfer.headWaiter = $0 }
        }
    }

    /// The next bytes of a stream; nil at its end.
    func nextChunk(of number: UInt64) async throws(HTTPError) -> [UInt8]? {
        guard let transfer = transfers[number] else { return nil }
        guard transfer.chunkWaiter == nil else {
            throw HTTPError(.misuse, "two tasks read one stream", subject: transfer.request.subject)
        }
        let result: Result<[UInt8]?, HTTPError> = await cancelling(number) {
            if !transfer.received.isEmpty {
                let chunk = transfer.takeReceived()
                transfer.resumeReceiving()
                return .success(chunk)
            }
            if let result = transfer.result { return result.map { _ in nil } }
            return await withCheckedContinuation { transfer.chunkWaiter = $0 }
        }
        if case .success(.some(let chunk)) = result { return chunk }
        transfers[number] = nil
        return try result.get()
    }

    /// Forgets a stream whose reader has gone; callable from any thread.
    nonisolated func abandon(_ number: UInt64) {
        loop.schedule(at: Instant(nanoseconds: 0)) { [weak self] in
            self?.assumeIsolated { client in
                client.cancel(number)
                client.transfers[number] = nil
            }
        }
    }

    /// Runs `wait`; a cancellation of the task ends the transfer, which ends the wait.
    private func cancelling<Value>(_ number: UInt64, _ wait: () async -> Value) async -> Value {
        if transfers[number]?.request.cancellation == .ignored { return await wait() }
        return await withTaskCancellationHandler {
            await wait()
        } onCancel: { [loop] in
            // On the loop: the handler runs on the canceller's thread.
            loop.schedule(at: Instant(nanoseconds: 0)) { [weak self] in self?.assumeIsolated { $0.cancel(number) } }
        }
    }

    // MARK: Uploads

    private func pump(_ next: @Sendable () async throws -> [UInt8]?, into number: UInt64) async {
        do {
            while let bytes = try await next() {
                guard await offer(bytes, to: number) else { return }
            }
            _ = await offer(nil, to: number)
        } catch {
            if let transfer = transfers[number] { fail(transfer, .interrupted, "the body's source failed: \(error)") }
        }
    }

    /// Hands bytes to the transfer and waits for room; false when the transfer is over.
    private func offer(_ bytes: [UInt8]?, to number: UInt64) async -> Bool {
        guard let transfer = transfers[number], transfer.result == nil else { return false }
        if transfer.offer(bytes) { return true }
        return await withCheckedContinuation { transfer.uploadWaiter = $0 }
    }
}
