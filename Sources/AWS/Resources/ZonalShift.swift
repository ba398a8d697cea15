internal import Basics
internal import Contracts
internal import HTTP

/// A zonal shift as ListZonalShifts shows it.
struct ZonalShift: Sendable, Hashable {
    var id: String
    var awayFrom: String
    var comment: String
}

extension AWSAccess {
    /// Zone → weight, 0 where traffic is moved away from.
    func appliedWeights(_ arn: String) async throws(FaultError) -> [String: Double] {
        let call = AWSCall.rest(
            .zonalShift, "GetManagedResource", .get, "/managedresources/\(percentEncoded(arn))", .read)
        let answer = try await perform(call, "asking ARC for \(arn)")
        return (answer.json["appliedWeights"]?.object ?? [:]).compactMapValues(\.number)
    }

    /// Of one resource, or of all.
    func activeShifts(_ arn: String?) async throws(FaultError) -> [ZonalShift] {
        var found: [ZonalShift] = []
        try await pages("listing zonal shifts") { marker in
            var query = [(name: "status", value: "ACTIVE")]
            if let arn { query.append((name: "resourceIdentifier", value: arn)) }
            if let marker { query.append((name: "nextToken", value: marker)) }
            return .rest(.zonalShift, "ListZonalShifts", .get, "/zonalshifts", query: query, .read)
        } next: {
            $0.json["nextToken"]?.string
        } _: { answer in
            let items = answer.json["items"]?.array ?? []
            for item in items where item["status"]?.string == "ACTIVE" {
                guard arn == nil || item["resourceIdentifier"]?.string == arn else { continue }
                found.append(
                    ZonalShift(
                        id: item["zonalShiftId"]?.string ?? "", awayFrom: item["awayFrom"]?.string ?? "",
                        comment: item["comment"]?.string ?? ""))
            }
        }
        return found
    }
}
