import Synchronization

/// A value that a fixture comes by later.
final class Held<Value: Sendable>: Sendable {
    private let content = Mutex(Value?.none)

    var value: Value? {
        get { content.withLock { $0 } }
        set { content.withLock { $0 = newValue } }
    }
}
