import AWSSupport
import Basics
import HTTP
import TestSupport
import Testing

@testable import AWS

/// Our signatures against what AWS publishes, and against AWS's own signer over requests that hurt.
@Suite struct SignatureTests {
    private static let credentials = AWSCredentials(
        accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", source: "a test")

    /// The example that AWS's documentation of the signing process works through.
    @Test func theDocumentedExampleHasTheDocumentedSignature() {
        let signed = SignatureV4(region: "us-east-1", service: "iam").sign(
            "GET", path: "/", query: "Action=ListUsers&Version=2010-05-08",
            headers: [
                .init(name: "Content-Type", value: "application/x-www-form-urlencoded; charset=utf-8"),
                .init(name: "Host", value: "iam.amazonaws.com"), .init(name: "X-Amz-Date", value: "20150830T123600Z"),
            ], body: [], at: "20150830T123600Z", with: Self.credentials)
        let digest = Digest.hexadecimal(Digest.sha256(signed.canonicalRequest.utf8))
        #expect(digest == "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59")
        #expect(signed.signature == "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")
        #expect(
            signed.authorization
                == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
                + "SignedHeaders=content-type;host;x-amz-date, Signature=\(signed.signature)")
    }

    @Test(arguments: [
        ("/", "/"), ("", "/"), ("/a/../b/./c//", "/b/c/"), ("/%3A", "/%253A"), ("/a b", "/a%20b"), ("/~-_.", "/~-_."),
        ("/managedresources/arn%3Aaws%3Aelb", "/managedresources/arn%253Aaws%253Aelb"),
    ])
    func aPathIsNormalisedAndEncodedAgain(path: String, canonical: String) {
        #expect(SignatureV4.canonicalPath(path) == canonical)
    }

    @Test(arguments: [
        ("b=2&a=1", "a=1&b=2"), ("a=2&a=1", "a=1&a=2"), ("acl", "acl="), ("a=%2B", "a=%2B"), ("a=x%20y", "a=x%20y"),
        ("a=%c3%a9", "a=%C3%A9"), ("A=1&a=0&B=3", "A=1&B=3&a=0"), ("a=1%", "a=1%25"), ("a/b=c:d", "a%2Fb=c%3Ad"),
        ("", ""),
        // The encoded names are compared, not the raw ones.
        ("a%7Eb=1&a-b=2", "a-b=2&a~b=1"),
    ])
    func aQueryIsSortedAndEncodedOnce(query: String, canonical: String) {
        #expect(SignatureV4.canonicalQuery(query) == canonical)
    }

    @Test func generatedRequestsAreSignedAsAWSSignsThem() throws {
        var generator = SeededGenerator(seed: 20_261_129)
        let requests = (0..<400).map { _ in GeneratedRequest(&generator) }
        let folder = try TemporaryFolder()
        let file = try folder.write(try requests.map { try $0.line() }.joined(separator: "\n"), to: "requests")
        let oracle = "\(CloudServer.root)/Tests/AWSTests/Oracle/sign.py"
        let answers = try ChildProcess.run(["\(CloudServer.root)/scripts/lab/cloud/python", oracle, file])
            .split(separator: "\n").map { try JSONValue(parsing: String($0)) }
        try #require(answers.count == requests.count)
        for (request, answer) in zip(requests, answers) {
            let signed = request.signed(with: Self.credentials)
            #expect(signed.canonicalRequest == answer["canonical"]?.string)
            #expect(signed.signature == answer["signature"]?.string)
        }
    }
}

/// A request of the kinds that signers get wrong: ARNs in paths, unsorted and repeated queries, `+`, `%`, unicode, tokens.
private struct GeneratedRequest {
    private static let texts = [
        "plain", "a b", "a+b", "100%", "ü", "日本", "a/b", "a:b", "x=y", "~-_.", "UPPER", "",
        "arn:aws:rds:us-east-1:1:db:x",
        "a&b", "*", "(1)", "e\u{301}",
    ]

    let method: String
    let path: String
    let query: String
    let headers: [HTTPHeaders.Field]
    let body: [UInt8]
    let token: String?
    let service: String
    let region: String
    let time: String

    init(_ generator: inout SeededGenerator) {
        func text() -> String { Self.texts.randomElement(using: &generator) ?? "" }
        func some(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
        method = ["GET", "POST", "PUT", "DELETE", "PATCH"].randomElement(using: &generator) ?? "GET"
        let segments = (0..<some(0...3)).map { _ in percentEncoded(text()) }.filter { !$0.isEmpty }
        path = "/" + segments.joined(separator: "/") + (segments.isEmpty || some(0...2) > 0 ? "" : "/")
        query = (0..<some(0...4)).map { _ in
            "\(percentEncoded("k" + text()))=\(percentEncoded(text()))"
        }.joined(separator: "&")
        var headers = [HTTPHeaders.Field(name: "Host", value: "rds.us-east-1.amazonaws.com")]
        if some(0...1) == 1 { headers.append(.init(name: "Content-Type", value: "application/x-amz-json-1.1")) }
        if some(0...1) == 1 { headers.append(.init(name: "X-Amz-Target", value: "AmazonSSM.SendCommand")) }
        if some(0...1) == 1 { headers.append(.init(name: "X-Amz-Meta", value: "  two   words\twith  blanks ")) }
        if some(0...2) == 0 {
            for number in 0..<some(2...3) { headers.append(.init(name: "My-Header", value: "value\(number)")) }
        }
        self.headers = headers
        body = some(0...1) == 0 ? [] : (0..<some(1...60)).map { _ in UInt8.random(in: 0...255, using: &generator) }
        token = some(0...1) == 0 ? nil : "AQoDYXdzEPT//////////wEXAMPLE+token=="
        service = ["rds", "ec2", "monitoring", "arc-zonal-shift"].randomElement(using: &generator) ?? "rds"
        region = ["us-east-1", "eu-west-1", "cn-north-1"].randomElement(using: &generator) ?? "us-east-1"
        time = ["20150830T123600Z", "20261129T235959Z"].randomElement(using: &generator) ?? ""
    }

    /// The request for the oracle.
    func line() throws -> String {
        var fields: [String: JSONValue] = [
            "method": .string(method), "url": .string("https://rds.us-east-1.amazonaws.com\(path)?\(query)"),
            "headers": .array(
                headers.filter { $0.name != "Host" }.map { .array([.string($0.name), .string($0.value)]) }),
            "body": .string(Digest.hexadecimal(body)), "service": .string(service), "region": .string(region),
            "time": .string(time),
        ]
        if let token { fields["token"] = .string(token) }
        return try JSONValue.object(fields).text()
    }

    func signed(with credentials: AWSCredentials) -> SignatureV4.Signed {
        var all = headers + [.init(name: "X-Amz-Date", value: time)]
        if let token { all.append(.init(name: "X-Amz-Security-Token", value: token)) }
        return SignatureV4(region: region, service: service).sign(
            method, path: path, query: query, headers: all, body: body, at: time, with: credentials)
    }
}
