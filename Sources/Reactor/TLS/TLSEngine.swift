internal import COpenSSL
internal import Glibc

/// What all TLS sessions of a loop read from and write to, instead of sockets of their own (BIO_meth_new(3)).
///
/// `incoming` lies over the loop's receive buffer while one socket's bytes are decrypted; `outgoing` gathers the records that
/// OpenSSL makes until they are sent. Both are empty between two sockets, so no call can reach another's bytes.
@safe final class TLSEngine {
    @safe struct Pipe {
        var incoming = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        var outgoing: UnsafeMutableRawPointer
        var outgoingCount = 0
        var outgoingCapacity: Int
        /// What the session at hand has counted (TLSSession.ownMessagesMax).
        var ownMessages: UInt32 = 0
    }

    private static let outgoingCapacityAtRest = 128 * 1024

    let pipe: UnsafeMutablePointer<Pipe>
    let readBIO: OpaquePointer
    let writeBIO: OpaquePointer
    /// One event's plaintext: what fits the receive buffer, and the record of which a part was there before.
    let plaintext: UnsafeMutableRawBufferPointer

    init(receiveBytesMax: Int) {
        unsafe pipe = .allocate(capacity: 1)
        unsafe pipe.initialize(
            to: Pipe(
                outgoing: UnsafeMutableRawPointer.allocate(byteCount: Self.outgoingCapacityAtRest, alignment: 64),
                outgoingCapacity: Self.outgoingCapacityAtRest))
        unsafe plaintext = .allocate(byteCount: receiveBytesMax + 2 * 16 * 1024, alignment: 64)
        guard let reader = unsafe BIO_new(readMethod.pointer), let writer = unsafe BIO_new(writeMethod.pointer) else {
            fatalError("out of memory")
        }
        unsafe readBIO = reader
        unsafe writeBIO = writer
        unsafe BIO_set_data(reader, pipe)
        unsafe BIO_set_data(writer, pipe)
    }

    deinit {
        unsafe BIO_free(readBIO)
        unsafe BIO_free(writeBIO)
        unsafe pipe.pointee.outgoing.deallocate()
        unsafe pipe.deallocate()
        unsafe plaintext.deallocate()
    }

    /// Lays the bytes just received before the session that is used next.
    func offer(_ bytes: UnsafeRawBufferPointer) { unsafe pipe.pointee.incoming = unsafe bytes }

    /// Whether bytes offered have not been read yet.
    var hasIncoming: Bool { unsafe pipe.pointee.incoming.count > 0 }

    /// The records made since the last `clearOutgoing`.
    var outgoing: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: pipe.pointee.outgoing, count: pipe.pointee.outgoingCount)
    }

    /// Forgets the records, which have been sent or copied.
    func clearOutgoing() {
        unsafe pipe.pointee.outgoingCount = 0
        guard unsafe pipe.pointee.outgoingCapacity > 8 * Self.outgoingCapacityAtRest else { return }
        unsafe pipe.pointee.outgoing.deallocate()
        unsafe pipe.pointee.outgoing = .allocate(byteCount: Self.outgoingCapacityAtRest, alignment: 64)
        unsafe pipe.pointee.outgoingCapacity = Self.outgoingCapacityAtRest
    }

    var ownMessages: UInt32 {
        get { unsafe pipe.pointee.ownMessages }
        set { unsafe pipe.pointee.ownMessages = newValue }
    }

    /// Throws away what an ended session left unread or unsent.
    func reset() {
        unsafe pipe.pointee.incoming = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        clearOutgoing()
    }
}

extension TLSEngine.Pipe {
    /// Takes at most `count` bytes; 0 when none is left.
    fileprivate mutating func take(into target: UnsafeMutableRawPointer, _ count: Int) -> Int {
        let taken = unsafe min(count, incoming.count)
        guard taken > 0 else { return 0 }
        unsafe target.copyMemory(from: incoming.baseAddress!, byteCount: taken)
        unsafe incoming = unsafe UnsafeRawBufferPointer(rebasing: incoming[taken...])
        return taken
    }

    /// Appends, growing as needed: what one flush of the cork makes is bounded by the cork.
    fileprivate mutating func put(_ source: UnsafeRawPointer, _ count: Int) {
        if outgoingCount + count > outgoingCapacity {
            let capacity = max(2 * outgoingCapacity, outgoingCount + count)
            let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
            unsafe larger.copyMemory(from: outgoing, byteCount: outgoingCount)
            unsafe outgoing.deallocate()
            unsafe outgoing = larger
            outgoingCapacity = capacity
        }
        unsafe (outgoing + outgoingCount).copyMemory(from: source, byteCount: count)
        outgoingCount += count
    }
}

/// A BIO_METHOD is never changed once made, and lives as long as the process.
@safe private struct Method: @unchecked Sendable {
    let pointer: OpaquePointer
}

private func makeMethod(_ name: String) -> OpaquePointer {
    let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
    guard let method = unsafe BIO_meth_new(type, name) else { fatalError("out of memory") }
    unsafe BIO_meth_set_create(method) { bio in
        unsafe BIO_set_init(bio, 1)
        return 1
    }
    unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    return unsafe method
}

private let readMethod: Method = {
    let method = unsafe makeMethod("loop input")
    unsafe BIO_meth_set_read(method) { bio, target, count in
        unsafe bio_clear_retry(bio)
        // The data is the pipe of the engine that owns this BIO.
        let pipe = unsafe BIO_get_data(bio)!.assumingMemoryBound(to: TLSEngine.Pipe.self)
        let taken = unsafe pipe.pointee.take(into: target!, Int(count))
        if taken > 0 { return Int32(taken) }
        unsafe bio_set_retry_read(bio)
        return -1
    }
    return unsafe Method(pointer: method)
}()

private let writeMethod: Method = {
    let method = unsafe makeMethod("loop output")
    unsafe BIO_meth_set_write(method) { bio, source, count in
        unsafe bio_clear_retry(bio)
        let pipe = unsafe BIO_get_data(bio)!.assumingMemoryBound(to: TLSEngine.Pipe.self)
        unsafe pipe.pointee.put(source!, Int(count))
        return count
    }
    return unsafe Method(pointer: method)
}()
