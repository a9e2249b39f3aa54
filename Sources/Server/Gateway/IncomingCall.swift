import Calls
import Crypto
import UsherAPI
import Wire

/// A call as it came in, with everything of its OPEN that outlives the frame. It is handled right after the bytes it came
/// with have been taken in, when the session's call machine is free to answer.
struct IncomingCall {
    var id: CallID
    var method: Method
    var request: Request
    var requestID: Uuid
    /// First 8 bytes of SHA-256 over method and request, for commands: the same request id must come with the same contents.
    var contents: UInt64
    /// How often the request id was sent before. A repeat is decided by the journal alone.
    var attempts: UInt32
    var lastSequence: UInt64
    var position: UInt64
    /// From metadata `authorization: Bearer …`: acts for this identity instead of the connection's.
    var bearer: String?
    /// From metadata `queue-token`.
    var queueToken: [UInt8]?

    /// Reads a call.
    ///
    /// - Throws: a `Status` that says what is wrong; nothing has been begun.
    init(_ call: CallID, _ open: OpenView) throws(Status) {
        guard let method = Method(path: open.method) else {
            throw Status(
                .unknownMethod,
                "There is no method \(String(validating: [UInt8](copying: open.method), as: UTF8.self) ?? "of that name"); protocol/README.md lists them."
            )
        }
        id = call
        self.method = method
        requestID = open.requestID ?? .none
        attempts = open.attempts
        lastSequence = open.lastSequence
        position = open.position
        contents = 0
        if method.isCommand {
            guard !requestID.isNone else {
                throw Status(
                    .requestIDMissing, "A command needs a request id, a UUID that the client makes up and keeps for repeats.")
            }
            var hash = SHA256()
            hash.update(open.method)
            hash.update(open.request)
            contents = hash.finalize().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        }
        do {
            request = try Request(method, open.request)
        } catch {
            throw Status(.malformedRequest, "The request is not a well-formed message of this method (\(error)).")
        }
        if let authorization = open.metadata("authorization") {
            guard let text = String(validating: [UInt8](copying: authorization), as: UTF8.self), text.hasPrefix("Bearer ")
            else {
                throw Status(.metadataInvalid, "Metadata 'authorization' must be 'Bearer ' and a token.")
            }
            bearer = String(text.dropFirst("Bearer ".count))
        }
        if let token = open.metadata("queue-token") { queueToken = [UInt8](copying: token) }
    }
}
