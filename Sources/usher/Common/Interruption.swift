import Client
import Dispatch
import Foundation

/// Runs `body` so that Ctrl-C, SIGTERM or the end of the terminal cancel its task: it can clean up and say good-bye.
func untilInterrupted<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
    let task = Task { try await body() }
    let sources = [SIGINT, SIGTERM, SIGHUP].map { number in
        _ = signal(number, SIG_IGN)  // the source hears it nevertheless
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler { task.cancel() }
        source.resume()
        return source
    }
    defer { sources.forEach { $0.cancel() } }
    return try await task.value
}

/// Runs a watch, whose only good end is an interruption: nothing needs to be said about it.
func watching(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as UsherError where error == .cancelled {
        throw Failure(.interrupted, "")
    }
}
