/// What is on sale in a campaign.
enum Offer {
    static let concert = "crash"
    static let performances = ["crash-1", "crash-2", "crash-3"]
    static let seatCount: UInt32 = 50
    static let maxActive = 16

    /// The file of concerts. Nobody's turn or place runs out, so whoever loses one has been wronged; holds run out quickly.
    static var file: String {
        """
        concerts:
          - id: \(concert)
            title: Crash
            opens: +0s
            max-active: \(maxActive)
            max-seats: 4
            hold-ttl: 4s
            active-ttl: 7d
            idle-ttl: 7d
            grace: 7d
            performances:
        \(performances.map { "      - {id: \($0), starts: +30d, seats: \(seatCount), prices: [{first: 1, last: 10, price: 900}, {first: 11, last: \(seatCount), price: 450}]}" }.joined(separator: "\n"))

        """
    }
}
