import BoxOffice
import Crypto
import UsherAPI

// A snapshot's contents, with a digest that is right: so that what reads them is tried, and not SHA-256.
//
//   the bytes between the magic word and the digest
//
// Held: it is refused, or it is a state that goes through its own snapshot unchanged, and in which entries can be applied
// without a trap. Not that it keeps the sale's promises: that money adds up, for instance, is what the digest vouches for.

extension FuzzTarget {
    static let snapshot = FuzzTarget("snapshot", bytesMax: 4096) { contents throws(Finding) in
        let body = Array("USHERSNP".utf8) + contents
        let bytes = body + sha256(body)
        var office: BoxOffice
        do throws(SnapshotError) {
            office = try BoxOffice(snapshot: bytes)
        } catch {
            if case .malformed(let at) = error, at > body.count { throw Finding("a fault at \(at) of \(body.count) bytes") }
            return
        }
        try checkSnapshot(office, "as read")
        var effects = Effects()
        let start = office.clock
        let position = office.position
        for (step, wait) in [0, 6_000, 90_000_000].enumerated() as EnumeratedSequence<[UInt64]> {
            let bodies: [Command.Body] = [
                .instanceStarted(InstanceStarted(sources: 1, rules: 1, name: "late")), .join(Join(concert: "gig")),
                .hold(Hold(performance: "night", bestAvailable: 1)), .charge(Charge(amount: 50)), .pay(Pay(reservation: 1)),
                .release(Release(reservation: 2)), .presence(Presence(departed: [1, 2, 3])), .leave(Leave(concert: "gig")),
            ]
            let commands = bodies.enumerated().map { index, body in
                Command(
                    user: Uuid(high: 1, low: 1), requestId: Uuid(high: 8, low: UInt64(step * 100 + index)), token: 2,
                    body: body)
            }
            let entry = Entry(instance: 77, incarnation: .max - 2 + UInt64(step), number: 1, commands: commands)
            let (time, overflow) = start.addingReportingOverflow(wait)
            office.apply(
                entry, position: position &+ UInt64(step) &+ 1, timeMilliseconds: overflow ? .max : time, effects: &effects)
            try checkSnapshot(office, "after entry \(step)")
        }
    }
}

private func checkSnapshot(_ office: borrowing BoxOffice, _ when: String) throws(Finding) {
    // Looked at, since it must not trap either.
    _ = office.checkInvariants()
    let bytes = office.snapshot()
    let again = try demanded("its own snapshot \(when)") { () throws(SnapshotError) in try BoxOffice(snapshot: bytes) }
    let bytesAgain = again.snapshot()
    try demand(bytesAgain == bytes, "another snapshot \(when)")
}
