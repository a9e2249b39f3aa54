import Foundation
import FoundationNetworking

/// A process and what it has printed, to a file: nothing reads along.
final class Child: Sendable {
    private let process: Process
    private let transcript: URL
    let started: UInt64

    /// Starts a command; the first word is the path of the program.
    init(_ command: [String], environment: [String: String], transcript: URL) throws {
        self.transcript = transcript
        try Data().write(to: transcript)
        process = Process()
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = environment
        let file = try FileHandle(forWritingTo: transcript)
        process.standardOutput = file
        process.standardError = file
        process.standardInput = FileHandle.nullDevice
        started = Moment.now
        try process.run()
        try file.close()
    }

    /// Runs a command to its end.
    static func run(
        _ command: [String], environment: [String: String] = ["PATH": "/usr/bin:/bin"], in folder: URL
    ) async throws -> (status: Int32, output: String) {
        let child = try Child(
            command, environment: environment, transcript: folder.appending(path: "command-\(UUID().uuidString).log"))
        try await child.end()
        return (child.process.terminationStatus, child.output)
    }

    var output: String { (try? String(contentsOf: transcript, encoding: .utf8)) ?? "" }
    var isRunning: Bool { process.isRunning }
    /// That it ended by itself, with 0.
    var hasEndedWell: Bool { !isRunning && process.terminationReason == .exit && process.terminationStatus == 0 }

    /// That it ended by itself, with another number.
    var hasFailed: Bool { !isRunning && process.terminationReason == .exit && process.terminationStatus != 0 }

    func signal(_ number: Int32) { _ = Glibc.kill(process.processIdentifier, number) }

    func end() async throws {
        while process.isRunning { try await Task.sleep(for: .milliseconds(2)) }
    }
}

/// The admin listener of a server.
enum AdminPage {
    /// Whether `/readyz` says that commands are taken; nil without an answer.
    static func isReady(host: String = "127.0.0.1", port: Int) async -> Bool? {
        await readiness(host: host, port: port)?.isReady
    }

    /// What `/readyz` says; nil without an answer within 2 s.
    static func readiness(host: String, port: Int) async -> (isReady: Bool, text: String)? {
        guard let url = URL(string: "http://\(host):\(port)/readyz") else { return nil }
        var request = URLRequest(url: url)
        request.timeoutInterval = 2
        guard let (body, response) = try? await URLSession.shared.data(for: request), let http = response as? HTTPURLResponse
        else { return nil }
        return (http.statusCode == 200, String(decoding: body, as: UTF8.self))
    }
}

/// This process's monotonic clock.
enum Moment {
    static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }
}
