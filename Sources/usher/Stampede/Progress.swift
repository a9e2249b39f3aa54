import Foundation
import UsherAPI

/// The run as it goes: a few lines drawn over and over in a terminal, one line now and then elsewhere. On standard error,
/// so that the report can be piped.
final class Progress {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let isQuiet: Bool
    private let fans: Int
    private let seats: Int
    private var drawn = 0
    private var lastDrawn: UInt64 = 0
    private var lastAdmitted = (count: 0, at: UInt64(0))
    private var rate = 0.0
    private let start = Clocks.monotonic()

    init(fans: Int, seats: Int, isQuiet: Bool) {
        self.fans = fans
        self.seats = seats
        self.isQuiet = isQuiet
    }

    /// A step of the run, said once.
    func say(_ text: String) {
        guard !isQuiet else { return }
        erase()
        write("\(clock())  \(text)\n")
    }

    /// The numbers now, if it is time to show them again.
    func show(_ tally: Tally, _ phase: String) {
        let now = Clocks.monotonic()
        guard !isQuiet, now - lastDrawn >= (isTerminal ? 150_000 : 2_000_000) else { return }
        lastDrawn = now
        let admitted = tally.admitted.now
        if now - lastAdmitted.at >= 1_000_000 {
            rate = lastAdmitted.at == 0 ? 0 : Double(admitted - lastAdmitted.count) / (Double(now - lastAdmitted.at) / 1e6)
            lastAdmitted = (admitted, now)
        }
        let people =
            "waiting \(tally.waiting.now)  active \(tally.active.now)  holding \(tally.holding.now)  paid \(tally.paid.now)  home \(tally.gone.now)/\(fans)"
            + (tally.away.now > 0 ? "  away \(tally.away.now)" : "")
        if isTerminal {
            erase()
            let lines = [
                "\(clock())  \(phase)   connected \(tally.connected.now)/\(fans)   joined \(tally.joined.now)",
                "       \(people)",
                "       \(Int(rate)) admissions/s   seats \(bar(tally.seatsSold.now, of: seats)) \(tally.seatsSold.now)/\(seats)",
            ]
            write(lines.joined(separator: "\n") + "\n")
            drawn = lines.count
        } else if phase == "connecting" {
            write("\(clock())  connecting \(tally.connected.now)/\(fans)\n")
        } else {
            write("\(clock())  \(phase)  \(people)  \(Int(rate)) admissions/s  seats \(tally.seatsSold.now)/\(seats)\n")
        }
    }

    func finish() { erase() }

    private func bar(_ count: Int, of whole: Int) -> String {
        let width = 30
        let full = whole > 0 ? min(width, count * width / whole) : 0
        return String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
    }

    private func clock() -> String {
        let seconds = Double(Clocks.monotonic() - start) / 1e6
        return String(repeating: " ", count: seconds < 10 ? 2 : seconds < 100 ? 1 : 0) + String(Double(Int(seconds * 10)) / 10)
            + " s"
    }

    private func erase() {
        guard drawn > 0 else { return }
        write("\u{1B}[\(drawn)A\u{1B}[J")
        drawn = 0
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
