internal import Contracts
internal import HTTP

/// One record set of Route 53, whole: the undo of a change is the record as it was.
struct RecordSet: Sendable, Hashable, Codable {
    /// With its dot at the end, special characters as `\052`.
    var name: String
    var type: String
    /// The one of several with the same name; nil for a simple record.
    var setIdentifier: String?
    /// The set's XML as Route 53 gave it, so that nothing of it is lost that we do not know.
    var document: String

    init(_ node: XMLNode) {
        name = node.string("Name") ?? ""
        type = node.string("Type") ?? ""
        setIdentifier = node.string("SetIdentifier")
        document = node.document
    }

    /// The same with another weight.
    func weighted(_ weight: Int) throws(FaultError) -> RecordSet {
        var node = try tree()
        guard let index = node.children.firstIndex(where: { $0.name == "Weight" }) else {
            throw FaultError(.notApplicable, "record \(name) \(type) has no weight: it is not of the weighted kind")
        }
        node.children[index].text = "\(weight)"
        return RecordSet(node)
    }

    func weight() throws(FaultError) -> Int64? { try tree().integer("Weight") }

    private func tree() throws(FaultError) -> XMLNode {
        do throws(XMLReader.Malformed) {
            return try XMLReader.read(Array(document.utf8))
        } catch {
            throw FaultError(.unexpected, "the kept record \(name) cannot be read: \(error)")
        }
    }
}

extension XMLNode {
    /// The element as XML, without namespaces.
    var document: String {
        let content = children.isEmpty ? escaped(text) : children.map(\.document).joined()
        return "<\(name)>\(content)</\(name)>"
    }
}

/// Text between tags.
func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
}

extension AWSAccess {
    /// One record set; throws `notFound` when the zone has none such.
    func record(
        _ name: String, _ type: String, _ identifier: String?, zone: String
    ) async throws(FaultError) -> RecordSet {
        let name = name.hasSuffix(".") ? name.lowercased() : "\(name.lowercased())."
        var query = [(name: "name", value: name), (name: "type", value: type)]
        if let identifier { query.append((name: "identifier", value: identifier)) }
        let call = AWSCall.rest(
            .route53, "ListResourceRecordSets", .get, "/2013-04-01/hostedzone/\(percentEncoded(zone))/rrset",
            query: query, .read)
        // The list begins there; it goes on with what comes after.
        let sets = try await perform(call, "reading the records of \(zone)").xml.list("ResourceRecordSets")
            .map { RecordSet($0) }
        let found = sets.first {
            $0.name == name && $0.type == type && (identifier ?? $0.setIdentifier) == $0.setIdentifier
        }
        guard let found else {
            let which = identifier.map { " (\($0))" } ?? ""
            throw FaultError(
                .notFound, "hosted zone \(zone) has no record \(name) \(type)\(which)",
                advice: "aws route53 list-resource-record-sets --hosted-zone-id \(zone)")
        }
        return found
    }

    /// Writes a record set whole; returns the change's identifier.
    func write(_ record: RecordSet, zone: String, comment: String) async throws(FaultError) -> String {
        let namespace = "https://route53.amazonaws.com/doc/2013-04-01/"
        let xml =
            "<ChangeResourceRecordSetsRequest xmlns=\"\(namespace)\"><ChangeBatch><Comment>\(escaped(comment))</Comment>"
            + "<Changes><Change><Action>UPSERT</Action>\(record.document)</Change></Changes></ChangeBatch>"
            + "</ChangeResourceRecordSetsRequest>"
        // An upsert says what shall be there: sent twice it is the same.
        let call = AWSCall.rest(
            .route53, "ChangeResourceRecordSets", .post, "/2013-04-01/hostedzone/\(percentEncoded(zone))/rrset/",
            body: .xml(xml), .idempotent)
        let answer = try await perform(call, "changing \(record.name) \(record.type)")
        return answer.xml.first("ChangeInfo")?.string("Id") ?? ""
    }

    /// Whether Route 53's servers all have a change.
    func isInSync(_ change: String) async throws(FaultError) -> Bool {
        let id = change.split(separator: "/").last.map(String.init) ?? change
        let call = AWSCall.rest(.route53, "GetChange", .get, "/2013-04-01/change/\(percentEncoded(id))", .read)
        let answer = try await perform(call, "asking for change \(id)")
        return answer.xml.first("ChangeInfo")?.string("Status") == "INSYNC"
    }
}
