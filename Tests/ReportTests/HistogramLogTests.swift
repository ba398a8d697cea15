import Basics
import Contracts
import FoundationEssentials
import Report
import Testing

/// The log is read back by a decoder of the published format written here, apart from the encoder.
@Suite struct HistogramLogTests {
    @Test func everyArrivalIsInTheLogWithItsLatencyToThreeDigits() throws {
        let report = RunReport(SyntheticRun.failover.verdict, SyntheticRun.failover.history)
        let file = try #require(HistogramLog.files(report).first)
        #expect(file.name == "orders.hlog")
        var total: Int64 = 0
        var sum = 0.0
        var tags: Set<String> = []
        for line in file.text.split(separator: "\n") where line.hasPrefix("Tag=") {
            let fields = line.split(separator: ",")
            #expect(fields.count == 5)
            tags.insert(String(fields[0]))
            for (value, count) in try decode(String(fields[4])) {
                total += count
                sum += value * Double(count)
            }
        }
        let operations = SyntheticRun.failover.history.operations
        #expect(tags == ["Tag=fresh", "Tag=kept"])
        #expect(total == Int64(operations.count))
        let expected = operations.reduce(0.0) { $0 + Double($1.latency.nanoseconds) }
        #expect(abs(sum / expected - 1) < 0.001)
    }

    @Test func theEncodingIsTheOneOfTheFormat() throws {
        let at = SyntheticRun.at(1)
        let operation = Operation(
            probe: "web site", path: .none, action: .check, sequence: 1, due: at, sent: at, end: at + .milliseconds(5),
            outcome: .ok)
        let report = RunReport(SyntheticRun.empty.verdict, History([.operation(operation)]))
        let file = try #require(HistogramLog.files(report).first)
        #expect(file.name == "web-site-1.hlog")
        let line = try #require(file.text.split(separator: "\n").last)
        #expect(line.hasPrefix("1,1,5,HISTF"))
        let values = try decode(String(line.split(separator: ",")[3]))
        #expect(values.count == 1 && values[0].count == 1)
        #expect(abs(values[0].value / 5e6 - 1) < 0.001)
    }

    private struct Malformed: Error {}

    /// Middle of each bucket in nanoseconds, and its count.
    private func decode(_ text: String) throws -> [(value: Double, count: Int64)] {
        let outer = [UInt8](try #require(Data(base64Encoded: text)))
        guard number(outer[0..<4]) == 0x1C84_9314, number(outer[4..<8]) == outer.count - 8 else { throw Malformed() }
        let inner = try inflate(Array(outer[8...]))
        guard number(inner[0..<4]) == 0x1C84_9313, number(inner[4..<8]) == inner.count - 40,
            number(inner[12..<16]) == 3,
            number(inner[16..<24]) == 1_000
        else { throw Malformed() }
        var values: [(value: Double, count: Int64)] = []
        var index = 0
        var rest = inner[40...]
        while !rest.isEmpty {
            let count = try varint(&rest)
            if count > 0 { values.append((middle(index), count)) }
            index += count < 0 ? Int(-count) : 1
        }
        return values
    }

    private func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

    /// Stored blocks only; checks lengths and the checksum.
    private func inflate(_ stream: [UInt8]) throws -> [UInt8] {
        guard number(stream[0..<2]) % 31 == 0, stream[0] & 15 == 8 else { throw Malformed() }
        var bytes: [UInt8] = []
        var place = 2
        while true {
            let isLast = stream[place] == 1
            let count = Int(stream[place + 1]) | Int(stream[place + 2]) << 8
            let check = Int(stream[place + 3]) | Int(stream[place + 4]) << 8
            guard stream[place] & 6 == 0, count ^ check == 0xFFFF else { throw Malformed() }
            bytes += stream[place + 5..<place + 5 + count]
            place += 5 + count
            if isLast { break }
        }
        var (low, high) = (1, 0)
        for byte in bytes {
            low = (low + Int(byte)) % 65_521
            high = (high + low) % 65_521
        }
        guard number(stream[place...]) == high << 16 | low else { throw Malformed() }
        return bytes
    }

    private func varint(_ bytes: inout ArraySlice<UInt8>) throws -> Int64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = bytes.popFirst() {
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
            shift += 7
        }
        throw Malformed()
    }

    /// The inverse of the layout: 2,048 steps of 512 ns, then 1,024 steps of twice the size in each further bucket.
    private func middle(_ index: Int) -> Double {
        var bucket = index / 1_024 - 1
        var step = index % 1_024 + 1_024
        if bucket < 0 {
            step -= 1_024
            bucket = 0
        }
        let width = 512.0 * Double(Int64(1) << Int64(bucket))
        return (Double(step) + 0.5) * width
    }
}
