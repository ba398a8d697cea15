internal import Basics
internal import Experiment
internal import Glibc

/// What a reader of a report must know of the machine: no secret, no user name.
func machineDescription() -> [String: String] {
    var names = utsname()
    uname(&names)
    var facts = [
        "kernel": text(of: names.release), "architecture": text(of: names.machine), "host": text(of: names.nodename),
        "cores": "\(sysconf(Int32(_SC_NPROCESSORS_ONLN)))",
    ]
    if let branch = environment("GITHUB_SHA") { facts["commit"] = branch }
    if let stage = environment("TEST_ENVIRONMENT") { facts["test-environment"] = stage }
    return facts
}

private func text<Storage>(of field: Storage) -> String {
    withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}

/// FNV-1a, 64 bits: tells two texts apart; it is no protection against a person who wants them to look the same.
func digest(of text: String) -> String {
    let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return "fnv1a:" + String(hash, radix: 16)
}
