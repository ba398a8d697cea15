/// A queue: what came first goes first. Removing costs the same however long it is.
struct FirstInFirstOut<Element> {
    /// What has gone is nil until there is much of it.
    private var slots: [Element?] = []
    private var start = 0

    var count: Int { slots.count - start }
    var first: Element? { start < slots.count ? slots[start] : nil }

    /// 0 is the first one; nil beyond the last, and setting that does nothing.
    subscript(_ index: Int) -> Element? {
        get { isValid(index) ? slots[start + index] : nil }
        set { if isValid(index) { slots[start + index] = newValue } }
    }

    private func isValid(_ index: Int) -> Bool { index >= 0 && index < count }

    mutating func append(_ element: Element) { slots.append(element) }

    mutating func removeFirst() -> Element? {
        guard start < slots.count else { return nil }
        let element = slots[start]
        slots[start] = nil
        start += 1
        if start == slots.count {
            slots.removeAll(keepingCapacity: true)
            start = 0
        } else if start >= 64, start * 2 > slots.count {
            slots.removeFirst(start)
            start = 0
        }
        return element
    }
}
