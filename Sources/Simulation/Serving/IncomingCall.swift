internal import Calls
internal import UsherAPI
internal import Wire

/// A call as it came in, with what outlives its frame.
struct IncomingCall {
    let id: CallID
    let method: Method
    let request: [UInt8]
    let requestID: Uuid
    let contents: UInt64
    let attempts: UInt32
    let position: UInt64
    /// From metadata `queue-token`: what the server signs, here in plain text.
    let queueToken: QueueToken?

    init(_ call: CallID, _ open: OpenView) throws(Status) {
        guard let method = Method(path: open.method) else { throw Status(.unknownMethod, "door: no such method") }
        id = call
        self.method = method
        request = [UInt8](copying: open.request)
        requestID = open.requestID ?? .none
        attempts = open.attempts
        position = open.position
        if let token = open.metadata("queue-token") {
            queueToken = QueueToken(String(decoding: [UInt8](copying: token), as: UTF8.self))
        } else {
            queueToken = nil
        }
        // FNV-1a in place of the server's SHA-256: what matters is that other contents have another number.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in method.description.utf8 + request { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        contents = hash
        if method.isCommand, requestID.isNone { throw Status(.requestIDMissing, "door: a command needs a request id") }
    }

    /// The request as the message that the method takes.
    func decoded<Message: WireMessage>(_ type: Message.Type = Message.self) throws(Status) -> Message {
        do {
            return try Message(decoding: request)
        } catch {
            throw Status(.malformedRequest, "door: \(error)")
        }
    }
}

/// A place that its holder can show on any connection.
struct QueueToken: CustomStringConvertible {
    let id: UInt64
    let place: Int

    init(id: UInt64, place: Int) {
        self.id = id
        self.place = place
    }

    init?(_ text: String) {
        let parts = text.split(separator: "/")
        guard parts.count == 2, let id = UInt64(parts[0]), let place = Int(parts[1]) else { return nil }
        self.init(id: id, place: place)
    }

    var description: String { "\(id)/\(place)" }
}
