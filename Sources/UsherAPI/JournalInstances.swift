// The messages of protocol/usher/v1/journal.proto by which instances know of each other, and how they lie on the wire.
// What they mean is said there in full; the commands of users and operators are in Journal.swift.

public import Wire

/// An instance begins to take part.
public struct InstanceStarted: WireMessage {
    /// How many loops it has.
    public var sources: UInt32 = 0
    /// The highest version of the rules it supports.
    public var rules: UInt32 = 0
    /// The instance's name.
    public var name = ""
    /// `host:port` by which clients reach this very instance; empty: none of its own.
    public var address = ""

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(sources: UInt32 = 0, rules: UInt32 = 0, name: String = "", address: String = "") {
        self.sources = sources
        self.rules = rules
        self.name = name
        self.address = address
    }
}

/// An instance leaves in good order.
public struct InstanceStopped: WireMessage {
    /// Every field at its default.
    public init() {}
}

/// An instance's key, with which all verify its queue tokens and passes.
public struct PublishKey: WireMessage {
    /// The public key, 32 bytes.
    public var ed25519: [UInt8] = []

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(ed25519: [UInt8] = []) {
        self.ed25519 = ed25519
    }
}

/// What an instance came to at a position of the journal. Changes nothing; the others compare.
public struct Checkpoint: WireMessage {
    /// After which entry.
    public var position: UInt64 = 0
    /// The running digest there.
    public var digest: UInt64 = 0

    /// Every field at its default.
    public init() {}

    /// The fields given, the others at their default.
    public init(position: UInt64 = 0, digest: UInt64 = 0) {
        self.position = position
        self.digest = digest
    }
}

extension InstanceStarted {
    public func encode(to writer: inout WireWriter) {
        writer.uint32(1, sources)
        writer.uint32(2, rules)
        writer.string(3, name)
        writer.string(4, address)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint32(field, &sources)
            case 2: try reader.uint32(field, &rules)
            case 3: try reader.string(field, &name)
            case 4: try reader.string(field, &address)
            default: try reader.skip(field)
            }
        }
    }
}

extension InstanceStopped {
    public func encode(to writer: inout WireWriter) {}

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() { try reader.skip(field) }
    }
}

extension PublishKey {
    public func encode(to writer: inout WireWriter) {
        writer.bytes(1, ed25519)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.bytes(field, &ed25519)
            default: try reader.skip(field)
            }
        }
    }
}

extension Checkpoint {
    public func encode(to writer: inout WireWriter) {
        writer.uint64(1, position)
        writer.fixed64(2, digest)
    }

    public mutating func merge(from reader: consuming WireReader) throws(WireError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.uint64(field, &position)
            case 2: try reader.fixed64(field, &digest)
            default: try reader.skip(field)
            }
        }
    }
}
