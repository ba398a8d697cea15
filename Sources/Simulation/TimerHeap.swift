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
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard Self.isEarlier(entries[child], entries[parent]) else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Entry? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        guard !entries.isEmpty else { return first }
        entries[0] = last
        var parent = 0
        while true {
            let (left, right) = (2 * parent + 1, 2 * parent + 2)
            var smallest = parent
            if left < entries.count, Self.isEarlier(entries[left], entries[smallest]) { smallest = left }
            if right < entries.count, Self.isEarlier(entries[right], entries[smallest]) { smallest = right }
            if smallest == parent { return first }
            entries.swapAt(parent, smallest)
            parent = smallest
        }
    }

    private static func isEarlier(_ left: Entry, _ right: Entry) -> Bool {
        left.deadline != right.deadline ? left.deadline < right.deadline : left.number < right.number
    }
}
