import BoxOffice
import Journal
import Reactor
import Sequencer
import Synchronization
import UsherAPI

/// What an instance counts, readable from any thread, and the page of it (`/metrics`): Prometheus text, exposition format
/// 0.0.4. docs/operating.md has each name's meaning.
///
///     loop 0 … n ── LoopMetrics, LoopCounters ─┐
///     sequencer ─── entries, latency, sale ────┼─▶ page(of:)   on the admin thread, summed when asked
///     snapshots ─── snapshots ─────────────────┘
final class Metrics: Sendable {
    // The sequencer's thread adds.
    let entries = Counter()
    let commands = Counter()
    let claimsOverruled = Counter()
    /// From handing a batch to the journal to hearing it back, durable and in its turn.
    let journalLatency = DurationHistogram()
    /// The numbers of the sale.
    let sale = SaleBoard()
    // The thread of the snapshots adds.
    let snapshots = Counter()
    private let loops = Mutex<[(counts: LoopMetrics, sockets: LoopCounters)]>([])

    /// Numbers for one more loop to count with. Loops are printed in the order in which they were added.
    func addLoop(_ sockets: LoopCounters) -> LoopMetrics {
        let counts = LoopMetrics()
        loops.withLock { $0.append((counts, sockets)) }
        return counts
    }

    func connections() -> UInt64 {
        loops.withLock { $0.reduce(0) { $0 + $1.sockets.connections.value } }
    }

    /// What the page shows besides what is counted here.
    struct State {
        /// As `/readyz` has it.
        var isReady = true
        var status = InstanceStatus()
        var journal = JournalStatistics()
        var process = ProcessNumbers()
    }

    /// The whole page.
    func page(of state: State) -> String {
        var page = Exposition()
        addInstance(state, to: &page)
        addSale(to: &page)
        addJournal(state, to: &page)
        addCalls(to: &page)
        addSockets(to: &page)
        addProcess(state.process, to: &page)
        return page.text
    }

    private func addInstance(_ state: State, to page: inout Exposition) {
        page.gauge("usher_ready", "1 while /readyz says ready.", state.isReady ? 1 : 0)
        var isStalled = false
        if case .stalled? = state.status.standing { isStalled = true }
        page.gauge("usher_journal_writable", "1 while commands are taken.", state.status.standing == .serving ? 1 : 0)
        page.gauge("usher_journal_stalled", "1 while the journal stands still.", isStalled ? 1 : 0)
        page.gauge("usher_journal_position", "Journal position applied.", state.status.position)
        page.gauge("usher_journal_behind_entries", "Committed entries known of and not yet applied.", state.status.behind)
        page.counter(
            "usher_instance_rejoins_total", "How often the others had declared this instance gone.",
            UInt64(state.status.rejoins))
        page.gauge("usher_instances", "Living instances, as the journal has it.", UInt64(sale.numbers.instances))
    }

    private func addSale(to page: inout Exposition) {
        let lines = sale.numbers.lines
        func byConcert(_ kind: Exposition.Kind, _ name: String, _ help: String, _ value: KeyPath<LineStats, UInt64>) {
            page.add(name, kind, help, lines.map { ("concert=\"\($0.concert)\"", "\($0[keyPath: value])") })
        }
        page.add(
            "usher_line_state", .gauge, "1 for the state that the line is in.",
            lines.map { ("concert=\"\($0.concert)\",state=\"\($0.lineState)\"", "1") })
        byConcert(.gauge, "usher_line_waiting", "People who wait, present or not.", \.waiting)
        byConcert(.gauge, "usher_line_present", "People who wait and are present.", \.present)
        byConcert(.gauge, "usher_line_active", "People whose turn it is.", \.active)
        byConcert(.counter, "usher_line_joins_total", "Places given.", \.joined)
        byConcert(.counter, "usher_line_admissions_total", "People admitted.", \.admitted)
        byConcert(.gauge, "usher_payments", "Payments not refunded.", \.paid)
        byConcert(.gauge, "usher_revenue", "Sum of the payments not refunded, in whole units of the currency.", \.revenue)
        page.add(
            "usher_seats", .gauge, "Seats of all performances, by state.",
            lines.flatMap { line in
                [("available", line.seatsAvailable), ("held", line.seatsHeld), ("sold", line.seatsSold)].map {
                    ("concert=\"\(line.concert)\",state=\"\($0.0)\"", "\($0.1)")
                }
            })
    }

