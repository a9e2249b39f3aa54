internal import Reactor

// wss://host[:port][/path] — what a client is given to find a server.

/// The address of a server.
public struct ServerURL: Hashable, Sendable, CustomStringConvertible {
    /// Whether TLS is spoken. Without, only loopback addresses are taken.
    public let isSecure: Bool
    /// A name or a numeric address, without brackets.
    public let host: String
    /// The TCP port.
    public let port: UInt16
    /// From the slash on.
    public let path: String

    /// A secure address from its parts.
    public init(host: String, port: UInt16 = 443, path: String = "/v1") {
        isSecure = true
        self.host = host
        self.port = port
        self.path = path
    }

    /// Parses `wss://tickets.example.org`, `wss://127.0.0.1:8443/v1`, `localhost:8443`; what is left out is `wss`, port
    /// 443 and `/v1`. Plain `ws://` is taken for loopback addresses only.
    ///
    /// - Throws: `ServerURLError`, with a sentence.
    public init(_ text: String) throws(ServerURLError) {
        var rest = Substring(text)
        var scheme = "wss"
        if let end = text.range(of: "://") {
            scheme = text[..<end.lowerBound].lowercased()
            rest = text[end.upperBound...]
        }
        guard scheme == "wss" || scheme == "ws" else {
            throw ServerURLError("'\(text)' must begin with wss:// (or with no scheme at all)")
        }
        isSecure = scheme == "wss"
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let path = rest[slash...]
        let authority = rest[..<slash]
        guard let (host, port) = Self.split(authority, defaultPort: isSecure ? 443 : 80) else {
            throw ServerURLError("'\(text)' is not of the form wss://host:port/v1")
        }
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw ServerURLError("the path of '\(text)' has characters that a path cannot have")
        }
        self.host = host
        self.port = port
        self.path = path.isEmpty || path == "/" ? "/v1" : String(path)
        guard isSecure || Self.isLoopback(host) else {
            throw ServerURLError("'\(text)' would send everything in the clear; use wss://")
        }
    }

    /// The same server under another host, as GOAWAY names it: `host`, `host:port` or a whole URL.
    public func relocated(to text: String) -> ServerURL? {
        if text.contains("://") { return try? ServerURL(text) }
        guard !text.isEmpty, let (host, port) = Self.split(Substring(text), defaultPort: port) else { return nil }
        return try? ServerURL("\(isSecure ? "wss" : "ws")://\(Self.bracketed(host)):\(port)\(path)")
    }

    /// The Host field: the port is left out if it is the scheme's own.
    public var hostField: String {
        let name = Self.bracketed(host)
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// The whole URL.
    public var description: String { "\(isSecure ? "wss" : "ws")://\(hostField)\(path)" }

    private static func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }

    private static func split(_ authority: Substring, defaultPort: UInt16) -> (host: String, port: UInt16)? {
        var host = authority
        var port = defaultPort
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<bracket]
            let after = authority[authority.index(after: bracket)...]
            if !after.isEmpty {
                guard after.hasPrefix(":"), let number = UInt16(after.dropFirst()), number > 0 else { return nil }
                port = number
            }
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0 else { return nil }
            port = number
        }
        let isClean = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: ":"):
                true
            default: false
            }
        }
        return isClean && !host.isEmpty ? (String(host), port) : nil
    }

    private static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" { return true }
        return switch SocketAddress(numeric: host, port: 0)?.host {
        case .ipv4(let address): address >> 24 == 127
        case .ipv6(let high, let low, _): high == 0 && low == 1
        case nil: false
        }
    }
}

/// Why a text is not a server's address.
public struct ServerURLError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, and what is right.
    public let description: String

    init(_ description: String) { self.description = description }
}

extension String {
    /// The first place of `part`, without Foundation.
    fileprivate func range(of part: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(part) { return start..<index(start, offsetBy: part.count) }
            start = index(after: start)
        }
        return nil
    }
}
