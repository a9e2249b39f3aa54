import Reactor
import Synchronization

/// What the server counts, readable from any thread; printed as Prometheus text (exposition format 0.0.4).
final class Metrics: Sendable {
    /// A number that only grows. Relaxed: a counter orders nothing.
    final class Counter: Sendable {
        private let value = Atomic<UInt64>(0)

        func add(_ count: UInt64 = 1) { value.wrappingAdd(count, ordering: .relaxed) }

        var count: UInt64 { value.load(ordering: .relaxed) }
    }

    let calls = Counter()
    let hellos = Counter()
    let violations = Counter()
    let upgradesRefused = Counter()
    let lineStreams = Counter()
    let linePushes = Counter()
    let seatWatches = Counter()
    let seatPushes = Counter()
    let pushedBytes = Counter()
    let claimsLost = Counter()
    let claimsOverruled = Counter()
    let entries = Counter()
    let commands = Counter()
    let snapshots = Counter()
    private let refusals = Mutex<[String: UInt64]>([:])
    private let loops = Mutex<[LoopCounters]>([])

    /// Counts a refusal by its reason word.
    func refused(_ reason: String) {
        refusals.withLock { $0[reason, default: 0] += 1 }
    }

    /// Adds a loop's own counters to what is printed.
    func observe(_ counters: LoopCounters) {
        loops.withLock { $0.append(counters) }
    }

    func connections() -> UInt64 {
        loops.withLock { $0.reduce(0) { $0 + $1.connections.value } }
    }

    /// The whole page.
    ///
    /// - Parameters:
    ///   - sale: numbers of the sale, as (name, help, [(labels, value)]).
    func text(sale: [(name: String, help: String, samples: [(labels: String, value: UInt64)])]) -> String {
        var text = ""
        func write(_ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: UInt64)]) {
            text += "# HELP usher_\(name) \(help)\n# TYPE usher_\(name) \(type)\n"
            for sample in samples {
                text += "usher_\(name)\(sample.labels.isEmpty ? "" : "{\(sample.labels)}") \(sample.value)\n"
            }
        }
        func counter(_ name: String, _ help: String, _ counter: Counter) { write(name, "counter", help, [("", counter.count)]) }

        counter("calls_total", "Calls opened.", calls)
        counter("hellos_total", "Connections that said HELLO.", hellos)
        counter("violations_total", "Connections closed for breaking the protocol.", violations)
        counter("upgrades_refused_total", "WebSocket upgrades refused.", upgradesRefused)
        counter("line_streams_total", "Line streams begun.", lineStreams)
        counter("line_pushes_total", "Line updates sent.", linePushes)
        counter("seat_watches_total", "Seat watches begun.", seatWatches)
        counter("seat_pushes_total", "Seat changes sent.", seatPushes)
        counter("sent_bytes_total", "WebSocket bytes sent, before TLS.", pushedBytes)
        counter("seat_claims_lost_total", "Holds turned away by the published image, without the journal.", claimsLost)
        counter("claims_lost_total", "Claims of seats that the journal decided for another.", claimsOverruled)
        counter("journal_entries_total", "Journal entries applied.", entries)
        counter("journal_commands_total", "Commands submitted.", commands)
        counter("snapshots_total", "Snapshots saved.", snapshots)
        write(
            "refusals_total", "counter", "Calls refused, by reason word.",
            refusals.withLock { $0.sorted { $0.key < $1.key } }.map { ("reason=\"\($0.key)\"", $0.value) })
        let counters = loops.withLock { $0 }
        func loopNumber(_ name: String, _ type: String, _ help: String, _ value: (LoopCounters) -> UInt64) {
            write(name, type, help, counters.enumerated().map { ("loop=\"\($0.offset)\"", value($0.element)) })
        }
        loopNumber("connections", "gauge", "Connections open now.") { $0.connections.value }
        loopNumber("connections_accepted_total", "counter", "Connections accepted.") { $0.accepted.value }
        loopNumber("handshakes_full_total", "counter", "TLS handshakes with a key exchange.") { $0.handshakesFull.value }
        loopNumber("handshakes_resumed_total", "counter", "TLS handshakes resumed from a ticket.") {
            $0.handshakesResumed.value
        }
        loopNumber("handshakes_failed_total", "counter", "TLS handshakes that failed.") { $0.handshakesFailed.value }
        loopNumber("silent_evicted_total", "counter", "Silent connections ended to make room.") { $0.silentEvicted.value }
        loopNumber("accept_pauses_total", "counter", "Pauses of accepting for want of descriptors.") { $0.acceptPauses.value }
        loopNumber("received_bytes_total", "counter", "Bytes from clients, with TLS.") { $0.bytesReceived.value }
        loopNumber("written_bytes_total", "counter", "Bytes to clients, with TLS.") { $0.bytesSent.value }
        loopNumber("writes_total", "counter", "Writes to sockets.") { $0.writes.value }
        for (name, help, samples) in sale { write(name, "gauge", help, samples) }
        return text
    }
}
