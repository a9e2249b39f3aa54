internal import Journal

/// One server of the world: it runs, dies and comes back as another run. What survives is its number and the shared log.
final class Instance {
    let id: UInt32
    private unowned let world: World
    private(set) var run: InstanceRun?
    private(set) var isComingBack = false
    /// Its wall clock, ahead of the world's; may jump either way, and names its runs.
    var wallAhead: UInt64 = 1_800_000_000_000

    init(id: UInt32, world: World) {
        self.id = id
        self.world = world
    }

    var name: String { "instance \(id)" }

    /// Whether it takes connections.
    var isServing: Bool { run?.isServing ?? false }

    func start() {
        guard run == nil else { return }
        isComingBack = false
        let run = InstanceRun(of: self, world: world)
        self.run = run
        run.boot()
    }

    /// As `kill -9`.
    func kill(backAfter milliseconds: UInt64) {
        guard let run else { return }
        run.die()
        self.run = nil
        isComingBack = true
        world.network.after(milliseconds) { [weak self] in self?.start() }
    }
}
