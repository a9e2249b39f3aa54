import ArgumentParser
import Foundation
import Reactor

/// `usher health`: what a container's health check, a script or a person asks a running instance.
struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask an instance whether it is ready.",
        discussion: """
            Prints what the instance's admin listener says, and ends with 0 if it is ready, with 1 if it is not, and with 3 if \
            nobody answers.

            EXAMPLES
              usher health
              usher health --admin 127.0.0.1:8444
              usher health --metrics | grep usher_line_waiting
            """)

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The instance's admin listener. Default: USHER_ADMIN_LISTEN, or the server of the data folder, or 127.0.0.1:8444.",
            valueName: "address:port"))
    var admin: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The data folder of a server on this machine. Default: USHER_DATA or usher-data.", valueName: "folder"))
    var data: String?

    @Option(name: .long, help: ArgumentHelp("How long the answer may take, such as 2s.", valueName: "duration"))
    var timeout: DurationArgument = DurationArgument(milliseconds: 2_000)

    @Flag(name: .long, help: "Ask whether the process is alive, ready or not.")
    var live = false

    @Flag(name: .long, help: "Print the instance's metrics.")
    var metrics = false

    func validate() throws {
        if live && metrics { throw ValidationError("--live and --metrics are two questions; ask one") }
    }

    func run() throws {
        let address = try listener(ProcessInfo.processInfo.environment)
        let path = live ? "/healthz" : metrics ? "/metrics" : "/readyz"
        guard let answer = try AdminQuestion(path, to: address, timeoutMilliseconds: timeout.milliseconds).ask() else {
            throw Failure(
                .unreachable,
                "No instance answers at \(address). Name its admin listener with --admin, or its data folder with --data.")
        }
        print(answer.body, terminator: answer.body.hasSuffix("\n") ? "" : "\n")
        if answer.status != 200 { throw ExitCode(ExitStatus.refused.rawValue) }
    }

    /// Where to ask. A listener on all addresses is asked on loopback; a port of 0 says nothing.
    func listener(_ environment: [String: String]) throws(Failure) -> SocketAddress {
        if let admin {
            guard let address = SocketAddress(admin) else {
                throw Failure(.usage, "--admin takes ADDRESS:PORT, such as 127.0.0.1:8444, not '\(admin)'.")
            }
            return address.asked
        }
        if let text = environment["USHER_ADMIN_LISTEN"], let address = SocketAddress(text), address.port != 0 {
            return address.asked
        }
        struct Note: Decodable {
            var adminPort: UInt16
        }
        let folder = data ?? environment["USHER_DATA"] ?? "usher-data"
        if let bytes = FileManager.default.contents(atPath: folder + "/server.json"),
            let note = try? JSONDecoder().decode(Note.self, from: bytes), note.adminPort > 0
        {
            return .loopback(port: note.adminPort)
        }
        return .loopback(port: 8444)
    }
}

extension SocketAddress {
    /// The address by which a listener on this one is reached from its own machine.
    fileprivate var asked: SocketAddress {
        switch host {
        case .ipv4(0): .loopback(port: port)
        case .ipv6(high: 0, low: 0, scope: _): SocketAddress(host: .ipv6(high: 0, low: 1, scope: 0), port: port)
        case .ipv4, .ipv6: self
        }
    }
}

/// One GET to an admin listener, which answers one request a connection and then closes it.
private final class AdminQuestion: ConnectionHandler {
    private let path: String
    private let address: SocketAddress
    private let deadline: UInt64
    private let loop: EventLoop
    private var answer: [UInt8] = []
    private var isOver = false

    init(_ path: String, to address: SocketAddress, timeoutMilliseconds: UInt64) throws(SystemError) {
        self.path = path
        self.address = address
        loop = try EventLoop()
        deadline = loop.now + timeoutMilliseconds
    }

    /// Asks, blocking.
    ///
    /// - Returns: nil if there was no answer in time, or none that is HTTP.
    func ask() -> (status: Int, body: String)? {
        loop.connect(to: address, timeoutMilliseconds: deadline - loop.now, handler: self)
        while !isOver, loop.now < deadline { loop.turn(upTo: deadline - loop.now) }
        let text = String(decoding: answer, as: UTF8.self)
        guard isOver, let end = text.range(of: "\r\n\r\n"),
            let status = text.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap({ Int($0) })
        else { return nil }
        return (status, String(text[end.upperBound...]))
    }

    func connected(_ connection: Connection) {
        connection.write(Array("GET \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\r\n".utf8))
    }

    func received(_ connection: Connection, _ bytes: consuming MutableRawSpan) {
        // Copied while they are lent.
        unsafe bytes.bytes.withUnsafeBytes { unsafe answer.append(contentsOf: $0) }
    }

    func closed(_ connection: Connection, _ cause: CloseCause) { isOver = true }
}
