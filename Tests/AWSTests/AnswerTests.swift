import Basics
import HTTP
import Testing

@testable import AWS

/// What services write, read as data: every form of error, documents cut short, values that nobody knows.
@Suite struct AnswerTests {
    @Test(
        arguments: [
            (
                AWSService.rds, 404,
                "<ErrorResponse xmlns=\"http://rds\"><Error><Type>Sender</Type><Code>DBClusterNotFoundFault</Code>"
                    + "<Message>no &lt;x&gt;</Message></Error><RequestId>r-1</RequestId></ErrorResponse>",
                [:], AWSError.Code.notFound, "DBClusterNotFoundFault", "no <x>", "r-1"
            ),
            (
                .ec2, 400,
                "<Response><Errors><Error><Code>IncorrectInstanceState</Code><Message>m</Message></Error></Errors>"
                    + "<RequestID>r-2</RequestID></Response>", [:], .state, "IncorrectInstanceState", "m", "r-2"
            ),
            (
                .ecs, 400, #"{"__type":"com.amazonaws.ecs#ClusterNotFoundException","message":"m"}"#,
                ["x-amzn-RequestId": "r-3"], .notFound, "ClusterNotFoundException", "m", "r-3"
            ),
            (
                .fis, 409, #"{"message":"m"}"#, ["x-amzn-errortype": "ConflictException:http://internal/"], .conflict,
                "ConflictException", "m", ""
            ),
            (
                .zonalShift, 409, #"{"message":"m","reason":"ZonalShiftAlreadyExists"}"#,
                ["x-amzn-errortype": "ConflictException"], .conflict, "ConflictException",
                "m (ZonalShiftAlreadyExists)", ""
            ),
            (
                .zonalShift, 429, "{}", ["x-amzn-errortype": "ThrottlingException"], .throttled, "ThrottlingException",
                "HTTP status 429", ""
            ),
            (
                .route53, 400,
                "<InvalidChangeBatch xmlns=\"x\"><Messages><Message>one</Message><Message>two</Message></Messages>"
                    + "<RequestId>r-4</RequestId></InvalidChangeBatch>", [:], .invalid, "InvalidChangeBatch",
                "one; two", "r-4"
            ),
            (
                .rds, 503, "<html><body>Service Unavailable</body></html>", [:], .server, "",
                "'<html><body>Service Unavailable</body></html>'", ""
            ),
            (
                .fis, 402, #"{"message":"m"}"#, ["x-amzn-errortype": "ServiceQuotaExceededException"], .quota,
                "ServiceQuotaExceededException", "m", ""
            ),
            (
                .elasticache, 400,
                "<ErrorResponse><Error><Code>APICallRateForCustomerExceeded</Code></Error></ErrorResponse>", [:],
                .quota, "APICallRateForCustomerExceeded", "HTTP status 400", ""
            ),
            (
                .rds, 400,
                "<ErrorResponse><Error><Code>SomethingNew</Code><Message>m</Message></Error></ErrorResponse>", [:],
                .invalid, "SomethingNew", "m", ""
            ),
            (.rds, 500, "", [:], .server, "", "empty", ""),
        ] as [(AWSService, Int, String, [String: String], AWSError.Code, String, String, String)])
    func anErrorIsRead(
        service: AWSService, status: Int, body: String, headers: [String: String], code: AWSError.Code, word: String,
        message: String, request: String
    ) throws {
        var fields = HTTPHeaders()
        for (name, value) in headers { fields.add(name, value) }
        let response = HTTPResponse(status: status, headers: fields, body: Array(body.utf8))
        let error = try #require(AnswerReader(service: service, subject: "s").failure(response))
        #expect(error.code == code)
        #expect(error.word == word)
        #expect(error.message == message)
        #expect(error.requestID == request)
    }

    @Test(arguments: [
        "<a><b></a>", "<a>", "", "no xml", "<a/><b/>", "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
        String(repeating: "<a>", count: 100) + String(repeating: "</a>", count: 100),
    ])
    func whatIsNoDocumentIsRefused(text: String) {
        #expect(throws: XMLReader.Malformed.self) { try XMLReader.read(Array(text.utf8)) }
    }

    @Test func elementsTextAndEntitiesAreRead() throws {
        let text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <x:R xmlns:x="urn:x" a="1"><L><member>1 &amp; 2</member><member><![CDATA[<raw>]]></member></L><E/><F>true</F></x:R>
            """
        let root = try XMLReader.read(Array(text.utf8))
        #expect(root.name == "R")
        #expect(root.list("L").map(\.text) == ["1 & 2", "<raw>"])
        #expect(root.string("E") == "" && root.string("Nothing") == nil)
        #expect(root.boolean("F") == true)
        #expect(root.document.contains("<member>1 &amp; 2</member>"))
    }

    @Test func aStateThatNobodyKnowsIsKept() {
        let node = XMLNode(
            "DBCluster",
            children: [
                XMLNode("DBClusterIdentifier", text: "c"), XMLNode("Status", text: "being-painted"),
            ])
        #expect(DatabaseCluster(node).status == "being-painted")
        #expect(!DatabaseCluster(node).isAvailable)
    }

    @Test func aRecordSetKeepsWhatWeDoNotKnow() throws {
        let text =
            "<ResourceRecordSet><Name>a.</Name><Type>A</Type><SetIdentifier>x</SetIdentifier><Weight>70</Weight>"
            + "<Novelty><Deep>1</Deep></Novelty><TTL>5</TTL></ResourceRecordSet>"
        let record = RecordSet(try XMLReader.read(Array(text.utf8)))
        #expect(try record.weighted(0).document == text.replacing("<Weight>70</Weight>", with: "<Weight>0</Weight>"))
    }
}
