import Basics
import Contracts
import Experiment
import Testing

@testable import AWS

/// Answers of AWS and declarations of files as values, for what is decided without a server.
enum ProbeFixture {
    static let begin = WallInstant(nanoseconds: 1_700_000_000_000_000_000)

    static func instant(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    static func xml(_ text: String) throws -> XMLNode { try XMLReader.read(Array(text.utf8)) }

    /// `members`: instances with whether they have the writer's flag.
    static func cluster(
        _ status: String, _ members: [(String, Bool)], endpoint: String = "orders.cluster-abc", engine: String = ""
    ) throws -> DatabaseCluster {
        let list = members.map { name, isWriter in
            "<DBClusterMember><DBInstanceIdentifier>\(name)</DBInstanceIdentifier>"
                + "<IsClusterWriter>\(isWriter)</IsClusterWriter></DBClusterMember>"
        }
        return DatabaseCluster(
            try xml(
                "<DBCluster><DBClusterIdentifier>orders</DBClusterIdentifier><DBClusterArn>arn:c</DBClusterArn>"
                    + "<Status>\(status)</Status><Endpoint>\(endpoint)</Endpoint><Port>5432</Port>"
                    + "<Engine>\(engine)</Engine><DBClusterMembers>\(list.joined())</DBClusterMembers></DBCluster>"))
    }

    static func event(_ source: String, _ message: String, _ date: String) throws -> ServiceEvent {
        try #require(
            ServiceEvent(
                try xml(
                    "<Event><SourceIdentifier>\(source)</SourceIdentifier><SourceType>db-cluster</SourceType>"
                        + "<Message>\(message)</Message><Date>\(date)</Date></Event>")))
    }

    static func compute(_ id: String, _ state: String) throws -> ComputeInstance {
        ComputeInstance(
            try xml(
                "<item><instanceId>\(id)</instanceId><instanceState><name>\(state)</name></instanceState></item>"))
    }

    // MARK: Declarations

    static func word(_ text: String) -> Node {
        .scalar(.init(text, isQuoted: true, at: Location(file: "t", line: 1, column: 1)))
    }

    static func words(_ texts: String...) -> Node {
        .sequence(texts.map(word), Location(file: "t", line: 1, column: 1))
    }

    /// The probe of a declaration, and what is wrong with it.
    static func read<Kind: Probe>(_ type: Kind.Type, _ entries: [(String, Node)]) -> (probe: Kind?, findings: [String])
    {
        let place = Location(file: "t", line: 1, column: 1)
        var diagnostics = Diagnostics()
        let node = Node.mapping(.init(entries.map { .init($0.0, at: place, $0.1) }, at: place))
        let probe = ParameterReader.read(node, type.parameters, into: &diagnostics) { Kind(name: "p", from: &$0) }
        return (probe, diagnostics.all.map(\.message))
    }
}
