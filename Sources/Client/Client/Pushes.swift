internal import Synchronization

/// What a server pushes on one stream, in order. For one reader.
///
/// A slow reader costs the server nothing and this client a bounded number of messages: past that the server sends the
/// latest state only. Reconnecting is invisible here. Letting go of the sequence, or cancelling the task that waits in
/// it, ends the stream at the server.
public struct Pushes<Element: Sendable>: AsyncSequence, Sendable {
    /// A refusal by the server, or a connection that is over.
    public typealias Failure = UsherError

    let feed: PushFeed<Element>

    /// The sequence's one reader.
    public func makeAsyncIterator() -> Iterator { Iterator(feed: feed) }

    /// Takes one element after the other.
    public struct Iterator: AsyncIteratorProtocol {
        let feed: PushFeed<Element>

        /// The next element, waiting for it; nil once the stream has ended well.
        public mutating func next() async throws(UsherError) -> Element? { try await feed.next() }

        /// As `next()`.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(UsherError) -> Element? {
            try await feed.next()
        }
    }
}

/// The queue between the loop and a stream's reader. Bounded by the stream's credit.
final class PushFeed<Element: Sendable>: Sendable {
    private struct State {
        var waiting: [Element] = []
        var end: Result<Void, UsherError>?
        var reader: CheckedContinuation<Result<Element?, UsherError>, Never>?
        /// Taken since the loop was told.
        var taken: UInt32 = 0
    }

    private let state = Mutex(State())
    private let reportEvery: UInt32
    private let report: @Sendable (UInt32) -> Void
    private let cancel: @Sendable () -> Void

    /// - Parameters:
    ///   - window: the stream's credit.
    ///   - report: tells how many elements were taken since the last time.
    ///   - cancel: nobody reads any more.
    init(window: UInt32, report: @escaping @Sendable (UInt32) -> Void, cancel: @escaping @Sendable () -> Void) {
        reportEvery = max(1, window / 2)
        self.report = report
        self.cancel = cancel
    }

    deinit { cancel() }

    /// From the loop.
    func push(_ element: Element) {
        let (reader, count) = state.withLock { state -> (CheckedContinuation<Result<Element?, UsherError>, Never>?, UInt32?) in
            guard state.end == nil else { return (nil, nil) }
            guard let reader = state.reader else {
                state.waiting.append(element)
                return (nil, nil)
            }
            state.reader = nil
            return (reader, note(&state))
        }
        reader?.resume(returning: .success(element))
        if let count { report(count) }
    }

    /// From the loop: what was pushed before can still be taken.
    func finish(_ result: Result<Void, UsherError>) {
        let reader = state.withLock { state -> CheckedContinuation<Result<Element?, UsherError>, Never>? in
            guard state.end == nil else { return nil }
            state.end = result
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: result.map { nil })
    }

    /// From the reader.
    func next() async throws(UsherError) -> Element? {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (answer, count) = state.withLock { state -> (Result<Element?, UsherError>?, UInt32?) in
                    precondition(state.reader == nil, "a stream of pushes has one reader")
                    if !state.waiting.isEmpty { return (.success(state.waiting.removeFirst()), note(&state)) }
                    if let end = state.end { return (end.map { nil }, nil) }
                    guard !Task.isCancelled else { return (.failure(.cancelled), nil) }
                    state.reader = continuation
                    return (nil, nil)
                }
                if let count { report(count) }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            finish(.failure(.cancelled))
            cancel()
        }
        return try result.get()
    }

    /// Counts one as taken; how many to report now, if any.
    private func note(_ state: inout State) -> UInt32? {
        state.taken += 1
        guard state.taken >= reportEvery else { return nil }
        defer { state.taken = 0 }
        return state.taken
    }
}
