import Glibc
import NatsCluster
import Testing

@testable import Journal

/// One server with TLS that lets in whom an operator's account knows: nothing of `nats.conf` but the cluster.
private final class TrustingServer: Sendable {
    let folder = TemporaryFolder()
    let server: NatsCluster
    let certificates: NatsCertificates
    let issuer: NatsOperator

    init() throws {
        certificates = try NatsCertificates(in: folder.path)
        issuer = try NatsOperator()
        // On all of loopback: 127.0.0.2 is this server too, and not in its certificate.
        server = try NatsCluster(
            alone: NatsPlace.loopback(count: 1, host: "0.0.0.0")[0], more: certificates.configuration + issuer.configuration)
    }

    /// Options as `--journal` and its like would give them.
    func options(
        _ scheme: String = "tls", host: String = "localhost", authority: String?, credentials: String?
    ) throws -> JetStreamOptions {
        var options = try JetStreamOptions(url: "\(scheme)://\(host):\(server.servers[0].port)")
        options.stream = freshName()
        options.replicas = 1
        options.authorityFile = authority
        options.credentialsFile = credentials
        return options
    }

    func file(_ name: String, _ text: String) -> String {
        writeBytes(folder(name), Array(text.utf8))
        return folder(name)
    }

    /// A user who may do what docs/operating.md says that an instance's must.
    func user(of stream: String) throws -> String {
        file("\(stream).creds", try issuer.credentials(for: ["\(stream).>", "$JS.API.>", "_INBOX.>"]))
    }

    static let shared = Result { try TrustingServer() }
}

@Suite(.serialized, .timeLimit(.minutes(3))) struct `A shared journal behind TLS and credentials` {
    @Test(arguments: ["localhost", "127.0.0.1"])
    func `is written, heard, snapshotted and read by the user that the documentation describes`(host: String) throws {
        let trusting = try TrustingServer.shared.get()
        var settings = try trusting.options(host: host, authority: trusting.certificates.authority, credentials: nil)
        settings.credentialsFile = try trusting.user(of: settings.stream)
        let a = try Writer(settings)
        let b = try Writer(settings)
        // Large ones too, both ways at once: libnats reads and writes a connection on two threads.
        for round in 0..<40 {
            for number in 1...10 { a.journal.append(payload(number, length: 30_000)) }
            b.append(2, (round * 10 + 1)...(round * 10 + 10))
            a.ear.wait(for: UInt64(round * 20 + 20))
        }
        b.ear.wait(for: 800)
        #expect(a.ear.entries == b.ear.entries)
        #expect(a.ear.entries.map(\.position) == Array(1...800))
        #expect(applied(a.ear.entries.filter { $0.payload.count < 100 }) == [2: Array(1...400)])
        let snapshot = JournalSnapshot(position: 700, digest: [1, 2, 3], bytes: payload(7, length: 2_000_000))
        try a.journal.save(snapshot)
        #expect(try b.journal.latestSnapshot().snapshot == snapshot)
        a.journal.close()
        b.journal.close()
        let reader = try JetStreamReader(settings)
        #expect(reader.lastPosition == 800)
    }

    @Test func `a server that wants TLS gets it also where the address does not say so`() throws {
        let trusting = try TrustingServer.shared.get()
        var settings = try trusting.options("nats", authority: trusting.certificates.authority, credentials: nil)
        settings.credentialsFile = try trusting.user(of: settings.stream)
        let writer = try Writer(settings)
        writer.append(1, 1...1)
        writer.ear.wait(for: 1)
        writer.journal.close()
    }

    /// What opening ends with, at once: it would wait for ten minutes for a server that is not there.
    private func refusal(_ settings: JetStreamOptions) -> JournalError? {
        var settings = settings
        settings.openMilliseconds = 600_000
        do throws(JournalError) {
            try JetStreamJournal(settings).close()
            return nil
        } catch {
            return error
        }
    }

    @Test func `what is wrong is refused at once, by name, with what to change`() throws {
        let trusting = try TrustingServer.shared.get()
        let good = trusting.certificates.authority
        let known = try trusting.user(of: "t")
        let other = TemporaryFolder()
        let wrong = try NatsCertificates(in: other.path).authority
        let nonsense = trusting.file("nonsense", "this is neither a key nor a certificate\n")
        let stranger = trusting.file("stranger", try NatsOperator().credentials(for: [">"]))
        let cases: [(host: String, authority: String?, credentials: String?, detail: String, remedy: String)] = [
            ("localhost", wrong, known, "certificate", wrong),
            ("localhost", nil, known, "certificate", "--journal-ca"),
            ("127.0.0.2", good, known, "127.0.0.2", "name the host as --journal does"),
            ("localhost", "/nowhere/ca.pem", known, "/nowhere/ca.pem can't be read", "Check the path"),
            ("localhost", nonsense, known, nonsense, "PEM"),
            ("localhost", good, nil, "Authorization Violation", "--journal-credentials"),
            ("localhost", good, stranger, "Authorization Violation", stranger),
            ("localhost", good, "/nowhere/user.creds", "/nowhere/user.creds can't be read", "Check the path"),
            ("localhost", good, nonsense, "seed", nonsense),
        ]
        for (host, authority, credentials, detail, remedy) in cases {
            let error = refusal(try trusting.options(host: host, authority: authority, credentials: credentials))
            guard case .untrusted(_, let saidDetail, let saidRemedy)? = error else {
                Issue.record("\(detail): \(error.map { "\($0)" } ?? "opened")")
                continue
            }
            #expect(saidDetail.contains(detail), "\(saidDetail)")
            #expect(saidRemedy.contains(remedy), "\(saidRemedy)")
        }
    }

    @Test func `TLS to a server that has none is refused, and so is what a user may not do`() throws {
        var plain = try options(SharedCluster.get(), stream: freshName())
        plain.isTLS = true
        guard case .untrusted(_, _, let remedy)? = refusal(plain) else {
            Issue.record("TLS without TLS")
            return
        }
        #expect(remedy.contains("nats://"), "\(remedy)")

        let trusting = try TrustingServer.shared.get()
        var settings = try trusting.options(authority: trusting.certificates.authority, credentials: nil)
        settings.credentialsFile = trusting.file("poor", try trusting.issuer.credentials(for: ["elsewhere.>", "_INBOX.>"]))
        guard case .refused(_, _, let detail)? = refusal(settings) else {
            Issue.record("a user without rights")
            return
        }
        #expect(detail.contains("$JS.API.STREAM.INFO.\(settings.stream)"), "\(detail)")
    }

    @Test func `three replicas of one server are refused, by the setting's cause`() throws {
        let trusting = try TrustingServer.shared.get()
        var settings = try trusting.options(authority: trusting.certificates.authority, credentials: nil)
        settings.credentialsFile = try trusting.user(of: settings.stream)
        settings.replicas = 3
        guard case .refused(_, let operation, let detail)? = refusal(settings) else {
            Issue.record("three replicas of one")
            return
        }
        #expect(operation == "creating the stream \(settings.stream)" && detail.contains("replicas"), "\(operation): \(detail)")
    }
}
