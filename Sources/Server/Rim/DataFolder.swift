import Crypto
import Foundation
import Reactor

/// The folder that holds what a server keeps: its journal, its keys and, on a developer's machine, its certificate.
///
///     usher-data/
///       journal.sqlite        the journal and its snapshots (with SQLite's -wal file while running)
///       token-key.pem         Ed25519, signs queue tokens and passes; made on first start, mode 0600
///       certificate.pem       development certificate, ECDSA P-256; clients on this machine trust it by this file
///       certificate-key.pem   its key, mode 0600
///       operator-key          random secret that makes its reader an operator in development, mode 0600
///       instance              this instance's number among several on one journal; goes with the folder and is never copied
///       diverged-N.snapshot   state of an instance that stopped itself, since at journal position N it was not the others'
///       server.json           where the running server listens, for the command line on the same machine
///
/// Development instances of one sale share certificate and operator key, or a client could not go from one to the next: with
/// a development folder those three lie there, made by whichever instance is first.
struct DataFolder {
    let path: String
    /// Where the development certificate and the operator's key are.
    private let development: String

    /// Makes the folders, readable by their owner alone, unless they are there.
    init(_ path: String, development: String? = nil) throws {
        self.path = path
        self.development = development ?? path
        for folder in [path, self.development] {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
    }

    var journal: String { file("journal.sqlite") }
    var certificate: String { development + "/certificate.pem" }
    var certificateKey: String { development + "/certificate-key.pem" }
    private var serverNote: String { file("server.json") }

    private func file(_ name: String) -> String { path + "/" + name }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// The key for queue tokens and passes, made if there is none.
    func tokenKey() throws -> Ed25519PrivateKey {
        let path = file("token-key.pem")
        if exists(path) { return try Ed25519PrivateKey.load(path) }
        let key = try Ed25519PrivateKey.generate()
        try key.save(path)
        return key
    }

    /// Makes a development certificate if there is none, or it has run out.
    ///
    /// - Returns: whether it was made.
    func ensureCertificate() throws -> Bool {
        try aloneInDevelopment {
            if exists(certificate), exists(certificateKey),
                !isOlder(certificate, thanDays: Int(DevelopmentCertificate.days) - 7)
            {
                return false
            }
            try DevelopmentCertificate.create(now: Clock.wallMilliseconds()).save(certificate: certificate, key: certificateKey)
            return true
        }
    }

    /// Runs `body` while no other instance makes anything in the development folder: several start at once, and all have to
    /// end up with the same files.
    private func aloneInDevelopment<Result>(_ body: () throws -> Result) throws -> Result {
        let path = development + "/development.lock"
        let lock = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path]) }
        defer { close(lock) }  // and with it the lock is gone
        while flock(lock, LOCK_EX) != 0 {
            guard errno == EINTR else { throw CocoaError(.fileLocking, userInfo: [NSFilePathErrorKey: path]) }
        }
        return try body()
    }

    private func isOlder(_ path: String, thanDays days: Int) -> Bool {
        let made = try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        return made.map { -$0.timeIntervalSinceNow > Double(days) * 86_400 } ?? true
    }

    /// The development operator's secret, made if there is none.
    func operatorKey() throws -> String {
        try aloneInDevelopment { try makeOperatorKey(development + "/operator-key") }
    }

    private func makeOperatorKey(_ path: String) throws -> String {
        if exists(path) {
            return try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let key = Base64URL.encode(randomBytes(32))
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data((key + "\n").utf8), attributes: [.posixPermissions: 0o600])
        else {
            throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
        }
        return key
    }

    /// This instance's number among several, made at random if there is none: nobody has to hand out numbers.
    func instanceNumber() throws -> UInt32 {
        let path = file("instance")
        if exists(path) {
            let text = try String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
            guard let number = UInt32(text), number > 0 else {
                throw SettingsError(
                    "\(path) must hold the instance's number, 1 to \(UInt32.max), and nothing else; delete it to get a new one")
            }
            return number
        }
        let number = UInt32.random(in: 1 ... .max)
        try Data("\(number)\n".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        return number
    }

    /// Keeps what an instance that differs from the others came to.
    func keepDiverged(_ snapshot: [UInt8], position: UInt64) throws {
        try Data(snapshot).write(to: URL(fileURLWithPath: file("diverged-\(position).snapshot")), options: .atomic)
    }

    /// Tells the command line on this machine where the server listens; removed by `removeServerNote`.
    func writeServerNote(port: UInt16, adminPort: UInt16?) throws {
        let note = ["port": Int(port), "adminPort": adminPort.map(Int.init) ?? 0, "pid": Int(getpid())]
        try JSONEncoder().encode(note).write(to: URL(fileURLWithPath: serverNote), options: .atomic)
    }

    func removeServerNote() {
        try? FileManager.default.removeItem(atPath: serverNote)
    }
}
