import Basics
import Contracts
import FoundationEssentials
import Report
import Testing

/// The promise that people and machines are shown one model: every output is read back and compared.
@Suite struct AgreementTests {
    @Test(arguments: 0..<4)
    func everyOutputShowsTheSameFigures(index: Int) throws {
        let run = SnapshotTests.runs[index].run
        let report = RunReport(run.verdict, run.history)
        let json = try JSONDecoder().decode(JSONValue.self, from: Data(VerdictJSON.text(report).utf8))
        let junit = JUnitXML.text(report)
        let markdown = MarkdownSummary.text(report)
        let page = HTMLReport.text(report)
        let terminal = TerminalVerdict.lines(report, files: [], width: 200).joined(separator: "\n")

        let verdict = try #require(json["verdict"]?.string)
        #expect(verdict == run.verdict.verdict.rawValue)
        #expect(markdown.hasPrefix("**\(verdict.uppercased())**"))
        #expect(terminal.hasPrefix(" \(verdict.uppercased()) "))
        #expect(
            page.contains("id=\"verdict\">\(verdict.uppercased())<small>exit code \(json["exit-code"]?.integer ?? -1)"))
        #expect(junit.contains("<property name=\"verdict\" value=\"\(verdict)\"/>"))

        let criteria = try #require(json["criteria"]?.array)
        #expect(criteria.count == run.verdict.criteria.count)
        for criterion in criteria {
            let figures = try Figures(criterion)
            #expect(markdown.split(separator: "\n").contains { figures.isShown(inRow: plain(String($0))) })
            #expect(terminal.split(separator: "\n").contains { figures.isShown(inRow: String($0)) })
            let row = try #require(
                element(of: page, from: "<tbody class=\"\(figures.verdict)\" data-criterion=\"\(figures.name)\">"))
            #expect(figures.isShown(inRow: plain(row)))
            #expect(junit.contains("<property name=\"\(figures.name).measured\" value=\"\(figures.measured)\"/>"))
            let failure = try #require(element(of: junit, from: "name=\"\(figures.caseName)", to: "</testcase>"))
            #expect(failure.contains("<failure") == (figures.verdict == "fail"))
            #expect(failure.contains("<error") == (figures.verdict == "inconclusive"))
            if figures.verdict != "pass" { #expect(plain(failure).contains("\(figures.measured)")) }
        }
    }

    @Test func junitNamesTheBrokenLimitInItsMessage() {
        let report = RunReport(SyntheticRun.dualPrimary.verdict, SyntheticRun.dualPrimary.history)
        let junit = JUnitXML.text(report)
        #expect(junit.contains("<failure message=\"split-brain 19.1 s &gt; 0s (n=4620)\" type=\"failure\">"))
        #expect(junit.contains("tests=\"3\" failures=\"2\" errors=\"0\" skipped=\"0\""))
    }

    @Test func aFaultWithoutEffectIsNeverGreenInJUnit() {
        var verdict = SyntheticRun.failover.verdict
        verdict.criteria = verdict.criteria.filter { $0.verdict == .pass }
        verdict.run.criteria = []
        verdict.verdict = .inconclusive
        verdict.exitCode = 3
        verdict.reason = "the fault had no effect"
        let junit = JUnitXML.text(RunReport(verdict, SyntheticRun.failover.history))
        #expect(junit.contains("errors=\"1\""))
        #expect(junit.contains("<error message=\"INCONCLUSIVE: the fault had no effect\""))
    }
}

/// The numbers of one criterion as `verdict.json` holds them, printed as the other outputs must show them.
private struct Figures {
    var name: String
    var verdict: String
    var measured: String
    var bounds: String
    var limit: String
    var samples: String
    var caseName: String

    init(_ json: JSONValue) throws {
        name = try #require(json["name"]?.string)
        verdict = try #require(json["verdict"]?.string)
        limit = try #require(json["limit"]?.string)
        samples = String(try #require(json["samples"]?.integer))
        let unit = try #require(json["unit"]?.string)
        measured = Figure.text(json["measured"]?.double, unit: unit)
        bounds = Figure.bounds(json["lower"]?.double, json["upper"]?.double, unit: unit)
        let probe = try #require(json["probe"]?.string)
        caseName = "\(name)\(probe.isEmpty ? "" : " of \(probe)") "
    }

    func isShown(inRow row: String) -> Bool {
        row.lowercased().contains(name) && row.contains(measured) && row.contains(bounds) && row.contains(samples)
            && row.replacing("≤", with: "<=").replacing("≥", with: ">=").contains(limit) && row.contains(verdict)
    }
}

extension JSONValue {
    fileprivate var double: Double? {
        switch self {
        case .number(let number): number
        case .integer(let number): Double(number)
        case .null, .boolean, .string, .array, .object: nil
        }
    }
}

/// Text without tags and escapes.
private func plain(_ markup: String) -> String {
    var text = ""
    var isTag = false
    for character in markup {
        switch character {
        case "<":
            isTag = true
            text += " "
        case ">" where isTag: isTag = false
        default: if !isTag { text.append(character) }
        }
    }
    return text.replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&quot;", with: "\"")
        .replacing("&amp;", with: "&").replacing("\\", with: "")
}

/// From a mark up to the end of its element.
private func element(of page: String, from start: String, to end: String = "</tbody>") -> String? {
    guard let first = page.firstRange(of: start), let last = page[first.upperBound...].firstRange(of: end) else {
        return nil
    }
    return String(page[first.lowerBound..<last.lowerBound])
}
