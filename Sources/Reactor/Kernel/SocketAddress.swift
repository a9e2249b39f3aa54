internal import Glibc

/// An IPv4 or IPv6 address with its port.
public struct SocketAddress: Hashable, Sendable {
    /// The address proper.
    public enum Host: Hashable, Sendable {
        /// Host byte order: 127.0.0.1 is 0x7f000001.
        case ipv4(UInt32)
        /// The sixteen bytes, first eight in `high`, big-endian.
        case ipv6(high: UInt64, low: UInt64, scope: UInt32)
    }

    public var host: Host
    public var port: UInt16

    /// An address from its parts.
    public init(host: Host, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// 127.0.0.n; every n from 1 to 254 works on Linux without set-up.
    public static func loopback(_ n: UInt8 = 1, port: UInt16) -> SocketAddress {
        SocketAddress(host: .ipv4(0x7f00_0000 | UInt32(n)), port: port)
    }

    /// Parses a numeric address such as `127.0.0.1` or `::1` (no name look-up).
    /// - Returns: nil when it is neither.
    public init?(numeric host: String, port: UInt16) {
        var four = in_addr()
        if unsafe inet_pton(AF_INET, host, &four) == 1 {
            self.init(host: .ipv4(UInt32(bigEndian: four.s_addr)), port: port)
            return
        }
        var six = (UInt64(0), UInt64(0))
        guard unsafe inet_pton(AF_INET6, host, &six) == 1 else { return nil }
        self.init(host: .ipv6(high: UInt64(bigEndian: six.0), low: UInt64(bigEndian: six.1), scope: 0), port: port)
    }

    /// Parses `127.0.0.1:8443` or `[::1]:8443`.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        self.init(numeric: String(host), port: port)
    }

    /// Looks a name up, blocking the calling thread: never on a loop.
    /// - Throws: `SystemError` with EHOSTUNREACH when there is no address.
    public static func resolve(host: String, port: UInt16) throws(SystemError) -> [SocketAddress] {
        if let numeric = SocketAddress(numeric: host, port: port) { return [numeric] }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, nil, &hints, &list) == 0 else {
            throw SystemError("resolve \(host)", code: EHOSTUNREACH)
        }
        defer { unsafe freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe entry.pointee.ai_addr, var one = unsafe SocketAddress(reading: address) {
                one.port = port
                if !found.contains(one) { found.append(one) }
            }
            unsafe next = entry.pointee.ai_next
        }
        guard !found.isEmpty else { throw SystemError("resolve \(host)", code: EHOSTUNREACH) }
        return found
    }
}

extension SocketAddress: CustomStringConvertible {
    /// The address without its port.
    public var hostText: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        switch host {
        case .ipv4(let address):
            var four = in_addr(s_addr: address.bigEndian)
            _ = unsafe inet_ntop(AF_INET, &four, &text, socklen_t(text.count))
        case .ipv6(let high, let low, _):
            var six = (high.bigEndian, low.bigEndian)
            _ = unsafe inet_ntop(AF_INET6, &six, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    public var description: String {
        if case .ipv6 = host { "[\(hostText)]:\(port)" } else { "\(hostText):\(port)" }
    }
}

// The kernel's forms.
extension SocketAddress {
    var family: Int32 {
        if case .ipv6 = host { AF_INET6 } else { AF_INET }
    }

    /// Calls `body` with the address as the kernel reads it.
    func withKernelForm<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        switch host {
        case .ipv4(let address):
            var form = sockaddr_in()
            form.sin_family = sa_family_t(AF_INET)
            form.sin_port = port.bigEndian
            form.sin_addr.s_addr = address.bigEndian
            return unsafe withUnsafePointer(to: &form) { pointer in
                // Any socket address may be read as the generic one: that is how sockaddr(3type) is made.
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        case .ipv6(let high, let low, let scope):
            var form = sockaddr_in6()
            form.sin6_family = sa_family_t(AF_INET6)
            form.sin6_port = port.bigEndian
            form.sin6_scope_id = scope
            unsafe withUnsafeMutableBytes(of: &form.sin6_addr) { bytes in
                unsafe bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
                unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            return unsafe withUnsafePointer(to: &form) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
    }

    /// Reads what the kernel wrote; nil for other families. The pointer must have room for the family's own form.
    init?(reading address: UnsafePointer<sockaddr>) {
        switch Int32(unsafe address.pointee.sa_family) {
        case AF_INET:
            let form = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
            self.init(host: .ipv4(UInt32(bigEndian: form.sin_addr.s_addr)), port: UInt16(bigEndian: form.sin_port))
        case AF_INET6:
            let form = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self)
            let (high, low) = unsafe withUnsafeBytes(of: form.sin6_addr) { bytes in
                (unsafe bytes.loadUnaligned(as: UInt64.self), unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            }
            self.init(
                host: .ipv6(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low), scope: form.sin6_scope_id),
                port: UInt16(bigEndian: form.sin6_port))
        default:
            return nil
        }
    }

    /// Asks the kernel for one end of a socket's connection; nil once it is gone.
    static func ask(_ question: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32) -> SocketAddress? {
        var room = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutablePointer(to: &room) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard unsafe question(address, &length) == 0 else { return nil }
                return unsafe SocketAddress(reading: address)
            }
        }
    }
}
