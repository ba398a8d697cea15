package import Basics
internal import Glibc

/// How many connections a ledger may need, and how many it may have.
package struct PoolSizing: Sendable, Hashable {
    /// Connections that a complete stall of one timeout would hold.
    package var needed: Int
    /// What server and process can hold beside what they hold already.
    package var available: Int

    package init(needed: Int, available: Int) {
        self.needed = needed
        self.available = available
    }

    package var limit: Int { min(needed, available) }

    /// Below this the ledger would measure its own pool and not the system: a tenth of what a stall needs, at least 4.
    package var isUseless: Bool { available < max(4, needed / 10) }

    /// How long a complete stall may last before arrivals find no connection and count as failed.
    package func endurance(rate: Rate) -> Span { Span(seconds: Double(limit) / rate.perSecond) }

    /// rate × timeout, and a tenth (at least 8) for connections that are just being opened or closed.
    package static func needed(rate: Rate, timeout: Span) -> Int {
        let stalled = Int((rate.perSecond * timeout.seconds).rounded(.up))
        return stalled + max(8, stalled / 10)
    }

    /// What a server's answer to `capacityQuery` leaves for us; a few are left to the people who come to look.
    package static func available(
        maximum: Int64, reserved: Int64, used: Int64, descriptors: Int = raisedDescriptorLimit()
    ) -> Int {
        max(0, min(Int(maximum - reserved - used) - 8, descriptors - 128))
    }

    /// `max_connections`, those kept for superusers, and the client connections there are.
    package static let capacityQuery = """
        SELECT current_setting('max_connections'), current_setting('superuser_reserved_connections'),
               (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')
        """
}

/// Raises this process's limit of open files to what it may have, and returns it: each connection is one descriptor.
package func raisedDescriptorLimit() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
    let wanted = rlimit(rlim_cur: min(limit.rlim_max, 65_536), rlim_max: limit.rlim_max)
    var raised = wanted
    if wanted.rlim_cur > limit.rlim_cur, setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 {
        return Int(clamping: wanted.rlim_cur)
    }
    return Int(clamping: limit.rlim_cur)
}
