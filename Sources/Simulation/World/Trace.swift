/// The readable log of a world: who did what, what the journal decided, which fault struck. Lines are made only if somebody
/// reads them.
final class Trace {
    private let print: ((String) -> Void)?
    var now: UInt64 = 0

    init(_ print: ((String) -> Void)?) { self.print = print }

    func say(_ who: @autoclosure () -> String, _ what: @autoclosure () -> String) {
        guard let print else { return }
        let milliseconds = String(now % 1_000)
        let seconds = String(now / 1_000)
        let time =
            String(repeating: " ", count: max(0, 4 - seconds.count)) + seconds + "."
            + String(repeating: "0", count: 3 - milliseconds.count) + milliseconds
        let who = who()
        print("\(time)  \(who)\(String(repeating: " ", count: max(1, 14 - who.count)))\(what())")
    }
}
