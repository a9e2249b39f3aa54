import Dispatch
import Synchronization

/// A value that one thread gives and another waits for, once.
final class Handoff<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let given = DispatchSemaphore(value: 0)

    func give(_ value: Value) {
        self.value.withLock { $0 = value }
        given.signal()
    }

    func take() -> Value {
        given.wait()
        guard let value = value.withLock({ $0 }) else { preconditionFailure("taken once, after it was given") }
        return value
    }

    /// The value, or nil if it is not given in time.
    func take(within time: DispatchTimeInterval) -> Value? {
        guard given.wait(timeout: .now() + time) == .success else { return nil }
        return value.withLock { $0 }
    }
}
