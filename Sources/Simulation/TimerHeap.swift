/// Deadlines with their slots, earliest first: a binary heap, because a run sleeps thousands of times.
struct TimerHeap {
    struct Entry {
        var deadline: Int64
        /// Orders equal deadlines, and tells an entry from a later use of its slot.
        var number: UInt64
        var slot: Int
    }

    private var entries: [Entry] = []

    var first: Entry? { entries.first }

    mutating func push(_ entry: Entry) {
        entries.append(entry)
        var hole = entries.count - 1
        while hole > 0 {
            let parent = (hole - 1) / 2
            guard Self.isEarlier(entry, entries[parent]) else { break }
            entries[hole] = entries[parent]
            hole = parent
        }
        entries[hole] = entry
    }

    mutating func pop() -> Entry? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        guard !entries.isEmpty else { return first }
        var hole = 0
        while true {
            var child = 2 * hole + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, Self.isEarlier(entries[child + 1], entries[child]) { child += 1 }
            guard Self.isEarlier(entries[child], last) else { break }
            entries[hole] = entries[child]
            hole = child
        }
        entries[hole] = last
        return first
    }

    private static func isEarlier(_ left: Entry, _ right: Entry) -> Bool {
        left.deadline != right.deadline ? left.deadline < right.deadline : left.number < right.number
    }
}
