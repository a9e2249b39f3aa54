import Foundation
import Reactor
import UsherAPI

/// One loop, on a thread of its own, for the raw clients of all tests. Jobs run on it in the order in which they were given.
final class RawLoop: Sendable {
    static let shared = RawLoop()

    /// What lives on the loop's thread.
    final class Confined {
        let loop: EventLoop
        var connections: [Uuid: Connection] = [:]

        init(_ loop: EventLoop) { self.loop = loop }
    }

    private struct Job: Sendable {
        var body: @Sendable (Confined) -> Void
    }

    private let jobs = Mailbox<Job>(capacity: 1 << 20)

    private init() {
        let jobs = jobs
        do {
            _ = try Reactor.Thread.start(name: "raw clients") {
                guard let loop = try? EventLoop() else { fatalError("no descriptors are left for the tests' loop") }
                let confined = Confined(loop)
                loop.attach(jobs) { for job in $0 { job.body(confined) } }
                loop.run()
            }
        } catch {
            fatalError("the tests' loop could not start: \(error)")
        }
    }

    func run(_ body: @escaping @Sendable (Confined) -> Void) {
        precondition(jobs.send(Job(body: body)), "the tests' loop is overrun")
    }
}
