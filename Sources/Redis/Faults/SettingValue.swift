/// A setting's value, equal to every other way to write it: `64mb` is given and `67108864` is read.
struct SettingValue: Sendable, Hashable {
    private let words: [String]

    init(_ text: String, of name: String) {
        let words = text.split(separator: " ").map { $0.lowercased() }
        self.words = name.lowercased() == "notify-keyspace-events" ? [Self.events(text)] : words.map(Self.canonical)
    }

    /// As memtoull in util.c counts them.
    private static let units = [
        "": 1, "b": 1, "k": 1_000, "kb": 1_024, "m": 1_000_000, "mb": 1_048_576, "g": 1_000_000_000,
        "gb": 1_073_741_824,
    ]

    /// In small letters already: Redis reads words in any and shows them in its own.
    private static func canonical(_ word: String) -> String {
        // The class of clients that has two names (client-output-buffer-limit).
        if word == "replica" { return "slave" }
        let digits = word.prefix { $0.isNumber || $0 == "-" }
        guard let number = Int64(digits), let unit = units[String(word.dropFirst(digits.count))] else { return word }
        let (product, isTooLarge) = number.multipliedReportingOverflow(by: Int64(unit))
        return isTooLarge ? word : "\(product)"
    }

    /// Letters in any order; `A` stands for these (NOTIFY_ALL in server.h).
    private static func events(_ text: String) -> String {
        String(Set(text.contains("A") ? text.filter { $0 != "A" } + "g$lshzxetd" : text).sorted())
    }
}
