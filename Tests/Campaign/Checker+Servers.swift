import UsherAPI

extension Checker {
    // MARK: One truth

    /// What several servers say, compared with what the first of them says: that one's word is judged by the other promises.
    static func oneTruth(_ testimonies: [Testimony]) -> [String] {
        guard let first = testimonies.first, testimonies.count > 1 else { return [] }
        var words: [String] = []
        for other in testimonies.dropFirst() {
            let users = Set(first.audits.keys).union(other.audits.keys).filter { first.audits[$0] != other.audits[$0] }
            for user in users.sorted(by: { ($0.high, $0.low) < ($1.high, $1.low) }).prefix(8) {
                words.append("\(first.name) and \(other.name) remember \(user) differently")
            }
            for (performance, seats) in first.seats.sorted(by: { $0.key < $1.key }) {
                let wrong = seats.filter { other.seats[performance]?[$0.key] != $0.value }.keys.sorted()
                if !wrong.isEmpty || other.seats[performance]?.count != seats.count {
                    words.append("\(first.name) and \(other.name) show seats \(wrong.prefix(8)) of \(performance) differently")
                }
            }
        }
        return words + digests(testimonies)
    }

    private static func digests(_ testimonies: [Testimony]) -> [String] {
        var words: [String] = []
        for testimony in testimonies where testimony.digests.isEmpty {
            words.append("\(testimony.name) has told no digest")
        }
        let last = testimonies.map { $0.digests.keys.max() ?? 0 }
        if let least = last.min(), let most = last.max(), least != most {
            words.append("the last digests are of different positions, from \(least) to \(most)")
        }
        for position in Set(testimonies.flatMap(\.digests.keys)).sorted() {
            let told = testimonies.compactMap { testimony in testimony.digests[position].map { (testimony.name, $0) } }
            if let one = told.first, let other = told.first(where: { $0.1 != one.1 }) {
                words.append("\(one.0) and \(other.0) have different digests at position \(position)")
            }
        }
        return words
    }
}
