import WebSocket
import Wire

/// What `--echo` adds beside the product, for suites and figures: WebSocket alone, with nothing of Usher above it.
enum TestEndpoint: Equatable {
    /// Answers every message with itself.
    case echo
    /// Gets what is published.
    case subscribe
    /// Each of its messages goes to all subscribers of this loop.
    case publish

    init?(path: Substring) {
        switch path {
        case "/echo": self = .echo
        case "/sub": self = .subscribe
        case "/pub": self = .publish
        default: return nil
        }
    }
}

extension Gateway {
    /// The way of every push to many: framed once, then one write a connection.
    func publish(_ kind: MessageKind, _ payload: RawSpan) {
        let frame = WebSocket.encode(kind, payload, deflate: deflate)
        for session in subscribers { session.send(frame) }
    }
}
