/// A point in calendar time, nanoseconds since 1970 in UTC. Never used to order events.
package struct WallInstant: Sendable, Hashable, Codable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package init(from decoder: any Decoder) throws {
        nanoseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanoseconds)
    }

    /// RFC 3339 in UTC with milliseconds: `2026-11-22T13:55:53.120Z`.
    package var iso8601: String {
        let (date, time, milliseconds) = parts
        return "\(pad(date.year, 4))-\(pad(date.month))-\(pad(date.day))T\(pad(time.hour)):\(pad(time.minute)):"
            + "\(pad(time.second)).\(pad(milliseconds, 3))Z"
    }

    /// A form that sorts and fits into a folder's name: `20261122-135553`.
    package var compact: String {
        let (date, time, _) = parts
        return
            "\(pad(date.year, 4))\(pad(date.month))\(pad(date.day))-\(pad(time.hour))\(pad(time.minute))\(pad(time.second))"
    }

    private var parts:
        (date: (year: Int, month: Int, day: Int), time: (hour: Int, minute: Int, second: Int), milliseconds: Int)
    {
        // Rounded down before 1970, too; not by way of a Double, which has no room for the nanoseconds.
        let seconds = Int((nanoseconds >= 0 ? nanoseconds : nanoseconds - 999_999_999) / 1_000_000_000)
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let rest = seconds - days * 86_400
        let milliseconds = Int((nanoseconds - Int64(seconds) * 1_000_000_000) / 1_000_000)
        return (civil(fromDays: days), (rest / 3_600, rest / 60 % 60, rest % 60), milliseconds)
    }
}

/// Gregorian date of a day count since 1970-01-01 (the days-to-civil algorithm with eras of 400 years).
private func civil(fromDays days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
}

private func pad(_ number: Int, _ width: Int = 2) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, width - text.count)) + text
}
