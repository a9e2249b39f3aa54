import Journal
import Logging
import Reactor

/// One setting: its name serves as flag (`--admin-listen`), environment variable (`USHER_ADMIN_LISTEN`) and key of the
/// configuration file (`admin-listen:`). The flag rules over the environment, that over the file, that over the default.
public struct Setting: Sendable {
    public let name: String
    /// What stands for the value in the help; nil for a switch.
    public let value: String?
    public let help: String
    public let standard: String
    let parse: @Sendable (String, inout ServerSettings) -> Bool

    public var environmentName: String { "USHER_" + name.uppercased().replacing("-", with: "_") }

    /// Takes the written value.
    ///
    /// - Throws: `SettingError` with the name, what was written and what is allowed; the settings stay as they were.
    public func apply(_ text: String, to settings: inout ServerSettings) throws(SettingError) {
        guard parse(text, &settings) else { throw SettingError(name: name, text: text, allowed: value ?? "true or false") }
    }

    public static func named(_ name: String) -> Setting? { all.first { $0.name == name } }

    /// All of them, in the order in which the help shows them.
    public static let all: [Setting] = [
        Setting("listen", "ADDRESS:PORT", "where clients connect; port 0 lets the system choose", "127.0.0.1:8443") {
            set(&$1.listen, SocketAddress($0))
        },
        Setting(
            "public-address", "HOST:PORT",
            "where clients reach this very instance, told to those of one that stops; none: all have one address, as behind a proxy",
            "none"
        ) {
            set(&$1.publicAddress, publicAddress($0))
        },
        Setting("admin-listen", "ADDRESS:PORT|off", "health, readiness and metrics", "127.0.0.1:8444") {
            if $0 == "off" {
                $1.adminListen = nil
                return true
            }
            return set(&$1.adminListen, SocketAddress($0))
        },
        Setting("data", "FOLDER", "journal, keys and development certificate", "usher-data") {
            set(&$1.dataFolder, nonEmpty($0))
        },
        Setting("development-folder", "FOLDER", "certificate and operator key that development instances share", "none") {
            set(&$1.developmentFolder, nonEmpty($0))
        },
        Setting(
            "journal", "sqlite|memory|nats://HOST:PORT,…|tls://HOST:PORT,…",
            "a file of this instance's own, or a NATS stream that several instances share; memory keeps nothing over a restart",
            "sqlite"
        ) { set(&$1.journal, journal($0)) },
        Setting("journal-stream", "NAME", "name of the shared journal's stream", "usher") {
            set(&$1.journalStream, JetStreamOptions.isStreamName($0) ? $0 : nil)
        },
        Setting("journal-replicas", "N", "NATS servers that keep each entry of a shared journal; 1 where there is one", "3") {
            set(&$1.journalReplicas, number($0, 1...5))
        },
        Setting("journal-credentials", "FILE", "NATS credentials (.creds) for the shared journal", "none") {
            set(&$1.journalCredentialsFile, nonEmpty($0))
        },
        Setting("journal-ca", "FILE", "authority of the NATS servers' certificates, PEM; none: those of the system", "none") {
            set(&$1.journalAuthorityFile, nonEmpty($0))
        },
        Setting("concerts", "FILE", "what is on sale, put in at the first start (docs/operating.md)", "none") {
            set(&$1.concertsFile, nonEmpty($0))
        },
        Setting(switch: "demo", "put a demonstration on sale at the first start", "false") { set(&$1.demo, Bool($0)) },
        Setting("loops", "N", "event loops; 0: one for each core but one", "0") { set(&$1.loops, number($0, 0...256)) },
        Setting("connections-max", "N", "clients at once; descriptors are the bound", "18000") {
            set(&$1.connectionsMax, number($0, 1...10_000_000))
        },
        Setting("certificate", "FILE", "certificate chain, PEM", "made in the data folder") {
            set(&$1.certificateFile, nonEmpty($0))
        },
        Setting("private-key", "FILE", "its key, PEM", "made in the data folder") { set(&$1.privateKeyFile, nonEmpty($0)) },
        Setting("tls-minimum", "1.2|1.3", "oldest TLS version taken", "1.2") {
            switch $0 {
            case "1.2": $1.tlsMinimum = .tls12
            case "1.3": $1.tlsMinimum = .tls13
            default: return false
            }
            return true
        },
        Setting(
            "origins", "URL,…|*",
            "web pages that may connect, by scheme, host and port; none set: only pages of this server itself", ""
        ) {
            $1.origins = $0.split(separator: ",").map { String($0) }
            return true
        },
        Setting("identity-keys", "FILE", "JWKS of the identity provider; without it this is a development server", "none") {
            set(&$1.identityKeysFile, nonEmpty($0))
        },
        Setting("identity-issuer", "NAME", "required `iss` of identities", "any") { set(&$1.identityIssuer, nonEmpty($0)) },
        Setting("identity-audience", "NAME", "required `aud` of identities", "any") { set(&$1.identityAudience, nonEmpty($0)) },
        Setting("operator-claim", "NAME=VALUE", "what makes an identity an operator", "role=operator") {
            set(&$1.operatorClaim, claim($0))
        },
        Setting("backend-claim", "NAME=VALUE", "what lets an identity act for many users", "role=backend") {
            set(&$1.backendClaim, claim($0))
        },
        Setting("account-needs-active-token", "BOOL", "charging and balance only once it is one's turn", "true") {
            set(&$1.accountNeedsActiveToken, Bool($0))
        },
        Setting("dates-public", "BOOL", "performances can be listed without a place in the line", "false") {
            set(&$1.datesPublic, Bool($0))
        },
        Setting("max-charge", "AMOUNT", "most that one charge may add", "10000000") {
            set(&$1.maxCharge, number($0, 1...(1 << 53)))
        },
        Setting("max-balance", "AMOUNT", "most that an account may hold", "100000000") {
            set(&$1.maxBalance, number($0, 1...(1 << 53)))
        },
        Setting("ping-interval", "SECONDS", "how often a client is asked for life", "25") {
            set(&$1.pingIntervalMilliseconds, number($0, 1...3600).map { $0 * 1000 })
        },
        Setting("drain-time", "SECONDS", "how long a stopping server gives its clients", "10") {
            set(&$1.drainMilliseconds, number($0, 0...600).map { $0 * 1000 })
        },
        Setting(
            "drain-notice", "SECONDS",
            "how long a server that stops goes on as before but for `/readyz`, so that balancers send it nobody more",
            "2 beside other instances, else 0"
        ) {
            set(&$1.drainNoticeMilliseconds, number($0, 0...600).map { $0 * 1000 })
        },
        Setting("snapshot-entries", "N", "journal entries between snapshots", "50000") {
            set(&$1.snapshotEntries, number($0, 100...100_000_000))
        },
        Setting("log-level", "trace|debug|info|notice|warning|error", "how much is written to standard error", "info") {
            set(&$1.logLevel, Logger.Level(rawValue: $0))
        },
        Setting(
            switch: "echo",
            "test mode: `/echo` answers every WebSocket message with itself, of up to 16 MiB; what `/pub` gets goes to all of `/sub`",
            "false"
        ) {
            set(&$1.echo, Bool($0))
        },
    ]

