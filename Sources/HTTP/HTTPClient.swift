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
        let number = transfer.number
        guard case .streamed(_, let next) = request.body else { return try await completion(of: number).get() }
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
            let head = try await head(of: transfer.number).get()
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

    /// Transfers under way, and streams that are not read to their end.
    package var transferCount: Int { transfers.count }

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
        let isAwaited = transfer.completionWaiter != nil
        transfer.completionWaiter?.resume(returning: result)
        transfer.completionWaiter = nil
        transfer.headWaiter?.resume(returning: result.map { _ in transfer.head })
        transfer.headWaiter = nil
        transfer.chunkWaiter?.resume(returning: result.map { _ in nil })
        transfer.chunkWaiter = nil
        // A stream stays until its reader has taken the rest, a result until the sender has come to wait for it.
        if case .gathered = transfer.kind, isAwaited { transfers[transfer.number] = nil }
    }

    // MARK: Waiting
    //
    // Every wait is a method of the actor: a closure handed to `withTaskCancellationHandler` that captures no isolated
    // `self` runs on the cooperative pool, and its continuation then races the loop.

    private func completion(of number: UInt64) async -> Result<HTTPResponse, HTTPError> {
        if transfers[number]?.request.cancellation == .ignored { return await untilComplete(number) }
        return await withTaskCancellationHandler {
            await self.untilComplete(number)
        } onCancel: {
            cancelFromAnyThread(number)
        }
    }

    private func untilComplete(_ number: UInt64) async -> Result<HTTPResponse, HTTPError> {
        guard let transfer = transfers[number] else {
            return .failure(HTTPError(.misuse, "nobody knows this transfer", subject: "transfer \(number)"))
        }
        if let result = transfer.result {
            transfers[number] = nil
            return result
        }
        return await withCheckedContinuation { transfer.completionWaiter = $0 }
    }

    private func head(of number: UInt64) async -> Result<HTTPHead, HTTPError> {
        if transfers[number]?.request.cancellation == .ignored { return await untilHead(number) }
        return await withTaskCancellationHandler {
            await self.untilHead(number)
        } onCancel: {
            cancelFromAnyThread(number)
        }
    }

    private func untilHead(_ number: UInt64) async -> Result<HTTPHead, HTTPError> {
        guard let transfer = transfers[number] else {
            return .failure(HTTPError(.misuse, "nobody knows this transfer", subject: "transfer \(number)"))
        }
        if transfer.isHeadComplete { return .success(transfer.head) }
        if let result = transfer.result { return result.map { _ in transfer.head } }
        return await withCheckedContinuation { transfer.headWaiter = $0 }
    }

    /// The next bytes of a stream; nil at its end.
    func nextChunk(of number: UInt64) async throws(HTTPError) -> [UInt8]? {
        let result = await withTaskCancellationHandler {
            await self.untilChunk(number)
        } onCancel: {
            cancelFromAnyThread(number)
        }
        if case .success(.some(let chunk)) = result { return chunk }
        // The end or a failure was handed over; a second reader's misuse leaves the first one alone.
        if transfers[number]?.result != nil { transfers[number] = nil }
        return try result.get()
    }

    private func untilChunk(_ number: UInt64) async -> Result<[UInt8]?, HTTPError> {
        guard let transfer = transfers[number] else { return .success(nil) }
        if !transfer.received.isEmpty {
            let chunk = transfer.takeReceived()
            transfer.resumeReceiving()
            return .success(chunk)
        }
        if let result = transfer.result { return result.map { _ in nil } }
        guard transfer.chunkWaiter == nil else {
            return .failure(HTTPError(.misuse, "two tasks read one stream", subject: transfer.request.subject))
        }
        return await withCheckedContinuation { transfer.chunkWaiter = $0 }
    }

    /// A cancellation comes on the canceller's thread; the transfer ends on the loop, and with it the wait.
    private nonisolated func cancelFromAnyThread(_ number: UInt64) {
        loop.schedule(at: Instant(nanoseconds: 0)) { [weak self] in self?.assumeIsolated { $0.cancel(number) } }
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
