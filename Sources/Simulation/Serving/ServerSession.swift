// The server's end of one connection: the real call machine, and what is pushed over it.

internal import BoxOffice
internal import Calls
internal import UsherAPI
internal import Wire

/// One client connection of a door.
final class ServerSession {
    unowned let door: Door
    let link: Link
    private(set) var calls: ServerCalls
    private(set) var user: Uuid?
    private(set) var isOperator = false
    private(set) var seenPosition: UInt64 = 0
    /// The queue token that Join bound to this connection.
    var token: QueueToken?
    var lineStreams: [LineStream] = []
    var seatWatches: [SeatWatch] = []
    private(set) var isOpen = true
    private var frames: [UInt8] = []
    private var arrived: [IncomingCall] = []
    private var credited: [CallID] = []
    private var ended: [(call: CallID, status: Status)] = []
    private var wakesAt = UInt64.max

    init(_ door: Door, _ link: Link) {
        self.door = door
        self.link = link
        calls = ServerCalls(limits: Door.limits, now: door.now)
        link.server = Link.End(
            message: { [weak self] message in self?.receive(message) },
            lost: { [weak self] in self?.end() })
        link.drained = { [weak self] in self?.goOn() }
        wakeInTime()
    }

    // MARK: In

    private func receive(_ message: [UInt8]) {
        guard isOpen else { return }
        var events = Events(session: self)
        do throws(ConnectionViolation) {
            try calls.receive(message.rawSpan, now: door.now, output: &frames, handler: &events)
        } catch {
            door.broke("the server says a shopper broke the protocol: \(error)")
            close()
            return
        }
        handleArrived()
        flush()
        if isBacklogged { link.serverReads = false }
        wakeInTime()
    }

    private func handleArrived() {
        while !arrived.isEmpty { door.handle(arrived.removeFirst(), of: self) }
        while !credited.isEmpty {
            let call = credited.removeFirst()
            for stream in lineStreams where stream.call == call && stream.isOwed { door.sendUpdate(stream) }
            for watch in seatWatches where watch.call == call && watch.isOwed { door.sendSeats(watch) }
        }
        while !ended.isEmpty {
            let (call, status) = ended.removeFirst()
            endStreams(of: call, status)
        }
    }

    /// The client has given the call up, or its deadline has come: a stream ends now, a command when its outcome is there.
    private func endStreams(of call: CallID, _ status: Status) {
        for stream in lineStreams where stream.call == call { door.drop(stream) }
        let isStream = lineStreams.contains { $0.call == call } || seatWatches.contains { $0.call == call }
        lineStreams.removeAll { $0.call == call }
        seatWatches.removeAll { $0.call == call }
        if isStream { calls.close(call, status, position: door.position, output: &frames) }
    }

    fileprivate func greet(_ hello: Hello, in calls: inout ServerCalls, output: inout [UInt8]) {
        if case .user(let user) = hello.identity { self.user = user }
        isOperator = user == Shopper.operatorID
        seenPosition = hello.position
        calls.welcome(
            Welcome(instance: "i", epoch: hello.epoch ?? Uuid(high: 1, low: 1), position: door.position), pingFraction: 0.5,
            output: &output)
    }

    // MARK: Out

    /// Whether output waits for a slow reader, so that state streams conflate and no more is read.
    private var isBacklogged: Bool { link.unsentBytes > Door.limits.outputBytes }

    /// Whether a stream's next message has to wait; it is then owed.
    var mustWait: Bool { link.unsentBytes + frames.count > Door.limits.outputBytes }

    func message(_ call: CallID, sequence: UInt64, position: UInt64, _ payload: some WireEncodable) -> SendResult {
        calls.message(call, sequence: sequence, position: position, reset: true, payload: payload, output: &frames)
    }

    func reply(_ call: CallID, _ response: some WireEncodable, position: UInt64) {
        calls.reply(call, response, position: position, output: &frames)
    }

    func close(_ call: CallID, _ status: Status, position: UInt64) {
        calls.close(call, status, position: position, output: &frames)
    }

    /// The token has ended and its user knows: the stream is over.
    func finish(_ stream: LineStream, position: UInt64) {
        lineStreams.removeAll { $0 === stream }
        close(stream.call, .ok, position: position)
    }

