import Reactor
import WebSocket

/// The operator's own listener: `/healthz`, `/readyz`, `/metrics`, and nothing else. Plain HTTP, one request a connection,
/// on loopback unless set otherwise.
final class AdminConnection: ConnectionHandler, TimerTarget {
    /// What the pages show.
    struct Facts {
        /// Why the server takes no clients just now; nil: ready.
        var notReady: String?
        /// Made only when asked for: most ask whether the server is ready.
        var metrics: () -> String
    }

    private static let requestMilliseconds: UInt64 = 5_000

    private let connection: Connection
    private let facts: () -> Facts
    private var reader: HTTPHeadReader? = HTTPHeadReader()
    private var timer = TimerToken.none

    init(_ connection: Connection, facts: @escaping () -> Facts) {
        self.connection = connection
        self.facts = facts
    }

    func connected(_ connection: Connection) {
        timer = connection.loop.schedule(after: Self.requestMilliseconds, self)
    }

    func received(_ connection: Connection, _ bytes: consuming MutableRawSpan) {
        guard reader != nil else { return }
        var consumed = 0
        do throws(HTTPFault) {
            guard let head = try reader!.readRequest(bytes.bytes, consumed: &consumed) else { return }
            answer(page(head))
        } catch {
            answer(error.response())
        }
    }

    func closed(_ connection: Connection, _ cause: CloseCause) {
        connection.loop.cancel(timer)
    }

    func timerFired(_ tag: Int) {
        answer(HTTPResponse.encode(.requestTimeout))
    }

    private func answer(_ response: [UInt8]) {
        reader = nil
        connection.write(response)
        connection.close()
    }

    private func page(_ head: HTTPRequestHead) -> [UInt8] {
        let includesBody = head.method != "HEAD"
        guard head.method == "GET" || !includesBody else {
            return HTTPResponse.encode(.methodNotAllowed, fields: [("Allow", "GET, HEAD")])
        }
        let text = [("Content-Type", "text/plain; charset=utf-8")]
        switch head.path.prefix(while: { $0 != "?" }) {
        case "/healthz":
            return HTTPResponse.encode(.ok, fields: text, body: Array("alive\n".utf8), includesBody: includesBody)
        case "/readyz":
            let notReady = facts().notReady
            return HTTPResponse.encode(
                notReady == nil ? .ok : .serviceUnavailable, fields: text, body: Array("\(notReady ?? "ready")\n".utf8),
                includesBody: includesBody)
        case "/metrics":
            return HTTPResponse.encode(
                .ok, fields: [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")],
                body: Array(facts().metrics().utf8),
                includesBody: includesBody)
        default:
            return HTTPResponse.encode(
                .notFound, fields: text, body: Array("there are /healthz, /readyz and /metrics\n".utf8),
                includesBody: includesBody)
        }
    }
}
