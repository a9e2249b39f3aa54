// permessage-deflate, RFC 7692 section 7.2, without context takeover: each message is compressed by itself.
//
//   compress:    deflate the message, flush with Z_SYNC_FLUSH, cut the last four bytes (00 00 FF FF)
//   decompress:  inflate the payload followed by 00 00 FF FF; the result must end between two blocks
//
// So zlib's state (about 300 KB with both directions) serves all connections of a loop in turn, and is made
// when the first message needs it. Inflating writes at most one byte more than is allowed, whatever the input
// claims: a bomb costs what an honest message of the largest size costs.

import CZlib

/// What the handshake agreed on for compression.
///
/// Both no_context_takeovers hold always, so only the window for what we send is left to say.
public struct DeflateAgreement: Sendable, Equatable {
    /// The peer's LZ77 window in bits, 8 to 15: no distance in what we send may exceed it.
    public let sendWindowBits: UInt8

    init(sendWindowBits: UInt8) {
        precondition((8...15).contains(sendWindowBits))
        self.sendWindowBits = sendWindowBits
    }
}

/// Compresses and decompresses the messages of all connections of one loop. Confined to that loop's thread.
@safe
public final class DeflateContext {
    /// Buffers above this size are given up after the message that needed them.
    private static let keptBytesMax = 256 << 10
    private static let firstBytes = 16 << 10
    private static let tail: [UInt8] = [0x00, 0x00, 0xff, 0xff]
    /// zlib's default; with a 15-bit window a stream takes 256 KB.
    private static let memoryLevel: Int32 = 8

    private let level: Int32
    private let thresholdBytes: Int
    private var inflater: UnsafeMutablePointer<z_stream>?
    /// By window bits, 9 to 15 (zlib has no raw 8).
    private var deflaters = unsafe InlineArray<7, UnsafeMutablePointer<z_stream>?>(repeating: nil)
    private var inflated: [UInt8] = []
    private(set) var deflated: [UInt8] = []

    /// - Parameters:
    ///   - level: zlib's, 1 (fast) to 9 (small).
    ///   - thresholdBytes: messages smaller than this are not worth compressing and are sent as they are.
    public init(level: Int = 6, thresholdBytes: Int = 256) {
        precondition((1...9).contains(level) && thresholdBytes >= 0)
        self.level = Int32(level)
        self.thresholdBytes = thresholdBytes
    }

    deinit {
        // Safe: each pointer was allocated and initialised here, and nothing else keeps it.
        if let inflater = unsafe inflater {
            unsafe inflateEnd(inflater)
            unsafe inflater.deallocate()
        }
        for index in 0..<7 {
            if let deflater = unsafe deflaters[index] {
                unsafe deflateEnd(deflater)
                unsafe deflater.deallocate()
            }
        }
    }

    // MARK: Inflating

    /// The most bytes that DEFLATE makes of `count` incompressible ones (zlib's `deflateBound`, rounded up).
    static func deflatedBytesMax(of count: Int) -> Int {
        count + count >> 10 + 64
    }

    /// Inflates a whole message into `inflated`.
    ///
    /// - Parameters:
    ///   - bytesMax: the size limit of the result.
    ///   - isText: whether the result has to be UTF-8.
    /// - Returns: the size of the result.
    /// - Throws: `.messageTooBig`, `.deflateMalformed`, `.textNotUTF8`.
    func inflate(_ message: RawSpan, bytesMax: Int, isText: Bool) throws(WebSocketFault) -> Int {
        // Safe: `inflater` lives as long as `self`; input and output pointers are valid for the calls they are given to.
        let stream = unsafe openInflater()
        guard unsafe inflateReset(stream) == Z_OK else { preconditionFailure("inflateReset") }
        var count = 0
        _ = unsafe try feed(message, to: stream, &count, bytesMax)
        guard unsafe try feed(Self.tail.raw, to: stream, &count, bytesMax) else { throw .deflateMalformed }
        if isText {
            let text = inflated
            guard UTF8Checker.accepts(text.raw.extracting(0..<count)) else { throw .textNotUTF8 }
        }
        return count
    }

