internal import CLinux
internal import Glibc

/// A port that is this process's alone, and which several loops of it share by SO_REUSEPORT.
///
/// The first socket binds and listens *without* SO_REUSEPORT: the kernel refuses that when anyone else listens there, so a
/// second server gets EADDRINUSE instead of silently taking a part of the first one's connections. Only then the option is
/// set, on a socket that already listens, and further sockets of this process join. The kernel looks at the option of each
/// socket when the next one binds (socket(7); net/ipv4/inet_connection_sock.c), which the tests check.
///
/// Connections wait in the kernel's queue from now on, so hand all sockets to loops soon.
public final class ListeningPort: Sendable {
    /// Where it listens; the port found when 0 was asked for.
    public let address: SocketAddress
    /// One socket for each loop.
    public let sockets: [ListeningSocket]
    /// What the kernel may hold for a peer that does not read; it doubles the number for its own needs (socket(7)). By itself
    /// it would take up to 4 MB, a thousand such peers its whole share of memory for TCP, and then everybody waits. 128 KiB on
    /// the way are more than 1 MB/s over a round trip of 100 ms.
    public static let sendBufferBytes: Int32 = 128 * 1024

    /// Binds, and listens on `count` sockets.
    /// - Throws: `SystemError`, with EADDRINUSE when another server has the port.
    public init(_ address: SocketAddress, count: Int = 1, backlog: Int32 = 4096) throws(SystemError) {
        precondition(count > 0)
        let first = try ListeningSocket(address, sharing: false, backlog: backlog)
        setOption(first.descriptor.raw, SOL_SOCKET, SO_REUSEPORT)
        var sockets = [first]
        for _ in 1..<count { sockets.append(try ListeningSocket(first.address, sharing: true, backlog: backlog)) }
        self.address = first.address
        self.sockets = sockets
    }
}

/// A socket that listens, for one loop to accept from.
public final class ListeningSocket: Sendable {
    let descriptor: Descriptor
    /// Where it listens.
    public let address: SocketAddress

    init(_ address: SocketAddress, sharing: Bool, backlog: Int32) throws(SystemError) {
        descriptor = try Descriptor(linux_stream_socket(address.family), from: "socket")
        let raw = descriptor.raw
        // Past connections of this port that are in TIME_WAIT must not keep a restarted server out.
        setOption(raw, SOL_SOCKET, SO_REUSEADDR)
        if sharing { setOption(raw, SOL_SOCKET, SO_REUSEPORT) }
        // Accepted sockets inherit these.
        setOption(raw, Int32(IPPROTO_TCP), TCP_NODELAY)
        setOption(raw, SOL_SOCKET, SO_SNDBUF, ListeningPort.sendBufferBytes)
        if case .ipv6 = address.host { setOption(raw, Int32(IPPROTO_IPV6), IPV6_V6ONLY) }
        guard unsafe address.withKernelForm({ unsafe bind(raw, $0, $1) }) == 0 else {
            throw SystemError("bind \(address)", code: errno)
        }
        guard listen(raw, backlog) == 0 else { throw SystemError("listen \(address)", code: errno) }
        self.address = unsafe SocketAddress.ask { unsafe getsockname(raw, $0, $1) } ?? address
    }
}
