import Foundation

// A reader for the subset of the protobuf language that protocol/usher/v1/*.proto uses. The tests take the `.proto`
// files themselves as the truth, so nothing in them repeats a field's name, number or type.

/// A field of a message as a `.proto` file declares it.
struct ProtoField: Equatable {
    enum Kind: Equatable {
        case uint32, uint64, fixed64, bool, string, bytes
        case enumeration(String)
        case message(String)
    }

    var name: String
    var number: Int
    var kind: Kind
    var isRepeated: Bool
    var oneof: String?

    /// The Swift property, or the case of the oneof's enum.
    var swiftName: String { name.camelCased }
    var isMessage: Bool { if case .message = kind { true } else { false } }
    /// Whether present and default differ.
    var hasPresence: Bool { oneof != nil || isMessage }
}

struct ProtoMethod: Equatable {
    var path: String
    var request: String
    var response: String
    var isStream: Bool
}

struct ProtoSchema {
    var messages: [String: [ProtoField]] = [:]
    var enums: [String: [String: Int32]] = [:]
    var methods: [ProtoMethod] = []

    /// What the `.proto` files of this repository say.
    static let usher: ProtoSchema = {
        var schema = ProtoSchema()
        let folder = repository.appending(path: "protocol/usher/v1")
        let names = try! FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        for name in names where name.hasSuffix(".proto") {
            schema.parse(try! String(contentsOf: folder.appending(path: name), encoding: .utf8))
        }
        for (message, fields) in schema.messages {
            schema.messages[message] = fields.sorted { $0.number < $1.number }.map { field in
                var field = field
                if case .message(let type) = field.kind, schema.enums[type] != nil { field.kind = .enumeration(type) }
                return field
            }
        }
        return schema
    }()

    static let repository = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private mutating func parse(_ source: String) {
        var tokens = Tokens(source)
        var package = ""
        while let token = tokens.next() {
            switch token {
            case "syntax", "import": tokens.skip(past: ";")
            case "package":
                package = tokens.need()
                tokens.skip(past: ";")
            case "enum": parseEnum(&tokens)
            case "message": parseMessage(&tokens)
            case "service": parseService(&tokens, package)
            default: preconditionFailure("unknown to this test's reader: \(token)")
            }
        }
    }

    private mutating func parseEnum(_ tokens: inout Tokens) {
        let name = tokens.need()
        var values: [String: Int32] = [:]
        tokens.skip(past: "{")
        while case let value = tokens.need(), value != "}" {
            tokens.skip(past: "=")
            values[value] = Int32(tokens.need())!
            tokens.skip(past: ";")
        }
        enums[name] = values
    }

    private mutating func parseMessage(_ tokens: inout Tokens) {
        let name = tokens.need()
        var fields: [ProtoField] = []
        var oneof: String?
        tokens.skip(past: "{")
        while true {
            var type = tokens.need()
            if type == "}" {
                if oneof == nil { break }
                oneof = nil
                continue
            }
            if type == "reserved" {
                tokens.skip(past: ";")
                continue
            }
            if type == "oneof" {
                oneof = tokens.need()
                tokens.skip(past: "{")
                continue
            }
            let isRepeated = type == "repeated"
            if isRepeated { type = tokens.need() }
            let fieldName = tokens.need()
            tokens.skip(past: "=")
            let number = Int(tokens.need())!
            tokens.skip(past: ";")
            let scalars: [String: ProtoField.Kind] = [
                "uint32": .uint32, "uint64": .uint64, "fixed64": .fixed64, "bool": .bool, "string": .string, "bytes": .bytes,
            ]
            fields.append(
                ProtoField(
                    name: fieldName, number: number, kind: scalars[type] ?? .message(type), isRepeated: isRepeated, oneof: oneof
                ))
        }
        messages[name] = fields
    }

    private mutating func parseService(_ tokens: inout Tokens, _ package: String) {
        let name = tokens.need()
        tokens.skip(past: "{")
        while case let word = tokens.need(), word != "}" {
            precondition(word == "rpc")
            let method = tokens.need()
            tokens.skip(past: "(")
            let request = tokens.need()
            tokens.skip(past: "returns")
            tokens.skip(past: "(")
            var response = tokens.need()
            let isStream = response == "stream"
            if isStream { response = tokens.need() }
            tokens.skip(past: ";")
            methods.append(
                ProtoMethod(
                    path: "/\(package).\(name)/\(method)", request: request, response: response, isStream: isStream))
        }
    }
}

private struct Tokens {
    private var rest: ArraySlice<String>

    init(_ source: String) {
        var tokens: [String] = []
        for line in source.split(separator: "\n") {
            let code = line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line[...]
            var word = ""
            for character in code {
                if "{}()=;".contains(character) || character.isWhitespace {
                    if !word.isEmpty { tokens.append(word) }
                    word = ""
                    if !character.isWhitespace { tokens.append(String(character)) }
                } else {
                    word.append(character)
                }
            }
            if !word.isEmpty { tokens.append(word) }
        }
        rest = tokens[...]
    }

    mutating func next() -> String? { rest.popFirst() }
    mutating func need() -> String { rest.removeFirst() }
    mutating func skip(past token: String) { while rest.removeFirst() != token {} }
}

extension String {
    /// `bar_baz` as `barBaz`.
    var camelCased: String {
        let words = split(separator: "_")
        return words[0].lowercased() + words.dropFirst().map { $0.capitalized }.joined()
    }
}
