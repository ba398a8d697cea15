internal import Basics
internal import Contracts

/// One look at a cluster, as the history and the timeline get it.
struct ClusterView: Sendable {
    let cluster: DatabaseCluster

    var writers: [String] { cluster.members.filter(\.isWriter).map(\.instance) }

    /// The one that writes; nil when the list shows none, or several.
    var writer: String? { writers.count == 1 ? writers.first : nil }

    /// A sample for each member, and one for each that was seen before and is listed no more.
    func samples(_ probe: Label, known: Set<String>, sent: Instant, end: Instant) -> [StateSample] {
        func sample(_ instance: String, _ state: Label, _ detail: String) -> StateSample {
            StateSample(
                probe: probe, node: Label(instance), sent: sent, end: end, state: state, identity: Label(cluster.arn),
                detail: Label(detail))
        }
        let members = cluster.members.map { member in
            sample(member.instance, member.isWriter ? StateSample.primary : StateSample.replica, cluster.status)
        }
        let missing = known.subtracting(cluster.members.map(\.instance)).sorted()
        return members + missing.map { sample($0, StateSample.unreachable, "not listed") }
    }

    /// What is otherwise than at the last look.
    func news(_ notes: inout ChangeNotes) -> [String] {
        let endpoint = cluster.endpoint + (cluster.port.map { ":\($0)" } ?? "")
        let who = writers.isEmpty ? "nobody" : writers.joined(separator: " and ")
        return [
            notes.news("cluster \(cluster.id)", cluster.status),
            notes.news("the writer of \(cluster.id)", who),
            notes.news("the writer endpoint of \(cluster.id)", cluster.endpoint.isEmpty ? "none" : endpoint),
        ].compactMap { $0 }
    }
}
