/// What a peer can do wrong on a WebSocket. Each ends the connection with `closeCode`.
public enum WebSocketFault: UInt8, Error, Sendable, CaseIterable {
    // Frames, RFC 6455 section 5.2 to 5.5.
    case reservedBits, unknownOpcode, unmaskedFromClient, maskedFromServer
    case lengthNotMinimal, lengthTopBit
    case controlFragmented, controlTooLong
    case continuationWithoutStart, messageInsideMessage
    // Close frames, sections 5.5.1 and 7.4.
    case closePayloadOfOneByte, closeCodeInvalid, closeReasonNotUTF8
    // Contents.
    case textNotUTF8, deflateMalformed
    // Our limits.
    case messageTooBig, tooManyFragments

    /// The code of the Close frame that answers the fault.
    public var closeCode: WebSocketCloseCode {
        switch self {
        case .reservedBits, .unknownOpcode, .unmaskedFromClient, .maskedFromServer, .lengthNotMinimal, .lengthTopBit,
            .controlFragmented, .controlTooLong, .continuationWithoutStart, .messageInsideMessage,
            .closePayloadOfOneByte, .closeCodeInvalid:
            .protocolError
        case .closeReasonNotUTF8, .textNotUTF8, .deflateMalformed: .invalidPayload
        case .messageTooBig, .tooManyFragments: .messageTooBig
        }
    }

    /// The reason of the Close frame that answers the fault; ASCII, at most 123 bytes.
    public var reason: String {
        switch self {
        case .reservedBits: "a reserved bit is set that no extension negotiated"
        case .unknownOpcode: "the opcode is reserved"
        case .unmaskedFromClient: "a client must mask its frames"
        case .maskedFromServer: "a server must not mask its frames"
        case .lengthNotMinimal: "the length is not in its shortest form"
        case .lengthTopBit: "the top bit of the 64-bit length is set"
        case .controlFragmented: "a control frame must not be fragmented"
        case .controlTooLong: "a control frame carries at most 125 bytes"
        case .continuationWithoutStart: "a continuation without a message to continue"
        case .messageInsideMessage: "a new message before the last one ended"
        case .closePayloadOfOneByte: "a close payload is empty or starts with a two-byte code"
        case .closeCodeInvalid: "the close code is reserved or out of range"
        case .closeReasonNotUTF8: "the close reason is not UTF-8"
        case .textNotUTF8: "a text message is not UTF-8"
        case .deflateMalformed: "a compressed message is not valid DEFLATE"
        case .messageTooBig: "the message exceeds the size limit"
        case .tooManyFragments: "the message has too many fragments"
        }
    }
}
