// The header of a frame, RFC 6455 section 5.2:
//
//   0                 1                 2            2, 4 or 10     2, 4 or 10, +4
//   ┌─┬─┬─┬─┬────────┬─┬───────────────┬────────────┬──────────────┬──────────
//   │F│R│R│R│ opcode │M│ length        │ nothing, 2 │ nothing, or  │ payload
//   │I│S│S│S│ 4 bits │A│ 7 bits: 0–125,│ or 8 bytes │ the masking  │
//   │N│1│2│3│        │S│ 126 or 127    │ of length  │ key, 4 bytes │
//   └─┴─┴─┴─┴────────┴K┴───────────────┴────────────┴──────────────┴──────────
//
// All that the first two bytes can tell is checked before a third is waited for.

enum Opcode: UInt8 {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xa

    var isControl: Bool { rawValue & 0x8 != 0 }
}

struct WebSocketFrameHeader {
    static let controlPayloadBytesMax = 125

    let isFinal: Bool
    /// RSV1: the message is compressed (only ever true where that was negotiated).
    let isCompressed: Bool
    let opcode: Opcode
    let isMasked: Bool
    /// The size of the whole header in bytes.
    let byteCount: Int

    /// Reads and checks the first two bytes.
    ///
    /// - Parameters:
    ///   - isFromClient: whether the peer is a client, whose frames must be masked.
    ///   - allowsCompression: whether permessage-deflate was negotiated.
    init(_ first: UInt8, _ second: UInt8, isFromClient: Bool, allowsCompression: Bool) throws(WebSocketFault) {
        guard first & 0x30 == 0 else { throw .reservedBits }
        guard let opcode = Opcode(rawValue: first & 0x0f) else { throw .unknownOpcode }
        isFinal = first & 0x80 != 0
        isCompressed = first & 0x40 != 0
        isMasked = second & 0x80 != 0
        self.opcode = opcode

        if isCompressed {
            // Only the first frame of a message carries RSV1, RFC 7692 section 6.
            guard allowsCompression, opcode == .text || opcode == .binary else { throw .reservedBits }
        }
        guard isMasked == isFromClient else { throw isFromClient ? .unmaskedFromClient : .maskedFromServer }
        let length = second & 0x7f
        if opcode.isControl {
            guard isFinal else { throw .controlFragmented }
            guard length <= Self.controlPayloadBytesMax else { throw .controlTooLong }
        }
        byteCount = 2 + (length < 126 ? 0 : length == 126 ? 2 : 8) + (isMasked ? 4 : 0)
    }

    /// The payload length that the whole header `bytes` tells, which is less than 2^63.
    func payloadBytes(in bytes: RawSpan) throws(WebSocketFault) -> UInt64 {
        let short = bytes[1] & 0x7f
        switch short {
        case 126:
            let length = bytes.bigEndian(at: 2, as: UInt16.self)
            guard length > 125 else { throw .lengthNotMinimal }
            return UInt64(length)
        case 127:
            guard bytes[2] & 0x80 == 0 else { throw .lengthTopBit }
            let length = bytes.bigEndian(at: 2, as: UInt64.self)
            guard length > 0xffff else { throw .lengthNotMinimal }
            return length
        default:
            return UInt64(short)
        }
    }

    /// The masking key at the end of the whole header `bytes`, its first byte lowest; 0 if unmasked.
    func maskingKey(in bytes: RawSpan) -> UInt32 {
        isMasked ? bytes.littleEndian(at: byteCount - 4, as: UInt32.self) : 0
    }

    /// Appends the header of an unfragmented frame, its length in the shortest form.
    ///
    /// - Parameter maskingKey: the key whose four bytes follow, its first byte lowest; nil from a server.
    static func append(
        _ opcode: Opcode, isCompressed: Bool = false, payloadBytes: Int, maskingKey: UInt32? = nil, to output: inout [UInt8]
    ) {
        output.append(0x80 | (isCompressed ? 0x40 : 0) | opcode.rawValue)
        let maskBit: UInt8 = maskingKey == nil ? 0 : 0x80
        switch payloadBytes {
        case ...125:
            output.append(maskBit | UInt8(payloadBytes))
        case ...0xffff:
            output.append(maskBit | 126)
            output.append(UInt8(payloadBytes >> 8))
            output.append(UInt8(payloadBytes & 0xff))
        default:
            output.append(maskBit | 127)
            for shift in stride(from: 56, through: 0, by: -8) {
                output.append(UInt8(truncatingIfNeeded: payloadBytes >> shift))
            }
        }
        if let maskingKey {
            for shift in stride(from: 0, through: 24, by: 8) {
                output.append(UInt8(truncatingIfNeeded: maskingKey >> UInt32(shift)))
            }
        }
    }
}
