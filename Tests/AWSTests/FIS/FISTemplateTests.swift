import Basics
import Experiment
import Testing

@testable import AWS

/// What is taken for a template of FIS, and what is said of anything else.
@Suite struct FISTemplateTests {
    @Test func theAnswerOfGetExperimentTemplateAndTheBareInputAreOneTemplate() throws {
        let bare = "{\"actions\": {\"w\": {\"actionId\": \"aws:fis:wait\", \"parameters\": {\"duration\": \"PT1M\"}}}}"
        let wrapped = "{\"experimentTemplate\": \(bare)}"
        #expect(try FISTemplate(parsing: bare) == FISTemplate(parsing: wrapped))
    }

    @Test func whatFISItselfMakesIsNotWritten() throws {
        let template = try FISTemplate(parsing: FISFixture.everything)
        #expect(template.document["id"] != nil)
        #expect(Set(template.document.keys).subtracting(template.writable.document.keys) == FISTemplate.readOnly)
    }

    @Test(arguments: [
        ("nonsense", "this is no JSON"),
        ("{}", "this is no FIS experiment template: no 'actions'"),
        ("{\"Resources\": {}}", "this is CloudFormation's form of a template"),
        ("{\"actions\": []}", "'actions' must be an object of names"),
        ("{\"actions\": {\"a\": {}}}", "action 'a' has no actionId"),
        (
            "{\"actions\": {\"a\": {\"actionId\": \"aws:fis:wait\", \"parameters\": {\"duration\": \"5m\"}}}}",
            "action 'a' says no length of time to wait (PT5M)"
        ),
        (
            "{\"actions\": {\"a\": {\"actionId\": \"x\", \"startAfter\": [\"b\"]}}}",
            "action 'a' starts after 'b', which is not there"
        ),
        (
            "{\"actions\": {\"a\": {\"actionId\": \"x\", \"targets\": {\"Instances\": \"t\"}}}}",
            "action 'a' has the target 't', which is not there"
        ),
        (
            """
            {"actions": {"a": {"actionId": "x", "startAfter": ["b"]}, "b": {"actionId": "x", "startAfter": ["a"]}}}
            """, "these actions wait for each other: a, b, a"
        ),
    ])
    func whatIsNoTemplateIsRefusedWithTheReason(text: String, message: String) {
        do throws(InvalidInput) {
            _ = try FISTemplate(parsing: text)
            Issue.record("accepted: \(text)")
        } catch {
            #expect(error.diagnostics.map(\.message) == [message])
        }
    }

    @Test func everyMistakeIsNamedAtOnce() {
        let text = "{\"actions\": {\"a\": {\"startAfter\": [\"b\"]}, \"c\": {\"actionId\": \"\"}}, \"targets\": 5}"
        do throws(InvalidInput) {
            _ = try FISTemplate(parsing: text)
            Issue.record("accepted")
        } catch {
            #expect(error.diagnostics.count == 4, "\(error.diagnostics.map(\.message))")
        }
    }

    @Test func printedForPeopleItIsTheSameDocument() throws {
        let template = try FISTemplate(parsing: FISFixture.everything)
        let text = try JSONLayout(order: FISTemplate.keyOrder).text(.object(template.document))
        #expect(try FISTemplate(parsing: text) == template)
        #expect(text.hasPrefix("{\n  \"description\""))
    }
}
