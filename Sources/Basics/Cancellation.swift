/// Whether a call on a connection ends early when its task is cancelled. What a probe has sent must be judged by its answer
/// or its timeout even while the run is being stopped.
package enum Cancellation: Sendable, Hashable {
    case heeded
    case ignored
}
