/// Names the attribute that an offset into a request points at, as a path of numbers: `4.1[lookup].2`.
///
/// The kernel's text is often missing (a modular expression that is not built in answers ENOENT and nothing else), the
/// offset is there; the name of an expression, which stands beside it, says which feature of the kernel is missing.
enum AttributePath {
    /// - Parameters:
    ///   - message: the whole request with its header.
    ///   - header: bytes before the first attribute.
    static func describe(offset: Int, in message: ArraySlice<UInt8>, header: Int) -> String {
        var path: [String] = []
        var list = message.dropFirst(header)
        let target = message.startIndex + offset
        while let hit = attribute(at: target, in: list) {
            path.append("\(hit.number)\(name(in: hit.content).map { "[\($0)]" } ?? "")")
            // The offset is that of the attribute's own header.
            if hit.start == target { break }
            list = hit.content
        }
        return path.joined(separator: ".")
    }

    private static func attribute(at target: Int, in list: ArraySlice<UInt8>) -> NetlinkReader.Attribute? {
        NetlinkReader(list).attributes.first { $0.start <= target && target < $0.content.endIndex }
    }

    /// An expression begins with its name as attribute 1.
    private static func name(in content: ArraySlice<UInt8>) -> String? {
        guard let first = NetlinkReader(content).attributes.first, first.number == 1 else { return nil }
        let name = text(first.content)
        let isWord =
            name.utf8.count >= 3 && name.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
        return isWord && first.content.count == name.utf8.count + 1 ? name : nil
    }
}
