import Reactor

/// The operator's own listener, on a thread of its own: there from an instance's first moment to its last.
struct AdminListener: Sendable {
    private let control: EventLoop.Control
    private let thread: Reactor.Thread

    init(_ port: ListeningPort, facts: @escaping @Sendable () -> AdminConnection.Facts) throws(SystemError) {
        let started = Handoff<EventLoop.Control>()
        thread = try Reactor.Thread.start(name: "admin") {
            do throws(SystemError) {
                let loop = try EventLoop()
                try loop.listen(on: port.sockets[0]) { AdminConnection($0, facts: facts) }
                started.give(loop.control)
                loop.run()
            } catch {
                fatalError("the admin listener could not start: \(error)")
            }
        }
        control = started.take()
    }

    func stop() {
        control.stop()
        thread.join()
    }
}