    private init(
        _ name: String, _ value: String, _ help: String, _ standard: String,
        _ parse: @escaping @Sendable (String, inout ServerSettings) -> Bool
    ) {
        self.name = name
        self.value = value
        self.help = help
        self.standard = standard
        self.parse = parse
    }

    private init(
        switch name: String, _ help: String, _ standard: String,
        _ parse: @escaping @Sendable (String, inout ServerSettings) -> Bool
    ) {
        self.name = name
        value = nil
        self.help = help
        self.standard = standard
        self.parse = parse
    }

    private static func set<Value>(_ place: inout Value, _ value: Value?) -> Bool {
        guard let value else { return false }
        place = value
        return true
    }

    /// For a setting that may be unset: without this, a value that can't be read would unset it.
    private static func set<Value>(_ place: inout Value?, _ value: Value?) -> Bool {
        guard let value else { return false }
        place = value
        return true
    }

    private static func journal(_ text: String) -> ServerSettings.JournalChoice? {
        switch text {
        case "sqlite": return .sqlite
        case "memory": return .memory
        default:
            do throws(JournalError) {
                _ = try JetStreamOptions(url: text)
                return .shared(text)
            } catch {
                return nil
            }
        }
    }

    private static func nonEmpty(_ text: String) -> String? { text.isEmpty ? nil : text }

    private static func number<Number: FixedWidthInteger>(_ text: String, _ range: ClosedRange<Number>) -> Number? {
        Number(text).flatMap { range.contains($0) ? $0 : nil }
    }

    /// A host and a port as clients write them after `wss://`.
    private static func publicAddress(_ text: String) -> String? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return nil
        }
        let host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        let isClean = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            case UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"): isBracketed
            default: false
            }
        }
        return isClean && !host.isEmpty && host.utf8.count <= 253 ? text : nil
    }

    private static func claim(_ text: String) -> (name: String, value: String)? {
        let parts = text.split(separator: "=", maxSplits: 1)
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
    }
}

/// A setting that can't be taken.
public struct SettingError: Error, Sendable, CustomStringConvertible {
    public var name: String
    public var text: String
    public var allowed: String

    public var description: String { "\(name): '\(text)' is not possible; it takes \(allowed)" }
}
