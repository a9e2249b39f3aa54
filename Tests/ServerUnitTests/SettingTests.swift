import Foundation
import Reactor
import Testing

@testable import Server

@Suite struct `settings` {
    /// For every setting: values it takes, and values it refuses.
    static let table: [String: (good: [String], bad: [String])] = [
        "listen": (
            ["127.0.0.1:0", "0.0.0.0:8443", "[::1]:9443"],
            ["", "8443", "localhost", "127.0.0.1", "127.0.0.1:70000", "300.0.0.1:1"]
        ),
        "admin-listen": (["127.0.0.1:9000", "off"], ["", "on", "9000"]),
        "data": (["folder", "/a/b"], [""]),
        "development-folder": (["folder", "/a/b"], [""]),
        "journal": (["sqlite", "memory", "nats://a,b:4222", "tls://a"], ["", "SQLite", "postgres", "nats://", "nats://a:0"]),
        "journal-stream": (["usher", "sale_2-B"], ["", "a.b", "a b", "*"]),
        "journal-replicas": (["1", "3"], ["0", "6", "x"]), "journal-credentials": (["a.creds"], [""]),
        "journal-ca": (["ca.pem"], [""]),
        "concerts": (["sale.yaml"], [""]),
        "demo": (["true", "false"], ["", "yes", "1"]),
        "loops": (["0", "1", "256"], ["", "-1", "257", "two"]),
        "connections-max": (["1", "10000000"], ["0", "10000001", "", "1e6"]),
        "certificate": (["c.pem"], [""]),
        "private-key": (["k.pem"], [""]),
        "tls-minimum": (["1.2", "1.3"], ["", "1.1", "1.30", "tls1.3"]),
        "origins": (["*", "https://a.example,https://b.example", ""], []),
        "identity-keys": (["jwks.json"], [""]),
        "identity-issuer": (["https://id.example"], [""]),
        "identity-audience": (["tickets"], [""]),
        "operator-claim": (["role=admin", "a=b=c"], ["", "role", "role=", "=admin"]),
        "backend-claim": (["role=backend"], ["", "role"]),
        "account-needs-active-token": (["true", "false"], ["", "no"]),
        "dates-public": (["true", "false"], ["", "no"]),
        "max-charge": (["1", "9007199254740992"], ["0", "9007199254740993", "-1", ""]),
        "max-balance": (["1", "9007199254740992"], ["0", "9007199254740993", ""]),
        "ping-interval": (["1", "3600"], ["0", "3601", "30s"]),
        "drain-time": (["0", "600"], ["-1", "601", ""]),
        "drain-notice": (["0", "600"], ["-1", "601", "", "2s"]),
        "public-address": (
            ["a.example:8443", "10.0.0.1:443", "[2001:db8::1]:8443"],
            [
                "", "a.example", "a.example:", "a.example:0", "a.example:70000", ":8443", "2001:db8::1:8443",
                "wss://a.example:443", "a b:1",
            ]
        ),
        "snapshot-entries": (["100", "100000000"], ["99", "100000001", ""]),
        "log-level": (["trace", "debug", "info", "notice", "warning", "error"], ["", "loud", "INFO"]),
        "echo": (["true", "false"], ["", "on"]),
    ]

    @Test func `every setting stands in the table above`() {
        #expect(Setting.all.map(\.name).sorted() == Self.table.keys.sorted())
        #expect(Set(Setting.all.map(\.environmentName)).count == Setting.all.count)
    }

    @Test(arguments: table.keys.sorted()) func `takes what is good and refuses what is bad`(name: String) throws {
        let setting = try #require(Setting.named(name))
        let (good, bad) = Self.table[name]!
        for text in good {
            var settings = ServerSettings()
            #expect(throws: Never.self, "\(name) = '\(text)'") { try setting.apply(text, to: &settings) }
        }
        for text in bad {
            var settings = ServerSettings()
            let before = "\(settings)"
            let error = #expect(throws: SettingError.self, "\(name) = '\(text)'") { try setting.apply(text, to: &settings) }
            #expect("\(settings)" == before)
            let sentence = error.map { "\($0)" } ?? ""
            #expect(sentence.contains(name) && sentence.contains("'\(text)'"), "\(sentence)")
        }
    }

    @Test func `the default that the help shows is the one that holds`() throws {
        // Words that stand for "not set".
        let words: Set = ["none", "any", "", "made in the data folder", "2 beside other instances, else 0"]
        let standard = ServerSettings()
        for setting in Setting.all where !words.contains(setting.standard) {
            var settings = ServerSettings()
            try setting.apply(setting.standard, to: &settings)
            #expect("\(settings)" == "\(standard)", "\(setting.name)")
        }
    }

