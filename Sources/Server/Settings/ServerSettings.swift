import Calls
import Journal
public import Logging
public import Reactor

/// Everything about a server that can be set; every value has a default that works on a developer's machine.
/// `Setting.all` says what each means and how it is written.
public struct ServerSettings: Sendable {
    public var listen = SocketAddress.loopback(port: 8443)
    public var adminListen: SocketAddress? = SocketAddress.loopback(port: 8444)
    /// Where clients reach this very instance, `host:port`; nil: by the address of all.
    public var publicAddress: String?
    public var dataFolder = "usher-data"
    public var developmentFolder: String?
    public var journal = JournalChoice.sqlite
    public var journalStream = "usher"
    public var journalReplicas = 3
    public var journalCredentialsFile: String?
    public var journalAuthorityFile: String?
    /// 0: one for each core but one, at least one.
    public var loops = 0
    public var connectionsMax = 18_000

    public var concertsFile: String?
    public var demo = false

    public var certificateFile: String?
    public var privateKeyFile: String?
    public var tlsMinimum = TLSContext.Version.tls12

    public var origins: [String] = []
    public var identityKeysFile: String?
    public var identityIssuer: String?
    public var identityAudience: String?
    public var operatorClaim: (name: String, value: String) = ("role", "operator")
    public var backendClaim: (name: String, value: String) = ("role", "backend")

    public var accountNeedsActiveToken = true
    public var datesPublic = false
    public var maxCharge: UInt64 = 10_000_000
    public var maxBalance: UInt64 = 100_000_000

    public var pingIntervalMilliseconds: UInt64 = 25_000
    public var drainMilliseconds: UInt64 = 10_000
    /// Between being not ready and GOAWAY; nil: two seconds where the journal is shared, else none.
    public var drainNoticeMilliseconds: UInt64?
    public var snapshotEntries: UInt64 = 50_000
    public var logLevel = Logger.Level.info
    public var echo = false

    /// What one visitor's connection gets instead of wire version 1's bounds; `pingIntervalMilliseconds` counts for nothing
    /// then. For tests of what takes seconds.
    var limits: CallLimits?
    /// How long a loop that has no clients any more may wait until the journal has heard of their absence: a second more than
    /// that takes. For tests of which that is no part.
    var handoverMilliseconds = PresenceBook.absenceMilliseconds + 1_000
    /// A journal that is there already, instead of `journal`. For tests of several instances.
    var givenJournal: (any Journal)?

    public init() {}

    /// How long a stopping server waits before it sends its clients away.
    func drainNotice(isShared: Bool) -> UInt64 { drainNoticeMilliseconds ?? (isShared ? 2_000 : 0) }

    /// Identities are taken on trust as long as no identity provider's keys are given.
    public var isDevelopment: Bool { identityKeysFile == nil }

    public enum JournalChoice: Sendable, Equatable {
        case sqlite, memory
        /// The address of the NATS servers, as it was written.
        case shared(String)
    }

    /// The shared journal that the settings name.
    ///
    /// - Throws: `JournalError.badAddress`.
    func jetStream(at url: String) throws(JournalError) -> JetStreamOptions {
        var options = try JetStreamOptions(url: url)
        options.stream = journalStream
        options.replicas = journalReplicas
        options.credentialsFile = journalCredentialsFile
        options.authorityFile = journalAuthorityFile
        return options
    }
}
