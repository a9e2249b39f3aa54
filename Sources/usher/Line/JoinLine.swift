import ArgumentParser
import Client
import Foundation
import UsherAPI

struct JoinLine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "join", abstract: "Take a place in a concert's line, and watch it.",
        discussion: """
            Shows your position as it changes, then that it is your turn, and what you hold, until your place ends. Keep it \
            running and buy from another terminal: the place is kept in a file that the other commands find.

            Interrupting it does not give the place up: you have some minutes to come back with the same command (usher \
            leave gives it up). A lost connection is made again by itself.

            EXAMPLES
              usher join aurora --user ada
              usher join aurora --once-active && usher hold aurora-1 --best 2
              usher join aurora --json                    every update as one line of JSON

            \(ExitStatus.table)
            """)

    @Argument(help: "The concert's id; see usher concerts.") var concert: String
    @Flag(name: .long, help: "End, well, as soon as it is your turn. The place stays yours for its idle time.") var onceActive =
        false
    @OptionGroup var user: UserOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
        try await Session.run(server, user) { session in
            try await LineWatch(session: session, concert: concert, onceActive: onceActive).run()
        }
    }
}

struct LeaveLine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leave", abstract: "Give your place in a concert's line up.",
        discussion: """
            At once and for good: those behind you move up, and what you hold is released.

            EXAMPLES
              usher leave aurora --user ada
            """)

    @Argument(help: "The concert's id.") var concert: String
    @OptionGroup var repeating: RepeatOptions
    @OptionGroup var user: UserOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
        try await Session.run(server, user) { session in
            try await session.client.line.leave(concert, repeating.settings(session, "leave \(concert)"))
            session.places.forget(concert)
            session.show(
                .object([("event", .string("left")), ("concert", .string(concert))]), ["You have left the line of \(concert)."])
        }
    }
}

/// The live view of one place in line.
struct LineWatch: Sendable {
    let session: Session
    let concert: String
    let onceActive: Bool

    private enum Event: Sendable {
        case update(LineUpdate)
        case connection(ConnectionEvent)
        case tick
        case over(UsherError?)
    }

    func run() async throws {
        let concerts = try await session.client.catalogue.concerts()
        guard let title = concerts.first(where: { $0.id == concert })?.title else {
            let all = concerts.map(\.id).joined(separator: ", ")
            throw Failure(
                .refused, "There is no concert '\(concert)'. There are: \(all.isEmpty ? "none yet" : all).",
                reason: Reason.unknownConcert.rawValue)
        }
        var scene = LineScene(title: LineScene.clean(title), user: session.label, concert: concert)
        var block = LiveBlock()
        let isLive = Terminal.isInteractive && !session.json
        defer { block.end() }
        do {
            for await event in events(ticks: isLive) {
                switch event {
                case .update(let update):
                    try keep(update)
                    let before = scene.update
                    let news = scene.take(update, now: session.now)
                    if session.json {
                        print(Json(update).description)
                    } else if !isLive {
                        tell(scene, before: before, news: news)
                    }
                    flush()
                    if update.state == .active, onceActive {
                        if isLive { draw(scene, &block) }
                        return
                    }
                case .connection(let event): note(event, &scene, isLive: isLive)
                case .tick: break
                case .over(let error?): throw error
                case .over(nil):
                    if isLive { draw(scene, &block) }
                    try end(scene)
                    return
                }
                if isLive { draw(scene, &block) }
            }
        } catch let error as UsherError where error == .cancelled {
            throw interrupted(scene)
        }
        // The loop ends without an end only when the task was cancelled.
        throw interrupted(scene)
    }

    private func draw(_ scene: LineScene, _ block: inout LiveBlock) {
        block.draw(scene.lines(now: session.now, width: Terminal.size.columns - 1, style: session.style))
    }

    /// Updates, the connection's fate, and twice a second the time, in one sequence.
    private func events(ticks: Bool) -> AsyncStream<Event> {
        AsyncStream { continuation in
            let client = session.client
            let updates = client.line.join(concert, CallSettings(queueToken: session.token))
            let tasks = [
                Task {
                    do {
                        for try await update in updates { continuation.yield(.update(update)) }
                        continuation.yield(.over(nil))
                    } catch {
                        continuation.yield(.over(error as? UsherError ?? .cancelled))
                    }
                    continuation.finish()
                },
                Task { for await event in client.connectionEvents { continuation.yield(.connection(event)) } },
                Task {
                    while ticks, !Task.isCancelled {
                        try? await Task.sleep(for: .milliseconds(500))
                        continuation.yield(.tick)
                    }
                },
            ]
            continuation.onTermination = { _ in tasks.forEach { $0.cancel() } }
        }
    }

    /// Keeps the place for other commands.
    private func keep(_ update: LineUpdate) throws {
        if update.state == .ended {
            session.places.forget(concert)
        } else if !update.queueToken.isEmpty {
            try session.places.keep(update.queueToken, of: concert)
        }
    }

    private func note(_ event: ConnectionEvent, _ scene: inout LineScene, isLive: Bool) {
        switch event {
        case .connected: scene.trouble = nil
        case .lost(let why, let wait):
            scene.trouble = "\(why) Your place is kept; trying again in \(Format.duration(max(1000, wait)))."
        case .moving: scene.trouble = "The server goes away; moving to another. Your place is kept."
        case .journalWentBack:
            scene.trouble =
                "The server was restored from an older copy. See what became of what you did last with: usher history"
        case .over(let why): scene.trouble = why
        }
        if !isLive, !session.json, let trouble = scene.trouble { printToError(trouble) }
    }

    /// Without a terminal: a line for each change that a person would want to read in a log.
    private func tell(_ scene: LineScene, before: LineUpdate?, news: [String]) {
        guard let update = scene.update else { return }
        if update.state == .waiting, update.position != before?.position || before == nil {
            print(scene.lines(now: session.now, width: 200, style: .plain).dropFirst().last { !$0.hasPrefix("·") } ?? "")
        }
        for sentence in news { print(sentence) }
        if update.state == .active, before?.state != .active, update.activeUntilMs > session.now {
            print("You have \(Format.duration(update.activeUntilMs - session.now)) to choose seats.")
        }
    }

    private func flush() { fflush(nil) }

    private func end(_ scene: LineScene) throws {
        let reason = scene.update?.endReason ?? .unspecified
        switch reason {
        // Whoever waited for the turn to begin has not got it.
        case .paid where !onceActive, .left where !onceActive: return
        default: throw Failure(.notYourTurn, LineScene.sentence(forEnd: reason), reason: "TOKEN_ENDED")
        }
    }

    private func interrupted(_ scene: LineScene) -> Failure {
        guard let update = scene.update, update.state != .ended else { return Failure(.interrupted, "Interrupted.") }
        return Failure(
            .interrupted,
            "Your place is kept for a while. Come back to it with: usher join \(concert)   Give it up with: usher leave \(concert)"
        )
    }
}
