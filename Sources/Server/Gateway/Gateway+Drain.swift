import Calls
import Reactor
import UsherAPI

// A loop's end in good order.
//
//     drain ─▶ GOAWAY to all, each with a moment of its own ─▶ all gone, or the time is over: the rest are closed
//           ─▶ where others live, until the journal has heard who is absent ─▶ done
//
// Who moves to another instance is present there before it is absent here: its absence is told 5 s after its stream has
// ended, as ever. Ending sooner would take it out of the line for the moment between (InstanceStopped takes all of an
// instance's presence at once), and whoever is absent when their turn comes is passed over.

/// How an instance goes.
struct Farewell: Sendable {
    /// How long its clients have.
    var milliseconds: UInt64
    /// Where they find the instances that go on, `host:port`; none: where they have found this one.
    var hosts: [String] = []
    /// Others live: presence is handed over to them.
    var hasNeighbours = false

    /// What one of its clients is told. All are told to move in the first three quarters of the time, so that nobody is
    /// closed upon while moving.
    func goAway(_ number: Int) -> GoAway {
        let moment = UInt32(clamping: min(500, milliseconds / 10))
        return GoAway(
            reason: Reason.shuttingDown.rawValue, reconnectAfterMs: moment,
            jitterMs: UInt32(clamping: milliseconds * 3 / 4) - moment, host: hosts.isEmpty ? "" : hosts[number % hosts.count])
    }
}

extension Gateway {
    /// Sends everybody away: GOAWAY at once with reconnects spread over the time and over the hosts, then the connections
    /// that are left are closed, then `done`.
    func drain(_ farewell: Farewell, done: @escaping () -> Void) {
        self.farewell = farewell
        farewells = .random(in: 0..<max(1, farewell.hosts.count))
        for session in sessions {
            session.calls.goAway(nextGoAway(farewell), output: &frames)
            session.flush()
        }
        finishDrain(farewell, by: loop.now + farewell.milliseconds, done)
    }

    /// For the next client, in turn.
    func nextGoAway(_ farewell: Farewell) -> GoAway {
        farewells += 1
        return farewell.goAway(farewells)
    }

    /// Waits until everybody has gone or the time is over.
    private func finishDrain(_ farewell: Farewell, by deadline: UInt64, _ done: @escaping () -> Void) {
        if sessions.isEmpty {
            handOver(farewell, by: loop.now + settings.handoverMilliseconds, done)
        } else if loop.now < deadline {
            loop.schedule(after: 50) { [self] in finishDrain(farewell, by: deadline, done) }
        } else {
            for session in sessions { session.close(.shuttingDown, reason: "the server is stopping; come back in a moment") }
            // One more turn, so that the close frames go out.
            loop.schedule(after: 200) { [self] in handOver(farewell, by: loop.now + settings.handoverMilliseconds, done) }
        }
    }

    /// Waits until the journal has heard of all who have left here.
    private func handOver(_ farewell: Farewell, by deadline: UInt64, _ done: @escaping () -> Void) {
        if !farewell.hasNeighbours || presence.isSettled || loop.now >= deadline {
            done()
        } else {
            loop.schedule(after: 50) { [self] in handOver(farewell, by: deadline, done) }
        }
    }
}
