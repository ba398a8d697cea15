/// Takes standard output and standard error apart, which the engine sends in one stream.
///
/// Each frame: one byte for the stream (0 stdin, 1 stdout, 2 stderr), three zero bytes, four bytes of length (big endian),
/// then the payload. Frames and chunks of the connection begin anywhere.
struct StreamDemultiplexer {
    private(set) var output = ContainerOutput()
    private let limit: Int
    private var header: [UInt8] = []
    private var remaining = 0

    /// Each stream keeps its first `limit` bytes.
    init(limit: Int) {
        self.limit = limit
    }

    /// The connection ended within a frame: something is missing.
    var isWithinFrame: Bool { remaining > 0 || !header.isEmpty }

    mutating func append(_ chunk: [UInt8]) {
        var rest = chunk[...]
        while !rest.isEmpty {
            if remaining == 0 {
                let taken = rest.prefix(8 - header.count)
                header += taken
                rest = rest.dropFirst(taken.count)
                guard header.count == 8 else { return }
                remaining = header[4...].reduce(0) { $0 << 8 | Int($1) }
                if remaining == 0 { header = [] }
            } else {
                let taken = rest.prefix(remaining)
                keep(taken)
                rest = rest.dropFirst(taken.count)
                remaining -= taken.count
                if remaining == 0 { header = [] }
            }
        }
    }

    private mutating func keep(_ bytes: ArraySlice<UInt8>) {
        if header[0] == 2 {
            output.standardError += bytes.prefix(max(0, limit - output.standardError.count))
            output.totalError += bytes.count
        } else {
            output.standardOutput += bytes.prefix(max(0, limit - output.standardOutput.count))
            output.totalOutput += bytes.count
        }
    }
}
