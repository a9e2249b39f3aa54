internal import Foundation
public import Reactor

/// Whom a client believes to be the server. There is no way to believe anybody.
public enum ClientTrust: Sendable, Equatable {
    /// The system's certificate authorities.
    case system
    /// The certificate authorities in this PEM file.
    case caFile(String)
    /// Just the certificates in this PEM file, each for itself, such as a development server's own. Whoever has its key is
    /// the server, by whatever name it is reached.
    case pinnedFile(String)

    /// The TLS settings, to be shared by all connections.
    ///
    /// - Throws: `UsherError.connection` when the file cannot be read.
    public func makeContext() throws(UsherError) -> TLSContext {
        let trust: TLSContext.Trust
        var verifiesName = true
        switch self {
        case .system: trust = .system
        case .caFile(let path): trust = .authorities(file: path)
        case .pinnedFile(let path):
            guard let pem = try? String(contentsOfFile: path, encoding: .utf8) else {
                throw .connection(
                    "The certificate file \(path) cannot be read. Check the path, or start the server there first.")
            }
            trust = .pinned(pem: pem)
            verifiesName = false
        }
        do throws(TLSError) {
            return try TLSContext.client(trust: trust, verifiesName: verifiesName)
        } catch {
            throw .connection("The certificates to trust cannot be used: \(error). Check the path.")
        }
    }
}
