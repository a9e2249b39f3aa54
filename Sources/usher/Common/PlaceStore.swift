import Client
import Crypto
import Foundation
import UsherAPI

// The places in line that `usher join` took, for `usher hold` and the others in other processes.
//
//      ~/.local/state/usher/places/<server>/<user>/<concert>    the queue token
//      ~/.local/state/usher/places/<server>/<user>/.seen        journal and highest position seen: "epoch position"
//
// <server> is the start of SHA-256 of its URL. Tokens are as good as the place itself: files are for their owner only.

/// The places of one user at one server.
struct PlaceStore {
    let folder: String

    init(server: ServerURL, user: Uuid, stateFolder: String) {
        let digest = sha256(Array(server.description.utf8)).prefix(8)
        let name = digest.map { String($0 >> 4, radix: 16) + String($0 & 0xF, radix: 16) }.joined()
        folder = "\(stateFolder)/places/\(name)/\(user)"
    }

    /// All tokens by concert.
    var tokens: [String: String] {
        var tokens: [String: String] = [:]
        for concert in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where Self.isConcert(concert) {
            if let token = token(of: concert) { tokens[concert] = token }
        }
        return tokens
    }

    /// The token of a concert, if there is one.
    func token(of concert: String) -> String? {
        guard Self.isConcert(concert), let text = try? String(contentsOfFile: "\(folder)/\(concert)", encoding: .utf8) else {
            return nil
        }
        let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return token.isEmpty ? nil : token
    }

    /// Keeps a token.
    func keep(_ token: String, of concert: String) throws(Failure) {
        guard Self.isConcert(concert) else { return }
        try Folders.write(token + "\n", to: "\(folder)/\(concert)")
    }

    /// The place has ended.
    func forget(_ concert: String) {
        guard Self.isConcert(concert) else { return }
        try? FileManager.default.removeItem(atPath: "\(folder)/\(concert)")
    }

    /// Forgets the places of these tokens, unless they are others by now.
    func forget(_ tokens: [String: String]) {
        for (concert, token) in tokens where self.token(of: concert) == token { forget(concert) }
    }

    /// What an earlier command has seen, so that no later one sees less.
    var seen: (epoch: Uuid, position: UInt64)? {
        get {
            guard let text = try? String(contentsOfFile: "\(folder)/.seen", encoding: .utf8) else { return nil }
            let parts = text.split(whereSeparator: \.isWhitespace)
            guard parts.count == 2, let epoch = Uuid(String(parts[0])), let position = UInt64(parts[1]) else { return nil }
            return (epoch, position)
        }
        nonmutating set {
            guard let newValue else {
                try? FileManager.default.removeItem(atPath: "\(folder)/.seen")
                return
            }
            // Only a help: a read-only home folder must not fail a purchase.
            try? Folders.write("\(newValue.epoch) \(newValue.position)\n", to: "\(folder)/.seen")
        }
    }

    /// Concert ids are 1 to 64 of a-z, 0-9 and '-': also what a file may be called here.
    private static func isConcert(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
                default: false
                }
            }
    }
}
