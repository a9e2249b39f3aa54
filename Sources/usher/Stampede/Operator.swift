import Calls
import Client
import Reactor
import UsherAPI
import Wire

/// A connection of the tool's own, beside the crowd: the operator's, or that of the one who looks at the seats at the
/// end. Asks and waits, turning its loop by hand.
final class SideConnection: ClientConnectionHandler {
    let loop: EventLoop
    private let hub: ClientHub
    private(set) var connection: ClientConnection?
    private(set) var end: ConnectionEnd?
    private(set) var welcome: Welcome?

    init(_ target: Target, _ identity: Hello.Identity, loop: EventLoop) throws(StampedeError) {
        self.loop = loop
        hub = ClientHub(loop: loop)
        connection = hub.connect(
            to: target.address, endpoint: target.endpoint, hello: ClientHello(identity, clientName: "usher-stampede"),
            handler: self)
        wait(upTo: 15_000) { self.welcome != nil || self.end != nil }
        guard welcome != nil else {
            throw StampedeError("\(target.endpoint.host): \(end?.description ?? "no answer within 15 s")")
        }
    }

    /// It has ended or is about to: nothing more can be asked.
    var isOver: Bool { end != nil || isGoingAway }
    private var isGoingAway = false

    func goingAway(_ connection: ClientConnection, _ goAway: GoAway) { isGoingAway = true }

    func welcomed(_ connection: ClientConnection, _ welcome: Welcome) { self.welcome = welcome }

    func ended(_ connection: ClientConnection, _ end: ConnectionEnd) {
        self.end = end
        self.connection = nil
    }

    /// Turns the loop until something is so, or time is up.
    func wait(upTo milliseconds: UInt64, until done: () -> Bool) {
        let deadline = Clock.monotonicMilliseconds() + milliseconds
        while !done(), Clock.monotonicMilliseconds() < deadline { loop.turn(upTo: 50) }
    }

    /// One call and its answer.
    func ask<Response: WireMessage>(
        _ method: Method, _ request: some WireMessage, returning: Response.Type = Response.self
    ) throws(StampedeError) -> Response {
        var answer: Result<Response, Status>?
        begin(method, request) { (result: Result<Response, Status>) in answer = result }
        wait(upTo: 15_000) { answer != nil || end != nil }
        switch answer {
        case .success(let response)?: return response
        case .failure(let status)?: throw StampedeError("\(method): \(status.reason): \(status.message)")
        case nil: throw StampedeError("\(method): \(end?.description ?? "no answer within 15 s")")
        }
    }

    /// One call, whose answer comes when it comes.
    func begin<Response: WireMessage>(
        _ method: Method, _ request: some WireMessage, _ answer: @escaping (Result<Response, Status>) -> Void
    ) {
        _ = try? connection?.call(method, request, CallOptions(timeoutMilliseconds: 15_000), answer)
    }

    /// Takes a place, waits for its turn and reads all seats.
    ///
    /// - Returns: the sold seats of each performance; nil if its turn did not come in time.
    func soldSeats(of concert: String) -> [String: Set<UInt32>]? {
        var isActive = false
        _ = try? connection?.stream(
            .join, JoinRequest(concert: concert), returning: LineUpdate.self,
            message: { isActive = isActive || $0.payload.state == .active }, closed: { _ in })
        wait(upTo: 20_000) { isActive || end != nil }
        guard isActive else { return nil }
        var sold: [String: Set<UInt32>] = [:]
        var status: Status?
        var current = ""
        let request = StreamSeatsRequest(concert: concert, fromMs: 0, includeSoldOut: true)
        _ = try? connection?.stream(
            .streamSeats, request, returning: SeatList.self,
            message: { message in
                if !message.payload.performance.isEmpty { current = message.payload.performance }
                sold[current, default: []].formUnion(message.payload.seats.filter { $0.state == .sold }.map(\.number))
            }, closed: { status = $0 })
        wait(upTo: 20_000) { status != nil || end != nil }
        let isComplete = status?.code == .ok
        let _: Result<LeaveResponse, any Error> = Result { try ask(.leave, LeaveRequest(concert: concert)) }
        return isComplete ? sold : nil
    }

    func close() {
        connection?.close()
        wait(upTo: 500) { end != nil }
    }
}

/// Why a stampede could not be run.
struct StampedeError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
