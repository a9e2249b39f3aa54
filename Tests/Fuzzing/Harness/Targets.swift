/// Something that takes bytes from strangers, and the properties it must have whatever they are.
public struct FuzzTarget: Sendable {
    /// As in `make fuzz TARGET=…`, and the folder of its corpus.
    public let name: String
    /// Longest input worth trying, in bytes.
    public let bytesMax: Int
    /// Words that the fuzzer would hardly find by itself.
    public let dictionary: [[UInt8]]
    /// Tries one input; throws the property that does not hold. Depends on nothing but the input.
    public let run: @Sendable (_ bytes: [UInt8]) throws(Finding) -> Void

    init(
        _ name: String, bytesMax: Int, dictionary: [String] = [],
        run: @escaping @Sendable (_ bytes: [UInt8]) throws(Finding) -> Void
    ) {
        self.name = name
        self.bytesMax = bytesMax
        self.dictionary = dictionary.map { Array($0.utf8) }
        self.run = run
    }

    /// All of them, in the order in which `make fuzz` takes them.
    public static let all: [FuzzTarget] = [
        .webSocket, .http, .frames, .calls, .messages, .journal, .snapshot, .jwt, .connection,
    ]

    /// The one of this name.
    public static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }

    /// The dictionary as libFuzzer reads it.
    public var dictionaryText: String {
        dictionary.map { word in
            "\"" + word.map { "\\x" + String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() + "\"\n"
        }
        .joined()
    }
}
