// Sec-WebSocket-Extensions, RFC 6455 section 9.1:
//
//   extensions = extension *( "," extension )      ; empty elements allowed, as in every HTTP list
//   extension  = token *( ";" parameter )
//   parameter  = token [ "=" ( token | quoted-string whose contents are a token ) ]

/// One extension of an offer or a response.
struct WebSocketExtension: Equatable {
    struct Parameter: Equatable {
        var name: String
        var value: String?
    }

    var name: String
    var parameters: [Parameter] = []

    /// The extensions of one field's value; nil if it breaks the grammar.
    static func parse(_ value: String) -> [WebSocketExtension]? {
        var scanner = Scanner(rest: Array(value.utf8)[...])
        var extensions: [WebSocketExtension] = []
        while true {
            scanner.skipSpace()
            if scanner.rest.isEmpty { return extensions }
            if scanner.take(",") { continue }
            guard let name = scanner.token() else { return nil }
            var found = WebSocketExtension(name: name)
            scanner.skipSpace()
            while scanner.take(";") {
                scanner.skipSpace()
                guard let name = scanner.token() else { return nil }
                scanner.skipSpace()
                var parameter = Parameter(name: name)
                if scanner.take("=") {
                    scanner.skipSpace()
                    guard let value = scanner.quotedToken() ?? scanner.token() else { return nil }
                    parameter.value = value
                    scanner.skipSpace()
                }
                found.parameters.append(parameter)
            }
            extensions.append(found)
            guard scanner.rest.isEmpty || scanner.take(",") else { return nil }
        }
    }

    private struct Scanner {
        var rest: ArraySlice<UInt8>

        mutating func skipSpace() {
            rest = rest.drop { $0 == .space || $0 == .tab }
        }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            return true
        }

        mutating func token() -> String? {
            let token = rest.prefix(while: \.isTokenCharacter)
            rest = rest[token.endIndex...]
            return token.isEmpty ? nil : String(decoding: token, as: UTF8.self)
        }

        /// A quoted token without its quotes and backslashes; leaves `rest` as it was if there is none.
        mutating func quotedToken() -> String? {
            let start = rest
            guard take("\"") else { return nil }
            var contents: [UInt8] = []
            while let character = rest.popFirst() {
                if character == UInt8(ascii: "\"") {
                    guard !contents.isEmpty else { break }
                    return String(decoding: contents, as: UTF8.self)
                }
                guard let plain = character == UInt8(ascii: "\\") ? rest.popFirst() : character, plain.isTokenCharacter else {
                    break
                }
                contents.append(plain)
            }
            rest = start
            return nil
        }
    }
}