    private func addJournal(_ state: State, to page: inout Exposition) {
        page.counter("usher_journal_entries_total", "Journal entries applied, of all instances.", entries.count)
        page.counter("usher_journal_commands_total", "Commands submitted by this instance.", commands.count)
        page.counter(
            "usher_claims_lost_total", "Claims of seats that the journal decided for another.", claimsOverruled.count)
        page.counter("usher_journal_commits_total", "Rounds of the journal that brought entries.", state.journal.commits)
        page.counter("usher_journal_payload_bytes_total", "Bytes of entries.", state.journal.payloadBytes)
        page.counter("usher_snapshots_total", "Snapshots saved.", snapshots.count)
        page.histogram(
            "usher_journal_latency_seconds", "From appending a batch to hearing it back, durable.", journalLatency.reading)
    }

    private func addCalls(to page: inout Exposition) {
        let all = loops.withLock { $0.map(\.counts) }
        func sum(_ name: String, _ help: String, _ value: (LoopMetrics) -> Counter) {
            page.counter(name, help, all.reduce(0) { $0 + value($1).count })
        }
        sum("usher_calls_total", "Calls opened.") { $0.calls }
        sum("usher_hellos_total", "Connections that said HELLO.") { $0.hellos }
        sum("usher_violations_total", "Connections closed for breaking the protocol.") { $0.violations }
        sum("usher_upgrades_refused_total", "WebSocket upgrades refused.") { $0.upgradesRefused }
        sum("usher_line_streams_total", "Line streams begun.") { $0.lineStreams }
        sum("usher_line_pushes_total", "Line updates sent.") { $0.linePushes }
        sum("usher_seat_watches_total", "Seat watches begun.") { $0.seatWatches }
        sum("usher_seat_pushes_total", "Seat changes sent.") { $0.seatPushes }
        sum("usher_sent_bytes_total", "WebSocket bytes sent, before TLS.") { $0.pushedBytes }
        sum("usher_holds_turned_away_total", "Holds turned away by the published picture, without the journal.") {
            $0.holdsTurnedAway
        }
        let refusals = all.reduce(into: [String: UInt64]()) { $0.merge($1.refusalsByReason, uniquingKeysWith: +) }
        page.add(
            "usher_refusals_total", .counter, "Calls refused, by reason word.",
            refusals.sorted { $0.key < $1.key }.map { ("reason=\"\($0.key)\"", "\($0.value)") })
        page.histogram(
            "usher_push_latency_seconds", "From the journal's time stamp to a push of what it changed.",
            all.reduce(DurationHistogram.Reading()) { $0 + $1.pushLatency.reading })
    }

    private func addSockets(to page: inout Exposition) {
        let all = loops.withLock { $0.map(\.sockets) }
        func byLoop(_ name: String, _ kind: Exposition.Kind, _ help: String, _ value: (LoopCounters) -> UInt64) {
            page.add(name, kind, help, all.enumerated().map { ("loop=\"\($0.offset)\"", "\(value($0.element))") })
        }
        byLoop("usher_connections", .gauge, "Connections open now.") { $0.connections.value }
        byLoop("usher_connections_accepted_total", .counter, "Connections accepted.") { $0.accepted.value }
        byLoop("usher_handshakes_full_total", .counter, "TLS handshakes with a key exchange.") { $0.handshakesFull.value }
        byLoop("usher_handshakes_resumed_total", .counter, "TLS handshakes resumed from a ticket.") {
            $0.handshakesResumed.value
        }
        byLoop("usher_handshakes_failed_total", .counter, "TLS handshakes that failed.") { $0.handshakesFailed.value }
        byLoop("usher_silent_evicted_total", .counter, "Silent connections ended to make room.") { $0.silentEvicted.value }
        byLoop("usher_accept_pauses_total", .counter, "Pauses of accepting for want of descriptors.") {
            $0.acceptPauses.value
        }
        byLoop("usher_received_bytes_total", .counter, "Bytes from clients, with TLS.") { $0.bytesReceived.value }
        byLoop("usher_written_bytes_total", .counter, "Bytes to clients, with TLS.") { $0.bytesSent.value }
        byLoop("usher_writes_total", .counter, "Writes to sockets.") { $0.writes.value }
    }

    /// By the names that every Prometheus client uses, so that common dashboards and alarms fit.
    private func addProcess(_ process: ProcessNumbers, to page: inout Exposition) {
        page.add("process_cpu_seconds_total", .counter, "Processor time used.", [("", "\(process.cpuSeconds)")])
        page.gauge("process_resident_memory_bytes", "Memory in use.", process.residentBytes)
        page.gauge("process_open_fds", "Descriptors open now.", process.openDescriptors)
        page.gauge("process_max_fds", "Descriptors that may be open.", process.descriptorsMax)
        page.add(
            "process_start_time_seconds", .gauge, "When the process started, in seconds since 1970.",
            [("", "\(process.startSeconds)")])
    }
}
