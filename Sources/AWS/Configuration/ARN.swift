/// The name of a resource: `arn:aws:rds:us-east-1:123456789012:cluster:orders`.
package struct ARN: Sendable, Hashable, CustomStringConvertible {
    package let text: String
    let partition: String
    let service: String
    /// nil: the resource is of no region.
    package let region: String?
    let account: String
    /// `cluster:orders`, `loadbalancer/app/shop/50dc6c495c0c9188`
    let resource: String

    /// nil when the text is no ARN.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", !parts[1].isEmpty, !parts[2].isEmpty, !parts[5].isEmpty else {
            return nil
        }
        self.text = text
        partition = String(parts[1])
        service = String(parts[2])
        region = parts[3].isEmpty ? nil : String(parts[3])
        account = String(parts[4])
        resource = String(parts[5])
    }

    /// The resource's own name: what comes after its type.
    package var name: String { resource.split { $0 == ":" || $0 == "/" }.last.map(String.init) ?? resource }

    package var description: String { text }
}
