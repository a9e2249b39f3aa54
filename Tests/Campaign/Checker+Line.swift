import UsherAPI

extension Checker {
    // MARK: Places

    static func places(_ shoppers: [ShopperLog]) -> [String] {
        var words = shoppers.flatMap { log in log.visits.flatMap { steady($0, log.user) } }
        var joins: [(number: UInt64, sent: UInt64, ended: UInt64)] = []
        var openJoins = 0
        for command in shoppers.lazy.flatMap(\.commands) {
            switch (command.asked, command.end) {
            case (_, .done(.joined(let number))): joins.append((number, command.sent, command.ended))
            case (.join, .open): openJoins += 1
            default: break
            }
        }
        let numbers = joins.map(\.number).sorted()
        for (number, next) in zip(numbers, numbers.dropFirst()) where number == next {
            words.append("join number \(number) was given twice")
        }
        // Every join of the line is one of these users', so gaps are joins that were lost, or that nobody made.
        let given = Set(numbers)
        let missing = (1...max(1, numbers.last ?? 1)).filter { !given.contains($0) }
        if missing.count > openJoins, !numbers.isEmpty {
            words.append("join numbers \(missing.prefix(8)) were given to nobody, the highest is \(numbers.last!)")
        }
        // Who was told of a number before another asked is ahead of that other.
        let bySending = joins.sorted { $0.sent < $1.sent }
        let byEnd = joins.sorted { $0.ended < $1.ended }
        var told = byEnd[...]
        var highest: UInt64 = 0
        for join in bySending {
            while let first = told.first, first.ended < join.sent {
                highest = max(highest, first.number)
                told.removeFirst()
            }
            if highest > join.number {
                words.append("join number \(join.number) was asked for after number \(highest) had been told")
            }
        }
        return words
    }

    /// One place: the same in every message, and only forward.
    private static func steady(_ visit: Visit, _ user: Uuid) -> [String] {
        var words: [String] = []
        guard let first = visit.sightings.first else { return [] }
        for (before, now) in zip(visit.sightings, visit.sightings.dropFirst()) {
            if now.joinNumber != 0, now.joinNumber != first.joinNumber {
                words.append("\(user): had join number \(first.joinNumber) and came back to \(now.joinNumber)")
            }
            if now.place != 0, first.place != 0, now.place != first.place {
                words.append("\(user): had place \(first.place) and came back to \(now.place)")
            }
            if before.state == .active, now.state == .waiting {
                words.append("\(user): was active at \(before.position) and waits again at \(now.position)")
            }
            if before.state == .waiting, now.state == .waiting, before.ahead != 0, now.ahead > before.ahead {
                words.append("\(user): its position grew from \(before.ahead) to \(now.ahead)")
            }
            if now.position < before.position {
                words.append("\(user): was shown position \(before.position), then \(now.position)")
            }
        }
        if visit.sightings.last!.state == .ended, !visit.hasLeft, !visit.hasPaid {
            words.append("\(user): lost place \(first.joinNumber) without leaving or paying")
        }
        return words
    }

    // MARK: Order

    /// How long after coming back somebody is present for certain: the server notes a return on its next tick and in the
    /// journal after that. (A Join notes it by itself.)
    static let returnSettles: UInt64 = 2_000_000_000

    /// When whoever came back at that moment is present for certain. While any server is hurt the journal may stand still,
    /// and nobody's return is in it.
    private static func settled(_ comeBackAt: UInt64, _ hurts: [Hurt]) -> UInt64 {
        var time = comeBackAt + returnSettles
        for hurt in hurts where hurt.from <= time && time < hurt.until + returnSettles { time = hurt.until + returnSettles }
        return time
    }

    /// Nobody overtakes who is present.
    ///
    /// A server that is hurt may be declared gone, and its users absent: those may be overtaken until they are back. Nobody
    /// else's may.
    ///
    /// Sound, not complete. B was admitted at a position in (last seen waiting, first seen active]. If A, with a lower
    /// place, was there without a break from the first of these on and still waited at the second, B overtook A.
    static func order(_ shoppers: [ShopperLog], _ hurts: [Hurt] = []) -> [String] {
        struct Admission {
            var place: UInt64
            var after: UInt64
            var by: UInt64
        }
        struct Stay {
            var place: UInt64
            var from: UInt64
            var until: UInt64
        }
        var admissions: [Admission] = []
        var stays: [Stay] = []
        for visit in shoppers.lazy.flatMap(\.visits) {
            var presentSince: UInt64?
            var presentFrom: UInt64 = 0
            var lastHeard: UInt64 = 0
            var lastWaiting: UInt64?
            for sighting in visit.sightings {
                if sighting.isFirst {
                    presentSince = sighting.isOwnJoin ? sighting.position : nil
                    presentFrom = settled(sighting.heard, hurts)
                    lastHeard = sighting.heard
                }
                if let hurt = hurts.last(where: {
                    $0.strikes(sighting.server) && $0.from <= sighting.heard && $0.until >= lastHeard
                }) {
                    presentSince = nil
                    presentFrom = settled(max(hurt.until, sighting.heard), hurts)
                } else if presentSince == nil, sighting.heard > presentFrom {
                    presentSince = sighting.position
                }
                lastHeard = sighting.heard
                switch sighting.state {
                case .waiting:
                    lastWaiting = sighting.position
                    if let from = presentSince, from < sighting.position {
                        stays.append(Stay(place: sighting.place, from: from, until: sighting.position))
                    }
                case .active:
                    if let after = lastWaiting {
                        admissions.append(Admission(place: sighting.place, after: after, by: sighting.position))
                    }
                    lastWaiting = nil
                case .ended, .unspecified, .unrecognized: break
                }
            }
        }
        admissions.sort { $0.after < $1.after }
        stays.sort { $0.from < $1.from }
        let starts = admissions.map(\.after)
        var words: [String] = []
        for stay in merged(stays.map { ($0.place, $0.from, $0.until) }) {
            // By the start of the window, so that those before the stay are skipped.
            for admission in admissions[firstIndex(starts, notBelow: stay.from)...] {
                if admission.after > stay.until { break }
                if admission.by <= stay.until, admission.place > stay.place {
                    words.append(
                        "place \(admission.place) was admitted by \(admission.by), while place \(stay.place) waited from \(stay.from) to \(stay.until)"
                    )
                    break
                }
            }
        }
        return words
    }

    /// The longest of the stays with one start of one place.
    private static func merged(_ stays: [(place: UInt64, from: UInt64, until: UInt64)])
        -> [(place: UInt64, from: UInt64, until: UInt64)]
    {
        struct Start: Hashable {
            var place: UInt64
            var from: UInt64
        }
        var longest: [Start: UInt64] = [:]
        for stay in stays {
            longest[Start(place: stay.place, from: stay.from), default: 0] = max(
                longest[Start(place: stay.place, from: stay.from)] ?? 0, stay.until)
        }
        return longest.map { ($0.key.place, $0.key.from, $0.value) }.sorted { $0.1 < $1.1 }
    }

    private static func firstIndex(_ sorted: [UInt64], notBelow value: UInt64) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