    @Test func `the table in docs/operating.md is this one`() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/operating.md")
        // Between | and |, where \\| stands for one of them.
        let rows = try String(contentsOf: page, encoding: .utf8).replacing("\\|", with: "\u{0}").split(separator: "\n")
            .map { $0.split(separator: "|").map { $0.filter { $0 != "`" }.trimmingCharacters(in: .whitespaces) } }
            .filter { $0.count == 4 }.map { $0.map { $0.replacing("\u{0}", with: "|") } }
        for setting in Setting.all {
            let row = try #require(rows.first { $0[0] == setting.name }, "\(setting.name)")
            #expect(row[1] == setting.value ?? "–", "\(setting.name)")
            #expect(row[3] == (setting.standard.isEmpty ? "–" : setting.standard), "\(setting.name)")
            let help = setting.help.filter { $0 != "`" }.split(separator: " (").first.map(String.init)
            #expect(row[2].split(separator: " (").first.map(String.init) == help, "\(setting.name)")
        }
    }

    @Test func `a good value lands where it belongs`() throws {
        var settings = ServerSettings()
        for (name, text) in [
            ("listen", "0.0.0.0:1"), ("admin-listen", "off"), ("loops", "3"), ("origins", "https://a,https://b"),
            ("operator-claim", "x=y=z"),
            ("ping-interval", "7"), ("drain-time", "8"), ("tls-minimum", "1.3"),
        ] { try Setting.named(name)!.apply(text, to: &settings) }
        #expect("\(settings.listen)" == "0.0.0.0:1" && settings.adminListen == nil && settings.loops == 3)
        #expect(settings.origins == ["https://a", "https://b"] && settings.operatorClaim == ("x", "y=z"))
        #expect(
            settings.pingIntervalMilliseconds == 7_000 && settings.drainMilliseconds == 8_000 && settings.tlsMinimum == .tls13)
    }

    @Test func `a server alone gives no notice, one among others two seconds, unless it is set`() {
        var settings = ServerSettings()
        #expect(settings.drainNotice(isShared: false) == 0 && settings.drainNotice(isShared: true) == 2_000)
        settings.drainNoticeMilliseconds = 5_000
        #expect(settings.drainNotice(isShared: false) == 5_000 && settings.drainNotice(isShared: true) == 5_000)
    }

    // MARK: Sources

    private func resolve(
        _ flags: [(name: String, value: String)] = [], environment: [String: String] = [:], file text: String? = nil
    ) throws -> ServerSettings {
        guard let text else { return try ServerSettings.resolve(flags: flags, environment: environment) }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("usher-\(UUID().uuidString).yaml").path
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try ServerSettings.resolve(flags: flags + [("config", path)], environment: environment)
    }

    @Test func `the flag rules over the environment, that over the file, that over the default`() throws {
        #expect(try resolve().loops == 0)
        #expect(try resolve(file: "loops: 1").loops == 1)
        #expect(try resolve(environment: ["USHER_LOOPS": "2"], file: "loops: 1").loops == 2)
        #expect(try resolve([("loops", "3")], environment: ["USHER_LOOPS": "2"], file: "loops: 1").loops == 3)
        #expect(try resolve([("loops", "3"), ("loops", "4")]).loops == 4, "the last of several")
    }

    @Test func `a file has names with plain values or lists of them`() throws {
        let settings = try resolve(
            file: """
                # a comment
                listen: 0.0.0.0:9443
                demo: true
                tls-minimum: 1.3
                origins: [https://a.example, https://b.example]
                """)
        #expect("\(settings.listen)" == "0.0.0.0:9443" && settings.demo && settings.tlsMinimum == .tls13)
        #expect(settings.origins == ["https://a.example", "https://b.example"])
        #expect(try resolve(file: "").loops == 0)
    }

    @Test(arguments: ["- loops", "loops: {a: 1}", "loops: 1\nloops: [", "just text"]) func `any other file is refused`(
        text: String
    ) {
        #expect(throws: SettingsError.self) { try resolve(file: text) }
    }

    @Test func `a file that is not there is refused by name`() {
        let error = #expect(throws: SettingsError.self) {
            try ServerSettings.resolve(flags: [], environment: ["USHER_CONFIG": "/nowhere/usher.yaml"])
        }
        #expect(error.map { "\($0)" }?.contains("/nowhere/usher.yaml") == true)
    }

    @Test(arguments: [
        ("lissten", "listen"), ("lisen", "listen"), ("admin-lisen", "admin-listen"), ("loop", "loops"),
        ("connection-max", "connections-max"),
        ("keys", "identity-keys"), ("ping", "ping-interval"), ("tls-min", "tls-minimum"), ("data-folder", "data"),
    ])
    func `an unknown name is refused, with a suggestion`(name: String, meant: String) {
        let sources: [() throws -> ServerSettings] = [
            { try resolve([(name, "1")]) }, { try resolve(file: "\(name): 1") },
            { try resolve(environment: ["USHER_" + name.uppercased().replacing("-", with: "_"): "1"]) },
        ]
        for source in sources {
            let error = #expect(throws: SettingsError.self) { try source() }
            #expect(error.map { "\($0)" }?.contains("did you mean '\(meant)'?") == true, "\(error.map { "\($0)" } ?? "")")
        }
    }

    @Test func `what is like nothing gets no suggestion`() {
        let error = #expect(throws: SettingsError.self) { try resolve([("frobnicate", "1")]) }
        #expect(error.map { "\($0)" }?.contains("did you mean") == false)
    }

    @Test func `an error names its source`() {
        let inEnvironment = #expect(throws: SettingsError.self) { try resolve(environment: ["USHER_LOOPS": "many"]) }
        #expect(inEnvironment.map { "\($0)" }?.contains("USHER_LOOPS") == true)
        let inFile = #expect(throws: SettingsError.self) { try resolve(file: "loops: many") }
        #expect(inFile.map { "\($0)" }?.contains(".yaml") == true)
    }

    @Test func `other variables are none of our business`() throws {
        #expect(try resolve(environment: ["PATH": "/bin", "LOOPS": "9", "USHER_USER": "ada", "USHER_BINARY": "x"]).loops == 0)
    }
}
