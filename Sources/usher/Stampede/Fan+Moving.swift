import Calls
import Client
import Reactor
import UsherAPI

// From one instance to another: by itself after a loss, and before the loss where GOAWAY asks for it.
//
//     GOAWAY ─▶ its moment, or a wish to ask something ─▶ connection to another ─WELCOME─▶ what was asked is answered ─▶ moved
//
// Who moves is never away: the new connection stands before the old one is closed, and the line must not pass it over.

/// A fan's move.
struct Going {
    /// GOAWAY has come.
    var isAsked = false
    /// Its moment is near.
    var isHastened = false
    var alarm = TimerToken.none
    /// Where it goes.
    var target = 0
    /// The connection there, once it is being made.
    var successor: ClientConnection?
    /// It has moved, and the line has not been heard of at the new place.
    var isNew = false
    var failures = 0
}

extension Fan {
    /// A host that nobody has named is any of the others.
    func goingAway(_ connection: ClientConnection, _ goAway: GoAway) {
        guard connection === self.connection, !going.isAsked else { return }
        going = Going(isAsked: true)
        going.target = crowd.plan.targets.firstIndex { "\($0.url.host):\($0.url.port)" == goAway.host } ?? otherTarget()
        guard phase != .gone || isAuditing else { return }
        crowd.record.instances[target].moved += 1
        let delay = UInt64(goAway.reconnectAfterMs) + .random(in: 0...UInt64(goAway.jitterMs), using: &persona.numbers)
        schedule(after: delay)
    }

    private func schedule(after milliseconds: UInt64) {
        loop.cancel(going.alarm)
        going.alarm = loop.schedule(after: milliseconds, self, tag: Alarm.move.rawValue)
    }

    /// There is something to ask, which the old instance takes no more.
    func hastenMove() {
        guard going.isAsked, going.successor == nil, !going.isHastened else { return }
        going.isHastened = true
        schedule(after: .random(in: 0...100, using: &persona.numbers))
    }

    func move() {
        guard let connection, going.isAsked, going.successor == nil else { return }
        noteSeen(connection)
        going.successor = connect(to: going.target)
    }

    /// The new connection stands; the old one goes once it owes nothing.
    func moveIfAnswered() {
        guard let successor = going.successor, successor.isReady, commandCall == nil, queryCall == nil else { return }
        let old = connection
        take(successor)
        if let old {
            noteSeen(old)
            old.close(.goingAway, reason: "moved")
        }
        goOnElsewhere()
    }

    /// The old connection was lost on the way: the new one is the connection now.
    func takeSuccessor() -> Bool {
        guard let successor = going.successor else {
            going = Going()
            return false
        }
        take(successor)
        if successor.isReady { goOnElsewhere() }
        return true
    }

    private func take(_ successor: ClientConnection) {
        connection = successor
        target = going.target
        loop.cancel(going.alarm)
        going = Going()
        going.isNew = true
        isBound = false
        joinCall = nil
        commandCall = nil
        queryCall = nil
        watch = nil
        crowd.record.reconnects += 1
    }

    private func goOnElsewhere() {
        if isAuditing {
            if query == nil { askHistory() } else { sendQuery() }
            return
        }
        guard phase != .gone else { return }
        if query != nil { sendQuery() }
        goOn()
    }

    /// The line has said where it stands here: a turn that was under way goes on.
    func settleElsewhere() {
        going.isNew = false
        if phase == .active, command == nil, query == nil { resumeTurn() }
    }

    func successorFailed() {
        going.successor = nil
        going.failures += 1
        going.target = (going.target + 1) % crowd.plan.targets.count
        if going.target == target { going.target = otherTarget() }
        schedule(after: min(UInt64(going.failures) * 300, 3_000) + .random(in: 0...300, using: &persona.numbers))
    }

    /// After losing an instance: one of the others. After losing its own network: any.
    func chooseTarget(hasLost: Bool) {
        guard crowd.plan.targets.count > 1 else { return }
        target = hasLost ? otherTarget() : .random(in: 0..<crowd.plan.targets.count, using: &persona.numbers)
    }

    private func otherTarget() -> Int {
        let count = crowd.plan.targets.count
        guard count > 1 else { return 0 }
        return (target + .random(in: 1..<count, using: &persona.numbers)) % count
    }

    /// What a connection has shown: the next one's answers must not be older.
    func noteSeen(_ connection: ClientConnection) {
        epoch = connection.epoch ?? epoch
        position = max(position, connection.position)
    }
}
