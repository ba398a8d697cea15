internal import Basics
internal import Contracts

/// What RDS or ElastiCache says that happened. Their events have no identifiers.
struct ServiceEvent: Sendable, Hashable {
    /// `db-cluster`, `db-instance`, `replication-group`, …
    var sourceType: String
    /// The resource's identifier.
    var source: String
    var message: String
    var categories: [String]
    /// By AWS's clock.
    var date: WallInstant

    init?(_ node: XMLNode) {
        guard let date = node.string("Date").flatMap({ WallInstant(parsingISO8601: $0) }) else { return nil }
        self.date = date
        sourceType = node.string("SourceType") ?? ""
        source = node.string("SourceIdentifier") ?? ""
        message = node.string("Message") ?? ""
        categories = node.list("EventCategories").map(\.text)
    }
}

extension AWSAccess {
    /// Events since an instant, oldest first. AWS keeps them for fourteen days.
    func events(_ service: AWSService, since: WallInstant) async throws(FaultError) -> [ServiceEvent] {
        var found: [ServiceEvent] = []
        // Whole seconds: a fraction is refused by some of the services.
        let start = "\(since.iso8601.prefix(19))Z"
        try await pages("asking for events") { marker in
            let fields = [("StartTime", start)] + (marker.map { [("Marker", $0)] } ?? [])
            return .query(service, "DescribeEvents", fields, .read)
        } next: {
            $0.xml.string("Marker")
        } _: { answer in
            found += answer.xml.list("Events").compactMap { ServiceEvent($0) }
        }
        return found.sorted { $0.date.nanoseconds < $1.date.nanoseconds }
    }
}
