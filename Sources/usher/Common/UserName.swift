import ArgumentParser
import Client
import Crypto
import Foundation
import Reactor
import UsherAPI

// Who the command line is, on a development server: a UUID, or a short name that stands for one.

/// A user as typed: `8c5f…-…` or `ada`.
struct UserName: ExpressibleByArgument, Equatable {
    var id: Uuid
    /// What to call the user.
    var label: String

    init(id: Uuid, label: String) {
        self.id = id
        self.label = label
    }

    init?(argument: String) {
        if let id = Uuid(argument) {
            guard !id.isNone else { return nil }
            self.init(id: id, label: argument.lowercased())
            return
        }
        let name = argument.lowercased()
        let isName = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard isName, (1...64).contains(name.utf8.count) else { return nil }
        self.init(id: Uuid(named: name), label: name)
    }

    /// This machine's user: made on first use and kept in the configuration folder.
    static func own(environment: [String: String] = ProcessInfo.processInfo.environment) throws(Failure) -> UserName {
        let file = Folders.configuration(environment) + "/user"
        if let text = try? String(contentsOfFile: file, encoding: .utf8) {
            guard let name = UserName(argument: text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                throw Failure(.local, "\(file) should hold a UUID or a name. Correct or remove it.")
            }
            return name
        }
        let id = Uuid.random()
        try Folders.write("\(id)\n", to: file)
        return UserName(id: id, label: "\(id)")
    }
}

extension Uuid {
    /// The version 8 UUID (RFC 9562, section 5.8) that a short name stands for: the start of SHA-256 over
    /// "usher user", a zero byte, and the name.
    init(named name: String) {
        let digest = sha256(Array("usher user".utf8) + [0] + Array(name.utf8))
        func word(_ start: Int) -> UInt64 { digest[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: word(0) & ~0xF000 | 0x8000, low: word(8) & ~(0b11 << 62) | 0b10 << 62)
    }
}

/// Where this user's files are (XDG Base Directory Specification).
enum Folders {
    static func configuration(_ environment: [String: String]) -> String {
        base("XDG_CONFIG_HOME", ".config", environment) + "/usher"
    }

    static func state(_ environment: [String: String]) -> String {
        base("XDG_STATE_HOME", ".local/state", environment) + "/usher"
    }

    /// Relative paths in the variables are to be ignored, says the specification.
    private static func base(_ variable: String, _ standard: String, _ environment: [String: String]) -> String {
        if let path = environment[variable], path.hasPrefix("/") { return path }
        return (environment["HOME"] ?? NSHomeDirectory()) + "/" + standard
    }

    /// Writes a file that only its owner may read, whole or not at all, with the folders above it.
    static func write(_ text: String, to file: String) throws(Failure) {
        let folder = (file as NSString).deletingLastPathComponent
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let aside = "\(file).\(Uuid.random())"
            let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
            guard FileManager.default.createFile(atPath: aside, contents: Data(text.utf8), attributes: attributes),
                unsafe rename(aside, file) == 0  // both strings live until the call returns
            else {
                throw Failure(.local, "\(file) cannot be written (\(errnoText(errno))). Check the folder's permissions.")
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.local, "\(folder) cannot be made (\(error.localizedDescription)). Check its permissions.")
        }
    }
}
