import Synchronization

/// What the crowd is at, for the eyes: counted by the loops, read by the terminal. Relaxed: each number stands alone.
final class Tally: Sendable {
    let connected = Atomic<Int>(0)
    let joined = Atomic<Int>(0)
    let waiting = Atomic<Int>(0)
    let active = Atomic<Int>(0)
    let holding = Atomic<Int>(0)
    let admitted = Atomic<Int>(0)
    let paid = Atomic<Int>(0)
    let seatsSold = Atomic<Int>(0)
    let gone = Atomic<Int>(0)
    let away = Atomic<Int>(0)
    let audited = Atomic<Int>(0)
    let checks = Atomic<Int>(0)
    let failed = Atomic<Int>(0)
}

extension Atomic where Value == Int {
    borrowing func add(_ amount: Int = 1) { wrappingAdd(amount, ordering: .relaxed) }

    borrowing func subtract(_ amount: Int = 1) { wrappingSubtract(amount, ordering: .relaxed) }

    var now: Int { load(ordering: .relaxed) }
}
