/// Which stream of which servers a shared journal is, and how they are reached.
public struct JetStreamOptions: Equatable, Sendable {
    /// `HOST:PORT`, tried in turn, from one chosen by chance on.
    public var servers: [String]
    /// TLS, the server's certificate checked against `authorityFile` or the system's authorities.
    public var isTLS: Bool
    public var userAndPassword: String?
    /// The name of the stream; another one beside it, `NAME-snapshots`, holds the snapshots.
    public var stream = "usher"
    /// 3, or 1 where there is one server.
    public var replicas = 3
    /// A NATS credentials file (`.creds`).
    public var credentialsFile: String?
    /// The certificate authority of the servers, PEM.
    public var authorityFile: String?
    /// How long opening waits for servers that are not there yet, or have no majority.
    public var openMilliseconds: UInt64 = 10_000

    /// Reads `nats://HOST:PORT,HOST:PORT,…` or `tls://…`; the port is 4222 where none is given, and `USER:PASSWORD@` may
    /// stand before the first host.
    ///
    /// - Throws: `badAddress`.
    public init(url text: String) throws(JournalError) {
        let rest: Substring
        if text.hasPrefix("nats://") {
            (rest, isTLS) = (text.dropFirst(7), false)
        } else if text.hasPrefix("tls://") {
            (rest, isTLS) = (text.dropFirst(6), true)
        } else {
            throw .badAddress(text: text, detail: "it begins neither with nats:// nor with tls://")
        }
        var hosts = rest
        if let at = rest.lastIndex(of: "@") {
            userAndPassword = String(rest[..<at])
            hosts = rest[rest.index(after: at)...]
        }
        servers = []
        for host in hosts.split(separator: ",", omittingEmptySubsequences: false) {
            let server = try Self.server(host, in: text)
            guard !servers.contains(server) else {
                throw .badAddress(text: text, detail: "\(server) is named twice")
            }
            servers.append(server)
        }
    }

    private static func server(_ written: Substring, in text: String) throws(JournalError) -> String {
        guard !written.isEmpty else { throw .badAddress(text: text, detail: "a host is missing") }
        guard !written.contains(where: { $0 == "/" || $0 == "?" || $0 == "#" || $0.isWhitespace }) else {
            throw .badAddress(text: text, detail: "'\(written)' is more than a host and a port")
        }
        // An IPv6 address stands in brackets.
        let end = written.hasPrefix("[") ? written.firstIndex(of: "]").map { written.index(after: $0) } : nil
        guard end != nil || !written.hasPrefix("[") else {
            throw .badAddress(text: text, detail: "'\(written)' lacks a closing bracket")
        }
        let colon = written[(end ?? written.startIndex)...].firstIndex(of: ":")
        guard let colon else { return "\(written):4222" }
        guard colon != written.startIndex else { throw .badAddress(text: text, detail: "'\(written)' lacks a host") }
        guard let port = UInt16(written[written.index(after: colon)...]), port > 0 else {
            throw .badAddress(text: text, detail: "'\(written)' lacks a port from 1 to 65535 after the colon")
        }
        return "\(written[..<colon]):\(port)"
    }

    /// Whether a text is meant as the address of a shared journal.
    public static func isURL(_ text: String) -> Bool { text.hasPrefix("nats://") || text.hasPrefix("tls://") }

    /// How the journal is called in messages: without what nobody should read.
    public var description: String {
        "the journal \(stream) of \(isTLS ? "tls" : "nats")://\(servers.joined(separator: ","))"
    }

    /// What libnats takes for one of the servers.
    func url(of server: String) -> String {
        "\(isTLS ? "tls" : "nats")://\(userAndPassword.map { $0 + "@" } ?? "")\(server)"
    }

    /// Whether a name can be a stream's; it is part of subjects and of folder names.
    public static func isStreamName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 64
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_")
            }
    }

    var snapshotStream: String { stream + "-snapshots" }
    var subject: String { stream + ".journal" }
    var heardSubject: String { stream + ".heard" }
    var snapshotSubjects: String { stream + ".snapshots" }
}
