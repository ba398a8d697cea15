package import Basics

extension LocalNetworkKernel {
    /// Tries each path up to three times; a path that got through once counts.
    package nonisolated func passing(
        _ paths: [ProbePath], of members: [NamespaceMember], within limit: Span
    ) async throws(NetworkError) -> Set<Int> {
        try await prober.passing(paths, of: members, within: limit)
    }

    package nonisolated func leaving(
        _ paths: [ProbePath], of members: [NamespaceMember]
    ) async throws(NetworkError) -> Set<Int> {
        try await prober.leaving(paths, of: members)
    }

    package nonisolated func stopped(
        _ paths: [ProbePath], of members: [NamespaceMember], mark: String
    ) async throws(NetworkError) -> Set<Int> {
        var met: Set<Int> = []
        for (index, path) in paths.enumerated() {
            let before = try await counted(by: mark, path.from)
            _ = try await prober.leaving([path], of: members)
            if try await hasCountedMore(than: before, by: mark, path.from) { met.insert(index) }
        }
        return met
    }

    /// A packet may wait for its next hop's hardware address before it meets the rule.
    private nonisolated func hasCountedMore(
        than before: Counted, by mark: String, _ member: Int
    ) async throws(NetworkError) -> Bool {
        let time = SystemTimeSource()
        let deadline = time.now + .milliseconds(300)
        while true {
            if try await counted(by: mark, member).packets > before.packets { return true }
            guard time.now < deadline else { return false }
            do {
                try await time.sleep(for: .milliseconds(5))
            } catch {
                return false
            }
        }
    }

    private func counted(by mark: String, _ member: Int) throws(NetworkError) -> Counted {
        guard let spaces = held[mark]?.spaces, spaces.indices.contains(member) else { return Counted() }
        return try spaces[member]?.counters() ?? Counted()
    }
}
