/// A fuzzer's bytes read as a list of choices and pieces: what comes first decides most, so that a byte changed further
/// back changes little. Past the end everything is 0 or empty, so every input is a script.
struct Script {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }
    var byteCount: Int { rest.count }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    /// Two bytes, the lower first.
    mutating func word() -> Int { Int(byte()) | Int(byte()) << 8 }

    /// At most so many bytes.
    mutating func bytes(_ count: Int) -> [UInt8] {
        let piece = rest.prefix(count)
        rest = rest.dropFirst(count)
        return Array(piece)
    }

    /// A piece of up to 255 bytes with its length in front, or with a length of 255 all that is left.
    mutating func piece() -> [UInt8] {
        let length = byte()
        return length == 255 ? remainder() : bytes(Int(length))
    }

    mutating func remainder() -> [UInt8] { bytes(rest.count) }
}

/// Where bytes are cut into pieces.
struct Cuts {
    let sizes: [Int]

    /// Up to seven sizes, from the script; used in turn. None: all at once.
    init(_ script: inout Script) {
        sizes = (0..<Int(script.byte() & 7)).map { _ in 1 + Int(script.byte()) }
    }

    init(every size: Int) { sizes = [size] }

    static let none = Cuts(every: .max)

    func pieces(of bytes: [UInt8]) -> [[UInt8]] {
        guard !sizes.isEmpty else { return bytes.isEmpty ? [] : [bytes] }
        var pieces: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            let end = start + min(sizes[pieces.count % sizes.count], bytes.count - start)
            pieces.append(Array(bytes[start..<end]))
            start = end
        }
        return pieces
    }
}
