import Foundation
import UsherAPI

// What `usher join` shows: a pure function from what is known to lines of text.
//
//      Aurora Lights · ada
//      ██████████████████░░░░░░░░░░░░  62 %
//      number 38 in line · 37 ahead of you, 120 behind · 2 to 3 min
//
//      It is your turn: 9:41 left to choose seats
//      …

/// Everything the view needs, all times in server milliseconds.
struct LineScene: Equatable {
    var title: String
    var user: String
    var concert: String
    /// The latest update; nil before the first.
    var update: LineUpdate?
    /// When it came.
    var receivedAt: UInt64 = 0
    /// The position when this view began: where the progress bar starts.
    var startPosition: UInt64 = 0
    /// Held reservations by id, and the ends of others to tell about.
    var held: [Reservation] = []
    /// What happened, oldest first, the last few.
    var events: [String] = []
    /// Trouble with the connection; nil when all is well.
    var trouble: String?
    /// Whether the passing of a minute is worth a line: not on a terminal, where lines are drawn anew.
    private static let eventsMax = 6

    init(title: String, user: String, concert: String) {
        self.title = title
        self.user = user
        self.concert = concert
    }

    /// Takes an update in.
    ///
    /// - Returns: what is worth telling on its own, a sentence each.
    @discardableResult
    mutating func take(_ new: LineUpdate, now: UInt64) -> [String] {
        let old = update
        update = new
        receivedAt = now
        trouble = nil
        if new.state == .waiting, startPosition < new.position { startPosition = new.position }
        var news: [String] = []
        if old?.lineState != new.lineState, let sentence = Self.sentence(for: new.lineState, isFirst: old == nil) {
            news.append(sentence)
        }
        if new.state == .active, old?.state != .active { news.append("It is your turn.") }
        for reservation in new.reservations {
            let known = held.firstIndex { $0.id == reservation.id }
            switch reservation.state {
            case .held:
                if let known {
                    held[known] = reservation
                } else {
                    held.append(reservation)
                    news.append("Held \(Format.seatPhrase(reservation.seats)) of \(reservation.performance).")
                }
            default:
                if let known { held.remove(at: known) }
                news.append(Self.sentence(forEndOf: reservation))
            }
        }
        for warning in new.warnings where old?.warnings.contains(warning) != true {
            if let sentence = Self.sentence(for: warning) { news.append(sentence) }
        }
        news += new.notices.map { "Notice: \(Self.clean($0.text))" }
        if new.state == .ended, old?.state != .ended { news.append(Self.sentence(forEnd: new.endReason)) }
        events = Array((events + news).suffix(Self.eventsMax))
        return news
    }

    // MARK: Lines

    /// The whole view, no line wider than `width`.
    func lines(now: UInt64, width: Int, style: Style) -> [String] {
        var lines = [style.bold(Self.cut("\(title) · \(user)", width))]
        guard let update else { return lines + [style.dim(Self.cut(trouble ?? "Joining the line …", width))] }
        switch update.state {
        case .waiting: lines += waiting(update, now, width, style)
        case .active: lines += active(update, now, width, style)
        case .ended: lines += [Self.cut(Self.sentence(forEnd: update.endReason), width)]
        case .unspecified, .unrecognized: lines += ["?"]
        }
        if let trouble { lines.append(style.yellow(Self.cut(trouble, width))) }
        lines += events.map { style.dim(Self.cut("· \($0)", width)) }
        return lines
    }

    private func waiting(_ update: LineUpdate, _ now: UInt64, _ width: Int, _ style: Style) -> [String] {
        guard update.position > 0 else {
            // A lobby whose draw is still to come.
            let opens = update.opensMs > now ? " in \(Format.duration(update.opensMs - now))" : ""
            return [
                Self.cut(
                    "You are in the lobby. The order is drawn when the line opens\(opens); coming early brings nothing.", width)
            ]
        }
        let ahead = update.position - 1
        let people = ahead == 0 ? "nobody ahead of you" : "\(Format.money(ahead)) ahead of you"
        var facts = ["number \(Format.money(update.position)) in line", people]
        if update.behind > 0 { facts[1] += ", \(Format.money(update.behind)) behind" }
        if let wait = waitText(update, now) { facts.append(wait) }
        return [bar(width: width, style: style), Self.cut(facts.joined(separator: " · "), width)]
    }