    func submitted(_ call: CallID) { calls.submitted(call) }

    func isWanted(_ call: CallID) -> Bool { isOpen && calls.isWanted(call) }

    func flush() {
        guard isOpen, !frames.isEmpty else {
            frames = []
            return
        }
        var start = 0
        while start < frames.count {
            let rest = frames.rawSpan.extracting(droppingFirst: start)
            let count = rest.wholeFrames(within: Door.limits.messageBytes)
            link.sendToClient([UInt8](copying: rest.extracting(first: count)))
            start += count
        }
        frames = []
        door.memory.check(unsentBytes: link.unsentBytes, runningCalls: calls.runningCount)
    }

    /// The slow reader has caught up: sends what is owed, and reads again.
    private func goOn() {
        guard isOpen else { return }
        for stream in lineStreams where stream.isOwed { door.sendUpdate(stream) }
        for watch in seatWatches where watch.isOwed { door.sendSeats(watch) }
        flush()
        if !link.serverReads { link.serverReads = true }
    }

    // MARK: Time and end

    private func wakeInTime() {
        guard isOpen, let deadline = [calls.nextCallDeadline, calls.nextLivenessDeadline].compactMap({ $0 }).min(),
            deadline < wakesAt
        else { return }
        wakesAt = deadline
        door.network.after(deadline - min(deadline, door.now)) { [weak self] in self?.wake() }
    }

    private func wake() {
        wakesAt = .max
        guard isOpen else { return }
        var events = Events(session: self)
        do throws(ConnectionViolation) {
            try calls.expire(now: door.now, output: &frames, handler: &events)
            handleArrived()
            flush()
            wakeInTime()
        } catch {
            // Silence: a connection that died without a word.
            close()
        }
    }

    /// Ends the connection from this side.
    func close() {
        link.cut(serverNoticesAfter: nil, clientNoticesAfter: 1)
        end()
    }

    /// The process is gone.
    func abandon() {
        isOpen = false
        lineStreams = []
        seatWatches = []
        link.cut(serverNoticesAfter: nil, clientNoticesAfter: 20)
    }

    private func end() {
        guard isOpen else { return }
        isOpen = false
        calls.shut()
        for stream in lineStreams { door.drop(stream) }
        lineStreams = []
        seatWatches = []
        door.ended(self)
    }

    /// Hands call events over while the call machine is at work: what needs the machine for an answer is noted and handled after.
    private struct Events: ServerCallsHandler {
        let session: ServerSession

        mutating func hello(_ hello: Hello, in calls: inout ServerCalls, output: inout [UInt8]) {
            session.greet(hello, in: &calls, output: &output)
        }

        mutating func opened(
            _ call: CallID, _ open: OpenView, deadline: UInt64?, in calls: inout ServerCalls, output: inout [UInt8]
        ) {
            do throws(Status) {
                session.arrived.append(try IncomingCall(call, open))
            } catch {
                calls.close(call, error, output: &output)
            }
        }

        mutating func credited(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
            session.credited.append(call)
        }

        mutating func cancelled(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
            session.ended.append((call, .cancelled(mayHaveHappened: false)))
        }

        mutating func expired(_ call: CallID, in calls: inout ServerCalls, output: inout [UInt8]) {
            session.ended.append((call, .deadlineExceeded(mayHaveHappened: false)))
        }
    }
}

/// A shopper's stream of their place in line.
final class LineStream {
    unowned let session: ServerSession
    let call: CallID
    let token: UInt64
    let place: Int
    /// A state that could not be sent yet: the latest, whatever came before.
    var isOwed = true
    var lastSent: LineUpdate?

    init(session: ServerSession, call: CallID, token: UInt64, place: Int) {
        self.session = session
        self.call = call
        self.token = token
        self.place = place
    }
}

/// A shopper's stream of the seats.
final class SeatWatch {
    unowned let session: ServerSession
    let call: CallID
    var isOwed = true
    var lastRevision: UInt64?

    init(session: ServerSession, call: CallID) {
        self.session = session
        self.call = call
    }
}
