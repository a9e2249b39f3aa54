internal import Crypto
public import UsherAPI
internal import WebSocket

/// What HELLO says.
public struct ClientHello: Sendable {
    /// Who the client is; nil: nobody yet.
    public var identity: Hello.Identity?
    /// The journal and the highest position of it that was seen before.
    public var epoch: Uuid?
    /// The highest position seen before.
    public var position: UInt64 = 0
    /// The program, for the server's log.
    public var clientName: String
    /// The program's version.
    public var clientVersion: String

    /// A HELLO of that identity.
    public init(
        _ identity: Hello.Identity?, epoch: Uuid? = nil, position: UInt64 = 0, clientName: String = "usher-swift",
        clientVersion: String = "1"
    ) {
        self.identity = identity
        self.epoch = epoch
        self.position = position
        self.clientName = clientName
        self.clientVersion = clientVersion
    }

    var message: Hello {
        Hello(
            clientName: clientName, clientVersion: clientVersion, identity: identity, epoch: epoch, position: position)
    }
}

/// What is needed from the first byte until the WebSocket stands, and thrown away then.
final class Upgrade {
    let hello: ClientHello
    let maskSecret: (low: UInt64, high: UInt64)
    private let handshake: ClientHandshake
    private var reader = HTTPHeadReader()

    /// What the bytes so far come to.
    enum Progress {
        case needMore
        /// The WebSocket stands; so many of the bytes belong to the answer.
        case done(consumed: Int)
        case failed(ConnectionEnd)
    }

    init(_ endpoint: ClientEndpoint, _ hello: ClientHello) {
        self.hello = hello
        let random = randomBytes(32)
        func word(_ start: Int) -> UInt64 { random[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        maskSecret = (word(16), word(24))
        handshake = ClientHandshake(
            host: endpoint.host, path: endpoint.path, nonce: Array(random[..<16]), subprotocols: ["usher.v1"])
    }

    var request: [UInt8] { handshake.request }

    func take(_ bytes: RawSpan) -> Progress {
        var consumed = 0
        var status: Int?
        var retryAfter: UInt64?
        do {
            guard let head = try reader.readResponse(bytes, consumed: &consumed) else { return .needMore }
            status = head.status
            retryAfter = head.fields.only("retry-after").flatMap { UInt64($0) }.map { min($0, 3600) * 1000 }
            let agreement = try handshake.check(head)
            guard agreement.subprotocol == "usher.v1" else { return .failed(.notUsher("it does not speak usher.v1")) }
            return .done(consumed: consumed)
        } catch ClientHandshakeFault.refused {
            return .failed(.upgradeRefused(httpStatus: status ?? 0, retryAfterMilliseconds: retryAfter))
        } catch let fault as HTTPFault {
            return .failed(.notUsher(fault.sentence))
        } catch {
            return .failed(.notUsher("its answer to the WebSocket upgrade is invalid"))
        }
    }
}
