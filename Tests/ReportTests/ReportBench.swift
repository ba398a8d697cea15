import Basics
import Contracts
import FoundationEssentials
import Report
import Testing

/// Figures, not checks of speed: run with `SQUALL_BENCH=1 swift test -c release --filter ReportBench`.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["SQUALL_BENCH"] != nil, "measures, and takes its time"))
struct ReportBench {
    /// Ten minutes at a thousand operations a second: written, read back and made into a report by one process.
    @Test func tenMinutesAtAThousandASecondStayUnder128MiB() throws {
        let folder = "\(FileManager.default.temporaryDirectory.path)/squall-bench-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = "\(folder)/events.ndjson"
        let count = 600_000
        let time = SystemTimeSource()
        print("before: \(try memory("VmHWM")) MiB peak")

        let generated = time.now
        var ignored = 0
        _ = SyntheticRun.large(operations: count) { _ in ignored += 1 }
        let generation = time.now - generated

        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        let file = try #require(OpenFile(path))
        let began = time.now
        var encoder = EventLineEncoder()
        var buffer: [UInt8] = []
        let verdict = SyntheticRun.large(operations: count) { event in
            encoder.append(event, to: &buffer)
            if buffer.count > 65_536 {
                file.write(buffer)
                buffer.removeAll(keepingCapacity: true)
            }
        }
        file.write(buffer)
        let written = time.now - began - generation
        print(
            "written: \(written), \(written.nanoseconds / Int64(count)) ns per event, \(try memory("VmHWM")) MiB peak")

        let reading = time.now
        let (history, tally) = try EventFile.history(path)
        let read = time.now - reading
        #expect(tally.events == ignored && tally.malformed == 0)
        #expect(history.operations.count == count)
        print("read back: \(read), \(read.nanoseconds / Int64(count)) ns per event, \(try memory("VmHWM")) MiB peak")

        let rendering = time.now
        let files = try RunFiles.write(verdict, history, to: folder)
        print("rendered \(files.count) files: \(time.now - rendering), \(try memory("VmHWM")) MiB peak")
        let size = try FileManager.default.attributesOfItem(atPath: "\(folder)/report.html")[.size] as? Int ?? 0
        print("report.html: \(size / 1_024) KiB")

        var state = LiveState(LivePlan(title: "bench"))
        let applying = time.now
        for operation in history.operations { state.apply(.operation(operation)) }
        let applied = time.now - applying
        print("live state: \(applied.nanoseconds / Int64(count)) ns per event")
        #expect(try memory("VmHWM") < 128)
    }

    /// A line of `/proc/self/status` in MiB.
    private func memory(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) / 1_024
    }
}

/// A file that is only appended to.
private final class OpenFile {
    private let file: Descriptor

    init?(_ path: String) {
        guard let file = try? Descriptor(opening: path, flags: 1) else { return nil }
        self.file = file
    }

    func write(_ bytes: [UInt8]) {
        do { try file.writeAll(bytes) } catch { Issue.record("\(error)") }
    }
}