    private func waitText(_ update: LineUpdate, _ now: UInt64) -> String? {
        switch update.lineState {
        case .lobby: return update.opensMs > now ? "opens in \(Format.clock(update.opensMs - now))" : "opens soon"
        case .paused: return "the line is paused"
        default: break
        }
        guard let estimate = update.estimate else { return nil }
        let elapsed = now - min(now, receivedAt)
        let low = estimate.lowMs - min(estimate.lowMs, elapsed)
        let high = estimate.highMs - min(estimate.highMs, elapsed)
        return Format.wait(low: low, high: high)
    }

    /// How far one has come since this view began.
    var progress: Double {
        guard let update, update.state == .waiting else { return 1 }
        guard startPosition > 1, update.position > 0 else { return 0 }
        return Double(startPosition - min(update.position, startPosition)) / Double(startPosition)
    }

    private func bar(width: Int, style: Style) -> String {
        let cells = max(10, min(50, width - 8))
        let full = min(cells, Int(progress * Double(cells)))
        let percent = "\(Int(progress * 100)) %"
        return style.green(String(repeating: "█", count: full)) + style.dim(String(repeating: "░", count: cells - full)) + "  "
            + percent
    }

    private func active(_ update: LineUpdate, _ now: UInt64, _ width: Int, _ style: Style) -> [String] {
        var lines: [String] = []
        if update.activeUntilMs > now {
            lines.append(
                style.green(
                    style.bold(
                        Self.cut("It is your turn: \(Format.clock(update.activeUntilMs - now)) left to choose seats.", width))))
        } else if held.isEmpty {
            lines.append(style.yellow(Self.cut("Your time is over.", width)))
        } else {
            lines.append(style.yellow(Self.cut("No new seats any more; what you hold can still be paid.", width)))
        }
        if held.isEmpty, update.idleUntilMs > now, update.idleUntilMs - now < 60_000, update.idleUntilMs < update.activeUntilMs
        {
            lines.append(
                style.yellow(
                    Self.cut("Do something within \(Format.clock(update.idleUntilMs - now)), or your turn ends.", width)))
        }
        for reservation in held {
            let left = reservation.deadlineMs > now ? Format.clock(reservation.deadlineMs - now) : "0:00"
            let text =
                "reservation \(reservation.id): \(reservation.performance), \(Format.seatPhrase(reservation.seats)), \(Format.money(reservation.price)) — \(left) to pay"
            lines.append(style.cyan(Self.cut(text, width)))
        }
        let hints =
            held.isEmpty
            ? ["usher dates \(concert)", "usher seats PERFORMANCE", "usher hold PERFORMANCE --best 2"]
            : ["usher charge AMOUNT", "usher pay", "usher release"]
        lines.append(style.dim(Self.cut("in another terminal: \(hints.joined(separator: "   "))", width)))
        return lines
    }

    // MARK: Sentences

    static func sentence(for state: LineState, isFirst: Bool) -> String? {
        switch state {
        case .lobby: "The lobby is open; admission has not begun."
        case .open: isFirst ? nil : "The line is open."
        case .paused: "The line is paused. You keep your place."
        case .draining: "The line takes no more joins; everybody in it is still admitted."
        case .closed: "The line is closed."
        case .scheduled, .unspecified, .unrecognized: nil
        }
    }

    static func sentence(for warning: Warning) -> String? {
        switch warning {
        case .activeTimeEnding: "Your time to choose seats ends soon."
        case .idleTimeEnding: "Nothing has happened for a while: your turn ends soon."
        case .holdEnding: "A hold runs out soon: pay it now."
        case .unspecified, .unrecognized: nil
        }
    }

    static func sentence(forEndOf reservation: Reservation) -> String {
        let what = "\(Format.seatPhrase(reservation.seats)) of \(reservation.performance)"
        return switch reservation.state {
        case .paid: "Paid \(Format.money(reservation.price)): \(what) \(reservation.seats.count == 1 ? "is" : "are") yours."
        case .expired: "The hold ran out: \(what) went back on sale."
        case .released: "Released \(what)."
        case .cancelled: "Cancelled \(what)."
        case .held, .unspecified, .unrecognized: "Reservation \(reservation.id): \(what)."
        }
    }

    static func sentence(forEnd reason: EndReason) -> String {
        switch reason {
        case .paid: "All paid. Enjoy the concert!"
        case .left: "You have left the line."
        case .expired: "Your time has run out. Join again for a new place: usher join"
        case .absent: "You were away for too long, and your place is gone. Join again for a new one: usher join"
        case .closed: "The line was closed."
        case .unspecified, .unrecognized: "Your place has ended."
        }
    }

    /// A notice comes from elsewhere: control characters must not reach the terminal.
    static func clean(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }

    static func cut(_ text: String, _ width: Int) -> String {
        text.count <= width ? text : String(text.prefix(max(0, width - 1))) + "…"
    }
}