    /// - Returns: whether the input ended between two blocks.
    private func feed(
        _ input: RawSpan, to stream: UnsafeMutablePointer<z_stream>, _ count: inout Int, _ bytesMax: Int
    ) throws(WebSocketFault) -> Bool {
        unsafe try input.withUnsafeBytes { (input) throws(WebSocketFault) in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(
                mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
            unsafe stream.pointee.avail_in = UInt32(input.count)
            var ended = false
            while true {
                if count == min(inflated.count, bytesMax + 1) { growInflated(bytesMax + 1) }
                let room = min(inflated.count, bytesMax + 1) - count
                let result = unsafe inflated.withUnsafeMutableBufferPointer { output in
                    unsafe stream.pointee.next_out = output.baseAddress! + count
                    unsafe stream.pointee.avail_out = UInt32(room)
                    return unsafe CZlib.inflate(stream, Z_SYNC_FLUSH)
                }
                let roomLeft = unsafe Int(stream.pointee.avail_out)
                count += room - roomLeft
                guard count <= bytesMax else { throw .messageTooBig }
                ended = false
                switch result {
                case Z_OK: break
                case Z_BUF_ERROR: return unsafe stream.pointee.data_type & 128 != 0  // nothing left to do
                case Z_STREAM_END:
                    // A final block is allowed anywhere, RFC 7692 section 7.2.3.4; what follows starts anew.
                    guard unsafe inflateReset(stream) == Z_OK else { preconditionFailure("inflateReset") }
                    ended = true
                default: throw .deflateMalformed
                }
                if unsafe stream.pointee.avail_in == 0, roomLeft > 0 {
                    return unsafe ended || stream.pointee.data_type & 128 != 0
                }
            }
        }
    }

    private func growInflated(_ bytesMax: Int) {
        let size = min(max(inflated.count * 2, Self.firstBytes), bytesMax)
        inflated.append(contentsOf: repeatElement(0, count: size - inflated.count))
    }

    private func openInflater() -> UnsafeMutablePointer<z_stream> {
        if let inflater = unsafe inflater { return unsafe inflater }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // The largest window reads what any smaller one wrote.
        guard unsafe zlib_inflate_init_raw(stream, 15) == Z_OK else { fatalError("zlib: out of memory") }
        unsafe inflater = stream
        return unsafe stream
    }

    /// The buffer that `inflate` filled, to be given back.
    @usableFromInline
    func takeInflated() -> [UInt8] {
        let bytes = inflated
        inflated = []
        return bytes
    }

    @usableFromInline
    func giveBack(inflated bytes: consuming [UInt8]) {
        if bytes.count <= Self.keptBytesMax { inflated = bytes }
    }

    // MARK: Deflating

    /// Compresses a whole message into `deflated`.
    ///
    /// - Returns: the size of the result; nil if the message is under the threshold or would not get smaller.
    func deflate(_ message: RawSpan, windowBits: UInt8) -> Int? {
        let size = message.byteCount
        guard size >= max(thresholdBytes, 1), size <= Int(Int32.max) else { return nil }
        // zlib cannot be told to use an 8-bit window; but no distance exceeds the message itself.
        guard windowBits > 8 || size <= 256 else { return nil }
        // Room for the tail and one byte less than the message: if that does not suffice, it was not worth it.
        let room = size - 1 + Self.tail.count
        let isOversized = deflated.count > Self.keptBytesMax && room < Self.keptBytesMax
        if deflated.count <= room || isOversized {
            deflated = [UInt8](repeating: 0, count: max(room + 1, Self.firstBytes))
        }
        // Safe: as in `inflate`. zlib is done with its flush only if it leaves a byte of the output unused.
        let stream = unsafe openDeflater(windowBits: max(windowBits, 9))
        guard unsafe deflateReset(stream) == Z_OK else { preconditionFailure("deflateReset") }
        let roomLeft = unsafe message.withUnsafeBytes { input in
            unsafe deflated.withUnsafeMutableBufferPointer { output in
                unsafe stream.pointee.next_in = UnsafeMutablePointer(
                    mutating: input.baseAddress!.assumingMemoryBound(to: UInt8.self))
                unsafe stream.pointee.avail_in = UInt32(size)
                unsafe stream.pointee.next_out = output.baseAddress!
                unsafe stream.pointee.avail_out = UInt32(room + 1)
                let result = unsafe CZlib.deflate(stream, Z_SYNC_FLUSH)
                guard result == Z_OK else { fatalError("deflate: \(result)") }
                return unsafe Int(stream.pointee.avail_out)
            }
        }
        guard roomLeft > 0 else { return nil }
        return room + 1 - roomLeft - Self.tail.count
    }

    private func openDeflater(windowBits: UInt8) -> UnsafeMutablePointer<z_stream> {
        let index = Int(windowBits) - 9
        if let deflater = unsafe deflaters[index] { return unsafe deflater }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe zlib_deflate_init_raw(stream, level, Int32(windowBits), Self.memoryLevel) == Z_OK else {
            fatalError("zlib: out of memory")
        }
        unsafe deflaters[index] = stream
        return unsafe stream
    }
}
