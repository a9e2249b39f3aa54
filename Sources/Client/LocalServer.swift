internal import Foundation

// What a development server writes into its data folder, for clients on the same machine.

/// A server whose data folder can be read here.
public struct LocalServer: Sendable, Equatable {
    /// Where it listens.
    public let url: ServerURL
    /// Its own certificate, if it made one: trust it with ``ClientTrust/pinnedFile(_:)``.
    public let certificateFile: String?
    /// Its process.
    public let processID: Int32

    /// What the server of that data folder has noted.
    ///
    /// - Returns: nil when none runs there (the note is removed when it stops, and does not count if its process is
    ///   gone).
    public init?(dataFolder: String) {
        struct Note: Decodable {
            var port: UInt16
            var pid: Int32
        }
        guard let bytes = FileManager.default.contents(atPath: dataFolder + "/server.json"),
            let note = try? JSONDecoder().decode(Note.self, from: bytes), note.port > 0, Self.isAlive(note.pid)
        else { return nil }
        url = ServerURL(host: "localhost", port: note.port)
        certificateFile = Self.certificateFile(inDataFolder: dataFolder)
        processID = note.pid
    }

    /// The development certificate of a data folder, if there is one.
    public static func certificateFile(inDataFolder folder: String) -> String? {
        let path = folder + "/certificate.pem"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    /// The identity that makes its holder an operator of a development server; nil if the data folder has no such key
    /// or it cannot be read by this user.
    public static func operatorIdentity(inDataFolder folder: String) -> ClientIdentity? {
        guard let text = try? String(contentsOfFile: folder + "/operator-key", encoding: .utf8) else { return nil }
        let key = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return key.isEmpty ? nil : .jwt("operator:\(key)")
    }

    /// Whether there is such a process; one of another user counts.
    private static func isAlive(_ pid: Int32) -> Bool {
        pid > 0 && (kill(pid, 0) == 0 || errno == EPERM)
    }
}
