internal import Contracts
internal import Glibc

/// Parts of the kernel that a shaping fault may find missing.
enum KernelFeature {
    /// What a rehearsal ran into, with the module that has it and what to type.
    static func refusal(of kind: String, _ error: NetworkError) -> FaultError {
        guard let module = module(error) else {
            return FaultError("try out \(kind)", on: "a network namespace of squall's own", error)
        }
        let helps =
            module == "sch_netem"
            ? "; network.loss without correlation or bursts, network.rate and network.blackhole work without it" : ""
        let release = release()
        let isModular = access("/lib/modules/\(release)", F_OK) == 0
        return FaultError(
            .notApplicable, "this kernel (\(release)) has no \(module), which \(kind) needs\(helps)",
            advice: isModular
                ? "modprobe \(module)"
                : "run squall on a kernel with CONFIG_\(option(module)); this one has no modules",
            underlying: error)
    }

    /// The module that the failed request would have used; nil when it failed for another reason.
    static func module(_ error: NetworkError) -> String? {
        // ENOENT: "Specified qdisc kind is unknown"; EOPNOTSUPP: "Unknown device type".
        guard error.errno == ENOENT || error.errno == EOPNOTSUPP else { return nil }
        let modules = [
            ("add netem", "sch_netem"), ("add tbf", "sch_tbf"), ("add the root htb", "sch_htb"),
            ("add an ifb link", "ifb"),
        ]
        if let found = modules.first(where: { error.operation.hasSuffix($0.0) }) { return found.1 }
        let expressions = [("[numgen]", "nft_numgen"), ("[fwd]", "nft_fwd_netdev")]
        return expressions.first { error.attribute.contains($0.0) }?.1
    }

    private static func option(_ module: String) -> String {
        module == "ifb" ? "IFB" : (module.hasPrefix("sch_") ? "NET_" : "") + module.uppercased()
    }

    private static func release() -> String {
        var names = utsname()
        guard uname(&names) == 0 else { return "unknown" }
        return withUnsafeBytes(of: names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
