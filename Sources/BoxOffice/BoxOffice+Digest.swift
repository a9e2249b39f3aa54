// The running digest: each applied entry, with its place and time and what its commands came to, is mixed into 64 bits.
// A mixing step is that of SplitMix64 (Steele, Lea, Flood 2014): invertible, so no two different states fall together by
// the step itself, and every bit of the input reaches every bit of the digest.

internal import UsherAPI

extension BoxOffice {
    mutating func updateDigest(_ entry: Entry, outcomes: ArraySlice<Outcome>) {
        var mixer = Mixer(state: digest)
        mixer.mix(position)
        mixer.mix(clock)
        mixer.mix(UInt64(entry.instance))
        mixer.mix(entry.incarnation)
        mixer.mix(entry.number)
        for command in entry.commands {
            mixer.mix(command.user)
            mixer.mix(command.requestId)
            mixer.mix(command.contents)
            mixer.mix(command.token)
        }
        for outcome in outcomes { mixer.mix(outcome) }
        mixer.mix(UInt64(liveTokens))
        mixer.mix(UInt64(reservations.count))
        mixer.mix(UInt64(transactions.count))
        digest = mixer.state
    }
}

private struct Mixer {
    var state: UInt64

    mutating func mix(_ value: UInt64) {
        var mixed = (state ^ value) &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        state = mixed ^ mixed >> 31
    }

    mutating func mix(_ id: Uuid?) {
        mix(id?.high ?? 0)
        mix(id?.low ?? 0)
    }

    mutating func mix(_ outcome: Outcome) {
        switch outcome {
        case .refused(let refusal):
            mix(2)
            for byte in refusal.reason.rawValue.utf8 { mix(UInt64(byte)) }
        case .done(let reply):
            mix(1)
            mix(reply)
        }
    }

    private mutating func mix(_ reply: Reply) {
        switch reply {
        case .joined(let status):
            mix(status.id)
            mix(UInt64(truncatingIfNeeded: status.state.rawValue))
        case .left(let token): mix(token)
        case .held(let reservation), .released(let reservation):
            mix(reservation.id)
            mix(reservation.price)
            mix(reservation.deadlineMs)
            for seat in reservation.seats { mix(UInt64(seat)) }
        case .paid(let payment, let balance):
            mix(payment.id)
            mix(balance)
        case .cancelled(let reservation, let refunded, let balance):
            mix(reservation.id)
            mix(refunded)
            mix(balance)
        case .charged(let transaction, let balance):
            mix(transaction.id)
            mix(balance)
        case .operatorDone(let concert): mix(UInt64(truncatingIfNeeded: concert))
        case .none: mix(0)
        }
    }
}
