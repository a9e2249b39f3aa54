import Foundation
import Glibc

/// Ports of 127.0.0.1 that nobody has at this moment.
enum FreePorts {
    static func take(_ count: Int) throws -> [UInt16] {
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        var ports: [UInt16] = []
        while ports.count < count {
            let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard socket >= 0 else { throw NatsFailure(description: "no socket: error \(errno)") }
            sockets.append(socket)
            var address = PlainHTTP.address(port: 0)
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            // The address outlives the calls; a sockaddr_in is read and written as the sockaddr it begins like.
            let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    unsafe bind(socket, address, size) == 0 ? getsockname(socket, address, &size) : -1
                }
            }
            guard result == 0 else { throw NatsFailure(description: "no free port: error \(errno)") }
            ports.append(UInt16(bigEndian: address.sin_port))
        }
        return ports
    }
}

enum PlainHTTP {
    /// - Parameter host: four numbers.
    static func address(host: String = "127.0.0.1", port: UInt16) -> sockaddr_in {
        let number = host.split(separator: ".").reduce(UInt32(0)) { $0 << 8 | (UInt32($1) ?? 0) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = number.bigEndian
        return address
    }

    /// The body of a page; nil where there is none within a second.
    static func get(_ path: String, host: String = "127.0.0.1", port: UInt16) -> Data? {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { return nil }
        defer { close(socket) }
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
        unsafe setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
        var address = address(host: host, port: port)
        // As above.
        let connected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return nil }
        let request = Array("GET \(path) HTTP/1.0\r\n\r\n".utf8)
        guard unsafe write(socket, request, request.count) == request.count else { return nil }
        var answer = Data()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe read(socket, &buffer, buffer.count)
            guard count >= 0 else { return nil }
            if count == 0 { break }
            answer.append(contentsOf: buffer[..<count])
        }
        guard let head = answer.range(of: Data("\r\n\r\n".utf8)) else { return nil }
        return answer[head.upperBound...]
    }
}
