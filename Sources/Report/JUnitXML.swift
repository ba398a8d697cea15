internal import Basics
internal import Contracts

/// `junit.xml`: one suite, one case per criterion and one for the clean-up.
///
/// GitLab drops suite names and properties, so the case's name and message carry everything a person needs.
/// Inconclusive is an error, not a failure: what was not shown is neither a pass nor a proven breach.
package enum JUnitXML {
    private enum Outcome {
        case passed
        case failed(String)
        case inconclusive(String)
        case skipped(String)
    }

    private struct Case {
        var name: String
        var outcome: Outcome
        /// More lines for the body of the element.
        var details: [String]
    }

    /// The document with a newline at its end.
    package static func text(_ report: RunReport) -> String {
        let cases = cases(report)
        let title = xml(report.verdict.run.title)
        var failures = 0
        var errors = 0
        var skipped = 0
        for item in cases {
            switch item.outcome {
            case .passed: break
            case .failed: failures += 1
            case .inconclusive: errors += 1
            case .skipped: skipped += 1
            }
        }
        let time = decimal(report.clock.duration.seconds, places: 3)
        let counts =
            "tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"\(errors)\" skipped=\"\(skipped)\" time=\"\(time)\""
        let timestamp = report.clock.date(report.clock.start).iso8601
        var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<testsuites name=\"squall\" \(counts)>"]
        lines.append("  <testsuite name=\"\(title)\" \(counts) timestamp=\"\(timestamp)\">")
        lines += properties(report)
        for item in cases { lines += element(item, className: "squall.\(title)") }
        lines += ["  </testsuite>", "</testsuites>", ""]
        return lines.joined(separator: "\n")
    }

    private static func cases(_ report: RunReport) -> [Case] {
        let verdict = report.verdict
        var cases = verdict.criteria.map { result in
            let outcome: Outcome =
                switch result.verdict {
                case .pass: .passed
                case .fail: .failed(result.headline)
                case .inconclusive: .inconclusive("\(result.headline): \(result.reason)")
                }
            var details = [result.reason]
            if !result.boundsText.isEmpty { details.append("bounds: \(result.boundsText)") }
            details += result.parts.map {
                "\($0.name): \(Figure.text($0.value, unit: $0.unit))\($0.detail.isEmpty ? "" : " (\($0.detail))")"
            }
            details += result.exceptions
            let probe = result.probe.isEmpty ? "" : " of \(result.probe)"
            return Case(name: "\(result.name)\(probe) \(result.limit)", outcome: outcome, details: details)
        }
        cases += report.unjudged.map { line in
            let outcome: Outcome = .skipped("not judged: \(verdict.reason)")
            return Case(name: line, outcome: outcome, details: [])
        }
        cases.append(cleanUp(report))
        return cases + [overall(report, cases)].compactMap(\.self)
    }

    private static func cleanUp(_ report: RunReport) -> Case {
        let outcome: Outcome =
            switch report.cleanUp {
            case .untouched, .clean: .passed
            case .unverified: .inconclusive("clean-up not confirmed: \(report.cleanUpSentence)")
            case .leftovers: .failed("clean-up: \(report.cleanUpSentence)")
            }
        let details = report.verdict.leftovers.flatMap { leftover in
            ["\(leftover.kind) on \(leftover.target): \(leftover.description)"] + leftover.commands.map { "  \($0)" }
        }
        return Case(name: "clean-up", outcome: outcome, details: details)
    }

    /// A case for the run as a whole where no other case shows that it did not pass: an unproven fault must not look green.
    private static func overall(_ report: RunReport, _ cases: [Case]) -> Case? {
        let isGreen = cases.allSatisfy { if case .passed = $0.outcome { true } else { false } }
        guard isGreen || report.verdict.criteria.isEmpty, report.verdict.exitCode != 0 else { return nil }
        let message = "\(report.verdict.verdict.word): \(report.verdict.reason)"
        let outcome: Outcome = report.verdict.verdict == .fail ? .failed(message) : .inconclusive(message)
        return Case(name: "run", outcome: outcome, details: report.verdict.untested)
    }

    private static func properties(_ report: RunReport) -> [String] {
        let (verdict, run) = (report.verdict, report.verdict.run)
        var entries = [
            ("run", run.run), ("verdict", verdict.verdict.rawValue), ("exit-code", String(verdict.exitCode)),
            ("reason", verdict.reason), ("file", run.file), ("experiment-digest", run.experimentDigest),
            ("seed", String(run.seed)), ("tool-version", run.toolVersion),
            ("targets", Set(verdict.faults.map(\.target.text)).sorted().joined(separator: ", ")),
        ]
        for result in verdict.criteria {
            entries.append(("\(result.name).measured", result.measuredText))
            entries.append(("\(result.name).bounds", result.boundsText))
            entries.append(("\(result.name).samples", String(result.samples)))
        }
        entries += run.environment.sorted { $0.key < $1.key }.map { ("environment.\($0.key)", $0.value) }
        return ["    <properties>"]
            + entries.filter { !$0.1.isEmpty }.map { "      <property name=\"\(xml($0.0))\" value=\"\(xml($0.1))\"/>" }
            + ["    </properties>"]
    }

    private static func element(_ item: Case, className: String) -> [String] {
        let open = "    <testcase classname=\"\(className)\" name=\"\(xml(item.name))\""
        func wrapped(_ element: String, _ message: String) -> [String] {
            let body = ([message] + item.details).map(xml).joined(separator: "\n")
            return [
                open + ">", "      <\(element) message=\"\(xml(message))\" type=\"\(element)\">\(body)</\(element)>",
                "    </testcase>",
            ]
        }
        switch item.outcome {
        case .passed:
            let body = item.details.map(xml).joined(separator: "\n")
            return body.isEmpty
                ? [open + "/>"] : [open + ">", "      <system-out>\(body)</system-out>", "    </testcase>"]
        case .failed(let message): return wrapped("failure", message)
        case .inconclusive(let message): return wrapped("error", message)
        case .skipped(let message):
            return [open + ">", "      <skipped message=\"\(xml(message))\"/>", "    </testcase>"]
        }
    }

    /// Text for an element or an attribute; characters XML 1.0 cannot hold become U+FFFD.
    private static func xml(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&apos;"
            case "\n": escaped += "&#10;"
            case "\t": escaped += "&#9;"
            case "\u{0}"..<"\u{20}", "\u{FFFE}", "\u{FFFF}": escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
