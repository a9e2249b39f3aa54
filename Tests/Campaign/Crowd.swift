/// The shoppers of a sale: as one goes home, another comes. And an operator, who keeps the journal moving.
actor Crowd {
    private let world: World
    private var random: SeededRandom
    private var logs: [ShopperLog] = []
    private var lives: [Task<Void, any Error>] = []
    private var atHome = 0

    init(_ world: World, seed: UInt64) {
        self.world = world
        random = SeededRandom(seed ^ 0xC0FFEE)
    }

    func begin(_ count: Int) {
        lives.append(
            Task {
                defer { atHome += 1 }
                try await world.runMetronome()
            })
        for _ in 0..<count {
            lives.append(
                Task {
                    while !world.isFinishing, !Task.isCancelled { logs.append(await Shopper.live(world, seed: random.next())) }
                    atHome += 1
                })
        }
    }

    /// Waits until everybody is home, or time is up; then whatever is under way is abandoned.
    ///
    /// - Returns: everybody's logs, and how many had to be called off.
    func end(within seconds: UInt64) async throws -> (logs: [ShopperLog], left: Int) {
        let deadline = Moment.now + seconds * 1_000_000_000
        while atHome < lives.count, Moment.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
        let left = lives.count - atHome
        for life in lives { life.cancel() }
        for life in lives { _ = await life.result }
        return (logs, left)
    }
}
