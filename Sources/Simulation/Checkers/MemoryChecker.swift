internal import Calls

/// I7: what the server keeps for one client is bounded, however little that client reads.
final class MemoryChecker {
    /// Frames of one turn may come on top of the bound: one for each call that runs, and none of this sale's is larger.
    static let frameBytes = 700
    var found: (String) -> Void = { _ in }

    func check(unsentBytes: Int, runningCalls: Int) {
        let limits = Door.limits
        if unsentBytes > limits.outputBytes + limits.runningCalls * Self.frameBytes {
            found("\(unsentBytes) bytes wait for one client")
        }
        if runningCalls > limits.runningCalls { found("\(runningCalls) calls run for one client") }
    }
}
