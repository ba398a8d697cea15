import Basics
import Glibc
import Process
import Testing

/// No room for the journal: nothing new is injected, and what is injected is healed all the same.
@Suite struct FullDiskTests {
    @Test(arguments: 1...12)
    func aDiskThatIsFullFromAnyCallOnLeavesNoFault(call: Int) async throws {
        let plan = CrashPlan(role: .controller, call: call, action: .full)
        try await Crash.with([.flag, .freeze], "\(plan)") { crash in
            let run = try await crash.space.squall(try crash.experiment(), plan)
            let isFull = crash.space.crashLog.shows(.full)
            #expect(
                (isFull ? [.exited(3), .exited(5)] : [.exited(0)]).contains(run.ending), "\(crash.label): \(run.text)")
            #expect(try await crash.isWhole(within: .seconds(2)), "\(crash.label): a fault is left")
            let isOver = try await eventually(within: .seconds(15)) { crash.space.medics.isEmpty }
            #expect(isOver, "\(crash.label): the medic does not end")
            // There is room again: what the journal could not be told is found out and written down.
            try await crash.recover(.nobody)
            try await crash.expectUsable()
        }
    }

    @Test func aMedicHealsOnADiskThatIsFull() async throws {
        try #require(getuid() == 0, "a small file system can be mounted only by root")
        try await Crash.with([.flag, .freeze], "the disk is full when the controller dies") { crash in
            let disk = try await SmallDisk(at: crash.space.runs)
            let controller = try crash.space.start(try crash.experiment(duration: .seconds(60)))
            _ = try await crash.faultyMedic()
            try disk.fill()
            try controller.send(SIGKILL)
            #expect(try await crash.isWhole(within: .seconds(2)), "the medic needs room to heal")
            let isOver = try await eventually(within: .seconds(15)) { crash.space.medics.isEmpty }
            #expect(isOver, "the medic does not end")
            disk.makeRoom()
            try await crash.recover(.nobody)
            try await crash.expectUsable()
            try await disk.remove()
        }
    }
}

/// A file system of a few pages over a folder.
private struct SmallDisk {
    let path: String

    init(at path: String) async throws {
        self.path = path
        try #require(mkdir(path, 0o755) == 0)
        try await command(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", path])
    }

    func fill() throws {
        let file = try Descriptor(opening: "\(path)/ballast", flags: O_WRONLY | O_CREAT)
        let page = [UInt8](repeating: 0, count: 4_096)
        while write(file.number, page, page.count) > 0 {}
        try #require(errno == ENOSPC)
    }

    func makeRoom() { unlink("\(path)/ballast") }

    func remove() async throws { try await command(["umount", path]) }

    private func command(_ arguments: [String]) async throws {
        let result = try await LocalCommandRunner().run(
            Command(arguments), until: SystemTimeSource().now + .seconds(10))
        try #require(result.exitCode == 0, "\(arguments): \(result.errors.text)")
    }
}

extension Crash {
    /// Nothing is left, and the next run works.
    func expectUsable() async throws {
        let left = try await damage()
        #expect(left.isEmpty, "\(label): \(left)")
        let listed = try await listedLeftovers()
        #expect(listed == nil, "\(label): \(listed ?? "")")
        let next = try await space.squall(try experiment(duration: .milliseconds(50)))
        #expect(next.ending == .exited(0), "\(label), the next run: \(next.text)")
    }
}
