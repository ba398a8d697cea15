/// Understands the kernel's answers to one batch; reads no socket.
///
/// On failure every bad request is answered with an error of its own, and the last one is still acknowledged with 0
/// although nothing was committed: the result is the first error. Without CAP_NET_ADMIN the kernel answers the batch's
/// begin and nothing else: whoever waits for the last request then waits in vain.
struct BatchConversation {
    private let batch: NetlinkBatch
    /// Bytes of a request before its first attribute.
    private let header: Int
    private var failure: NetworkError?

    init(_ batch: NetlinkBatch, header: Int) {
        self.batch = batch
        self.header = header
    }

    /// Takes one datagram; nil while more answers are to come.
    mutating func receive(_ datagram: [UInt8]) -> Result<Void, NetworkError>? {
        for message in NetlinkReader(datagram[...]).messages {
            guard let answer = Acknowledgement(message), let request = batch.requests[answer.sequence] else { continue }
            if answer.errno != 0, failure == nil { failure = error(answer, request) }
            let isRefused = answer.errno != 0 && answer.sequence == batch.first
            if answer.sequence == batch.last || isRefused { return failure.map(Result.failure) ?? .success(()) }
        }
        return nil
    }

    private func error(_ answer: Acknowledgement, _ request: NetlinkBatch.Request) -> NetworkError {
        let path = answer.offset.map {
            AttributePath.describe(offset: Int($0), in: batch.bytes[request.range], header: header)
        }
        return NetworkError(
            "\(batch.operation): \(request.name)", errno: answer.errno, kernelText: answer.text, attribute: path ?? "")
    }
}
