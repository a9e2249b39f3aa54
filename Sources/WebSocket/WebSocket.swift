// One WebSocket connection after its handshake: RFC 6455, with permessage-deflate (RFC 7692) where negotiated.
// Bytes in, messages and bytes out; no socket, clock or randomness.
//
// States, and what moves between them:
//
//             close()                    Close frame
//    open ─────────────▶ closeSent ─────────────────────────▶ closed
//      │                     └──────── fault ───────────────▶
//      └─ Close frame (answered with one) or fault (told in one) ▶
//
// Invariants:
//  1. At most one Close frame is sent, and nothing after it.
//  2. In `closeSent` messages and pings are checked but dropped; in `closed` all bytes are ignored.
//  3. `buffer` holds only what came of a message that has not ended; what lies whole in the given bytes is
//     never copied. `control` holds only the part of a control frame whose rest has not come.
//  4. `buffer` never outgrows `maxMessageBytes` (for a compressed message, the most that DEFLATE makes of it).
//  5. No compression state lives here: both no_context_takeovers are always negotiated, so a message's state
//     belongs to whoever processes it, one `DeflateContext` for each loop.

/// A WebSocket connection of either role, without its transport. About 90 bytes; buffers exist only while a
/// message or control frame is incomplete.
public struct WebSocket: ~Copyable {
    enum Phase: UInt8 {
        case open, closeSent, closed
    }

    /// The client's masking keys; nil for a server, and what tells the roles apart.
    var keys: MaskingKeysBox?
    var phase = Phase.open

    // The message under way.
    var buffer: [UInt8] = []
    var messageKind: MessageKind?
    public internal(set) var messageIsCompressed = false
    var messageText = UTF8Checker()
    var fragmentCount: UInt32 = 0

    // The frame under way: its header as far as it has come, then what its payload still lacks.
    var header = InlineArray<14, UInt8>(repeating: 0)
    var headerCount: UInt8 = 0
    var isInPayload = false
    var frameIsFinal = false
    var frameOpcode = Opcode.continuation
    var maskingKey: UInt32 = 0
    var payloadBytesLeft = 0
    var control: [UInt8] = []

    // What was agreed.
    let maxFragments: UInt32
    let maxMessageBytes: Int
    /// The LZ77 window for what is sent, 8 to 15; 0 if permessage-deflate was not negotiated.
    let sendWindowBits: UInt8

    /// A server's end of a connection.
    ///
    /// - Parameter deflate: what the handshake negotiated, nil for no compression.
    public init(serverWith limits: WebSocketLimits, deflate: DeflateAgreement? = nil) {
        self.init(limits, deflate, keys: nil)
    }

    /// A client's end of a connection.
    ///
    /// - Parameter maskSecret: 128 bits from a strong source of randomness, for this connection only.
    public init(clientWith limits: WebSocketLimits, deflate: DeflateAgreement? = nil, maskSecret: (low: UInt64, high: UInt64)) {
        self.init(limits, deflate, keys: MaskingKeysBox(MaskingKeys(secret: maskSecret)))
    }

    private init(_ limits: WebSocketLimits, _ deflate: DeflateAgreement?, keys: MaskingKeysBox?) {
        precondition(limits.maxMessageBytes >= 0 && limits.maxFragments > 0)
        self.keys = keys
        // zlib counts in 32 bits, and half of that leaves room to add without thinking of overflow.
        maxMessageBytes = min(limits.maxMessageBytes, Int(Int32.max))
        maxFragments = UInt32(clamping: limits.maxFragments)
        sendWindowBits = deflate?.sendWindowBits ?? 0
    }

    /// Whether messages can still be sent.
    public var isOpen: Bool { phase == .open }

    /// Whether the connection is over: nothing is sent any more and whatever comes is ignored.
    public var isClosed: Bool { phase == .closed }

    /// The bytes this connection owns at the moment, of a message or control frame that is incomplete.
    public var bufferedBytes: Int { buffer.count + control.count }
}

/// Keeps the keys, which only clients have, out of the servers' connections.
final class MaskingKeysBox {
    var keys: MaskingKeys

    init(_ keys: MaskingKeys) {
        self.keys = keys
    }
}
