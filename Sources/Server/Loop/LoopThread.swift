import Calls
import Crypto
import Reactor
import Sequencer
import UsherAPI
import WebSocket

/// What the instance says to one of its loops.
enum LoopOrder: Sendable {
    /// Take nobody any more, send everybody away, then end.
    case drain(Farewell)
}

/// Everything one loop starts with.
struct LoopStart: Sendable {
    let index: Int
    let loops: Int
    let settings: ServerSettings
    let instance: InstanceFacts
    let identities: IdentityChecker
    let key: Ed25519PrivateKey
    let tls: TLSContext
    let socket: ListeningSocket
    let metrics: Metrics
    let commands: Mailbox<ToSequencer>
    let inbox: LoopInbox
    let image: SaleImage
    let orders: Mailbox<LoopOrder>

    /// Starts the loop's thread and returns once it accepts clients.
    func run() throws -> Thread {
        let started = Handoff<SystemError?>()
        let thread = try Thread.start(name: "loop \(index)") {
            do throws(SystemError) {
                let loop = try EventLoop()
                let gateway = try serve(on: loop)
                started.give(nil)
                loop.run()
                withExtendedLifetime(gateway) {}
            } catch {
                started.give(error)
            }
        }
        if let error = started.take() {
            thread.join()
            throw error
        }
        return thread
    }

    private func serve(on loop: EventLoop) throws(SystemError) -> Gateway {
        let gateway = Gateway(
            loop: loop, index: index, settings: settings, instance: instance, identities: identities,
            queueTokens: QueueTokens(key: key, epoch: instance.epoch),
            metrics: metrics, commands: commands, image: image)
        inbox.attach(to: loop) { delta, answers, standing in
            // Whose Join is among the answers is here too, should the instance have joined the others anew.
            gateway.take(delta, answers)
            gateway.take(standing)
        }
        var limits = ListenerLimits()
        limits.connectionsMax = max(1, settings.connectionsMax / loops)
        limits.handshakeMilliseconds = gateway.limits.handshakeMilliseconds
        let listener = try loop.listen(on: socket, tls: tls, limits: limits) { Session(gateway, $0) }
        loop.attach(orders) { orders in
            for case .drain(let farewell) in orders {
                listener.close()
                gateway.drain(farewell) { loop.control.stop() }
            }
        }
        return gateway
    }
}

extension Gateway {
    /// Pages of the clients' port that are no WebSocket.
    func page(_ head: HTTPRequestHead, path: String) -> [UInt8] {
        let includesBody = head.method != "HEAD"
        guard head.method == "GET" || !includesBody else {
            return HTTPResponse.encode(.methodNotAllowed, fields: [("Allow", "GET, HEAD")])
        }
        switch path {
        case "/.well-known/jwks.json":
            return HTTPResponse.encode(
                .ok,
                fields: [
                    ("Content-Type", "application/jwk-set+json"), ("Cache-Control", "max-age=300"),
                    ("Access-Control-Allow-Origin", "*"),
                ],
                body: Array(queueTokens.published.utf8), includesBody: includesBody)
        default:
            return HTTPResponse.encode(
                .notFound, fields: [("Content-Type", "text/plain; charset=utf-8")],
                body: Array(
                    "The WebSocket is at /v1 (subprotocol \(subprotocol)); the keys are at /.well-known/jwks.json.\n".utf8),
                includesBody: includesBody)
        }
    }
}
