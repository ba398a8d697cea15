internal import CExpat

/// Builds a tree from XML with libexpat. A document type declaration is refused: no answer of AWS has one, and entities
/// are how a document grows or reads files.
final class XMLReader {
    /// What is wrong, and where.
    struct Malformed: Error, Hashable, CustomStringConvertible {
        var problem: String
        var line: Int

        var description: String { "line \(line): \(problem)" }
    }

    private static let deepest = 64

    private var open: [XMLNode] = []
    private var root: XMLNode?
    private var refusal: String?
    private let parser: XML_Parser

    /// The document's root element; throws for text that is cut short, not XML, or nested deeper than any answer is.
    static func read(_ bytes: [UInt8]) throws(Malformed) -> XMLNode {
        guard let parser = XML_ParserCreate("UTF-8") else { throw Malformed(problem: "out of memory", line: 0) }
        return try XMLReader(parser).parse(bytes)
    }

    private init(_ parser: XML_Parser) {
        self.parser = parser
        XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
        XML_SetElementHandler(parser, elementStarts, elementEnds)
        XML_SetCharacterDataHandler(parser, textComes)
        XML_SetStartDoctypeDeclHandler(parser, declarationStarts)
    }

    deinit {
        XML_ParserFree(parser)
    }

    private func parse(_ bytes: [UInt8]) throws(Malformed) -> XMLNode {
        let status = bytes.withUnsafeBytes { buffer in
            XML_Parse(parser, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(clamping: buffer.count), 1)
        }
        guard status == XML_STATUS_OK, refusal == nil, let root else {
            let text = XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) } ?? "not XML"
            throw Malformed(problem: refusal ?? text, line: Int(XML_GetCurrentLineNumber(parser)))
        }
        return root
    }

    // MARK: Called by expat, on the caller's thread

    fileprivate func begin(_ name: String) {
        guard open.count < Self.deepest else { return refuse("more than \(Self.deepest) elements deep") }
        // A prefix says the same as the namespace that we do not look at.
        open.append(XMLNode(name.split(separator: ":").last.map(String.init) ?? name))
    }

    fileprivate func end() {
        guard var node = open.popLast() else { return }
        // Between elements there is only the writer's layout.
        if !node.children.isEmpty { node.text = "" }
        guard let last = open.indices.last else {
            root = node
            return
        }
        open[last].children.append(node)
    }

    fileprivate func append(_ text: String) {
        guard let last = open.indices.last else { return }
        open[last].text += text
    }

    fileprivate func refuse(_ reason: String) {
        refusal = refusal ?? reason
        XML_StopParser(parser, XML_Bool(XML_FALSE))
    }
}

private func reader(_ context: UnsafeMutableRawPointer?) -> XMLReader? {
    context.map { Unmanaged<XMLReader>.fromOpaque($0).takeUnretainedValue() }
}

private func elementStarts(
    _ context: UnsafeMutableRawPointer?, _ name: UnsafePointer<XML_Char>?,
    _ attributes: UnsafeMutablePointer<UnsafePointer<XML_Char>?>?
) {
    if let name { reader(context)?.begin(String(cString: name)) }
}

private func elementEnds(_ context: UnsafeMutableRawPointer?, _ name: UnsafePointer<XML_Char>?) {
    reader(context)?.end()
}

private func textComes(_ context: UnsafeMutableRawPointer?, _ text: UnsafePointer<XML_Char>?, _ length: Int32) {
    guard let text else { return }
    let bytes = UnsafeRawBufferPointer(start: text, count: Int(length))
    reader(context)?.append(String(decoding: bytes, as: UTF8.self))
}

private func declarationStarts(
    _ context: UnsafeMutableRawPointer?, _ name: UnsafePointer<XML_Char>?, _ system: UnsafePointer<XML_Char>?,
    _ public: UnsafePointer<XML_Char>?, _ hasSubset: Int32
) {
    reader(context)?.refuse("a document type declaration, which no answer of AWS has")
}
