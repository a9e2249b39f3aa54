import Calls
import Synchronization
import UsherAPI

@testable import Campaign
@testable import Client

/// One who charges a small amount all the time, to see when that works, and writes down whatever else is heard. It repeats by
/// itself what the client library would repeat unseen.
///
/// There are two for each instance, which begin there, and go elsewhere when they must.
enum Pulse {
    /// Request ids that a user is remembered for are bounded; these are fewer.
    private static let commandsMax = 120
    private static let pause = Duration.milliseconds(25)

    /// Lives until the campaign finishes.
    ///
    /// - Returns: what its users have to say, who come one after the other.
    static func beat(_ world: World, _ lane: Int, _ record: PulseRecord) async -> [ShopperLog] {
        var logs: [ShopperLog] = []
        while !world.isFinishing, !Task.isCancelled { logs.append(await live(world, lane, record)) }
        return logs
    }

    private static func live(_ world: World, _ lane: Int, _ record: PulseRecord) async -> ShopperLog {
        var log = ShopperLog(user: .random())
        var options = World.options
        options.repeatsMax = 0
        options.startsAtRandom = false
        let urls = world.urls
        let home = lane % max(1, urls.count)
        guard
            let client = try? await world.connect(
                .user(log.user), at: Array(urls[home...] + urls[..<home]), options: options)
        else { return log }
        let listening = Task {
            for await event in client.connectionEvents {
                switch event {
                case .lost: record.note(lane, "lost the connection")
                case .moving: record.note(lane, "was sent elsewhere")
                case .journalWentBack: record.note(lane, "saw the journal go back")
                case .connected, .over: break
                }
            }
        }
        defer {
            listening.cancel()
            client.close()
        }
        while log.commands.count < commandsMax, !world.isFinishing, log.oddities.isEmpty {
            log.commands.append(await charge(client, world, lane, record, &log))
            if log.commands.last!.end == .open { break }
            try? await Task.sleep(for: pause)
        }
        return log
    }

    private static func charge(
        _ client: UsherClient, _ world: World, _ lane: Int, _ record: PulseRecord, _ log: inout ShopperLog
    ) async -> CommandRecord {
        var command = CommandRecord(requestID: .random(), asked: .charge(1), sent: Moment.now)
        var attempts: UInt32 = 0
        while !Task.isCancelled {
            do throws(UsherError) {
                let answer = try await client.accounts.charge(
                    1, CallSettings(timeout: .seconds(3_600), requestID: command.requestID, attempts: attempts))
                command.end = .done(.charged(answer.transaction ?? Transaction()))
                command.ended = Moment.now
                world.acknowledgements.note(log.user)
                record.acknowledged(lane, by: world.number(of: client.server))
                return command
            } catch {
                guard case .refused(let status) = error else {
                    if error != .cancelled { log.oddities.append("a charge had no answer: \(error)") }
                    return command
                }
                record.note(lane, status.reason)
                guard case .again(let delay, _) = RetryRule.decide(status, repeats: 0) else {
                    log.oddities.append("a charge was refused: \(status.reason) \(status.message)")
                    command.end = .refused(status.reason)
                    command.ended = Moment.now
                    return command
                }
                attempts += 1
                try? await Task.sleep(for: max(pause, .milliseconds(delay)))
            }
        }
        return command
    }
}

/// What the pulses have seen.
final class PulseRecord: Sendable {
    struct Beat: Sendable {
        var lane: Int
        var at: UInt64
        var server: Int
    }

    struct Complaint: Sendable {
        var lane: Int
        var at: UInt64
        var what: String
    }

    private let state = Mutex<(beats: [Beat], complaints: [Complaint])>(([], []))

    func acknowledged(_ lane: Int, by server: Int) {
        state.withLock { $0.beats.append(Beat(lane: lane, at: Moment.now, server: server)) }
    }

    func note(_ lane: Int, _ what: String) {
        state.withLock { $0.complaints.append(Complaint(lane: lane, at: Moment.now, what: what)) }
    }

    var beats: [Beat] { state.withLock { $0.beats } }
    var complaints: [Complaint] { state.withLock { $0.complaints } }
}
