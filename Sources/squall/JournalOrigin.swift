internal import Contracts
internal import Journal

/// Where and when a journal was written, seen from here and now.
enum JournalOrigin: Equatable {
    case thisBoot
    /// This machine was restarted since: what its kernel held is gone, what engines, databases and clouds hold is not.
    case earlierBoot
    /// Another machine: its pids, namespaces and sockets mean something else here.
    case elsewhere(host: String)

    /// - Parameter accepted: a host whose journals are to be healed here on purpose, because it shared our engine.
    init(_ header: JournalHeader, on host: any Host, accepting accepted: String?) {
        let isOther = header.host != host.name || (header.machine != nil && header.machine != host.machine)
        if isOther, header.host != accepted {
            self = .elsewhere(host: header.host)
        } else {
            self = header.bootID == host.bootID ? .thisBoot : .earlierBoot
        }
    }
}
