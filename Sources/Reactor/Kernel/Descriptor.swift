internal import Glibc

/// The one owner of an open file descriptor: closes it when it goes.
struct Descriptor: ~Copyable {
    let raw: Int32

    /// Takes ownership of what a system call returned; negative means it failed.
    init(_ raw: Int32, from operation: @autoclosure () -> String) throws(SystemError) {
        guard raw >= 0 else { throw SystemError(operation(), code: errno) }
        self.raw = raw
    }

    deinit { _ = close(raw) }
}
