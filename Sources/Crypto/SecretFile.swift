// Small files that only their owner may read. A file appears whole or not at all (written aside, synced, then moved into place),
// and never with wider permissions, not even for a moment: it is created with mode 0600 (open(2) with O_EXCL).

import Glibc

/// Files for keys and certificates.
enum SecretFile {
    /// More than any key or certificate of ours needs.
    static let byteCountMax = 64 * 1024

    /// Writes a file of mode `mode`.
    ///
    /// - Parameter replacing: whether a file of that name may be replaced; otherwise EEXIST, and it stays as it is.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600, replacing: Bool) throws(CryptoError) {
        let aside = "\(path).\(Base64URL.encode(randomBytes(9)))"
        let descriptor = unsafe open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("create", path) }
        defer { unsafe unlink(aside) }  // gone already after a rename
        var result = write(all: bytes, to: descriptor) && fsync(descriptor) == 0 ? 0 : errno
        if close(descriptor) != 0, result == 0 { result = errno }
        guard result == 0 else { throw .file(path: path, operation: "write", errno: result) }
        guard unsafe (replacing ? rename(aside, path) : link(aside, path)) == 0 else { throw failure("place", path) }
        try syncFolder(of: path)
    }

    /// Reads a whole file of at most ``byteCountMax`` bytes; a larger one is EFBIG.
    static func read(_ path: String) throws(CryptoError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            // Reads at most as much as the array holds.
            let count = unsafe Glibc.read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { return bytes }
            guard bytes.count + count <= byteCountMax else { throw .file(path: path, operation: "read", errno: EFBIG) }
            bytes += piece[..<count]
        }
    }

    private static func write(all bytes: [UInt8], to descriptor: Int32) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                // written < count, so the slice is non-empty and inside the array.
                unsafe Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            written += count
        }
        return true
    }

    /// Makes the name as durable as the contents.
    private static func syncFolder(of path: String) throws(CryptoError) {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("sync", folder) }
    }

    private static func failure(_ operation: String, _ path: String) -> CryptoError {
        let number = errno
        return .file(path: path, operation: operation, errno: number)
    }
}
