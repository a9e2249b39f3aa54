import Testing
import UsherAPI

@testable import usher

struct LineSceneTests {
    private func scene(_ updates: LineUpdate..., at now: UInt64 = 1_000_000) -> LineScene {
        var scene = LineScene(title: "Aurora Lights", user: "ada", concert: "aurora")
        for update in updates { scene.take(update, now: now) }
        return scene
    }

    @Test func `before the first update the view says so`() {
        #expect(scene().lines(now: 0, width: 80, style: .plain) == ["Aurora Lights · ada", "Joining the line …"])
    }

    @Test func `waiting shows place, people and a bar that fills as one moves up`() {
        let first = LineUpdate(
            state: .waiting, position: 100, behind: 5, estimate: Estimate(lowMs: 120_000, highMs: 240_000), lineState: .open)
        var scene = scene(first)
        #expect(scene.progress == 0)
        #expect(
            scene.lines(now: 1_000_000, width: 80, style: .plain)[2]
                == "number 100 in line · 99 ahead of you, 5 behind · 2 to 4 min")
        scene.take(LineUpdate(state: .waiting, position: 25, behind: 80, lineState: .open), now: 1_010_000)
        #expect(scene.progress == 0.75)
        let lines = scene.lines(now: 1_010_000, width: 80, style: .plain)
        #expect(lines[1].filter { $0 == "█" }.count == 37)
        #expect(lines[1].filter { $0 == "░" }.count == 13)
        #expect(lines[1].hasSuffix("75 %"))
        #expect(lines[2] == "number 25 in line · 24 ahead of you, 80 behind")
    }

    @Test(arguments: [
        (UInt64(0), "3 to 6 min"), (60_000, "2 to 5 min"), (179_000, "1 to 3 min"), (350_000, "a few seconds"),
        (999_000, "a few seconds"),
    ])
    func `the estimate counts down by itself`(elapsed: UInt64, text: String) {
        let scene = scene(
            LineUpdate(state: .waiting, position: 9, estimate: Estimate(lowMs: 180_000, highMs: 360_000), lineState: .open))
        #expect(
            scene.lines(now: 1_000_000 + elapsed, width: 80, style: .plain)[2] == "number 9 in line · 8 ahead of you · \(text)")
    }

    @Test func `one's turn is told once, with the time left and what to type`() {
        var scene = scene(LineUpdate(state: .waiting, position: 1, lineState: .open))
        let active = LineUpdate(state: .active, lineState: .open, activeUntilMs: 1_600_000, idleUntilMs: 1_180_000)
        #expect(scene.take(active, now: 1_000_000) == ["It is your turn."])
        #expect(scene.take(active, now: 1_001_000) == [])
        let lines = scene.lines(now: 1_001_000, width: 120, style: .plain)
        #expect(lines[1] == "It is your turn: 9:59 left to choose seats.")
        #expect(lines[2].contains("usher dates aurora"))
    }

    @Test func `a hold is shown with its own countdown until it ends`() {
        var reservation = Reservation(
            id: 7, concert: "aurora", performance: "aurora-1", seats: [12, 13], state: .held, price: 18_000,
            deadlineMs: 1_300_000)
        var update = LineUpdate(state: .active, activeUntilMs: 1_600_000, reservations: [reservation])
        var scene = scene()
        #expect(scene.take(update, now: 1_000_000) == ["It is your turn.", "Held seats 12, 13 of aurora-1."])
        #expect(
            scene.lines(now: 1_000_000, width: 120, style: .plain)[2]
                == "reservation 7: aurora-1, seats 12, 13, 18,000 — 5:00 to pay")
        #expect(scene.take(update, now: 1_100_000) == [])
        reservation.state = .expired
        update.reservations = [reservation]
        #expect(scene.take(update, now: 1_300_000) == ["The hold ran out: seats 12, 13 of aurora-1 went back on sale."])
        #expect(scene.held.isEmpty)
    }

    @Test func `after the time to choose, what is held can still be paid, and the view says so`() {
        let held = Reservation(id: 1, performance: "p", seats: [1], state: .held, deadlineMs: 1_900_000)
        let scene = scene(LineUpdate(state: .active, activeUntilMs: 1_600_000, reservations: [held]))
        #expect(scene.lines(now: 1_700_000, width: 80, style: .plain)[1].hasPrefix("No new seats any more"))
    }

    @Test func `an idle turn warns only when its end is near`() {
        let scene = scene(LineUpdate(state: .active, activeUntilMs: 1_600_000, idleUntilMs: 1_180_000))
        #expect(!scene.lines(now: 1_000_000, width: 80, style: .plain).contains { $0.hasPrefix("Do something") })
        #expect(scene.lines(now: 1_150_000, width: 80, style: .plain).contains("Do something within 0:30, or your turn ends."))
    }

    @Test func `a paused line, a warning and a notice are told`() {
        var scene = scene(LineUpdate(state: .waiting, position: 3, lineState: .open))
        let news = scene.take(
            LineUpdate(
                state: .waiting, position: 3, lineState: .paused, warnings: [.holdEnding],
                notices: [Notice(number: 1, text: "Doors\u{1B}[2J at 7\n")]),
            now: 1_000_000)
        #expect(
            news == [
                "The line is paused. You keep your place.", "A hold runs out soon: pay it now.", "Notice: Doors [2J at 7 ",
            ])
        #expect(scene.lines(now: 1_000_000, width: 80, style: .plain)[2].hasSuffix("the line is paused"))
    }

    @Test func `a lobby whose draw is to come shows no number`() {
        let scene = scene(LineUpdate(state: .waiting, lineState: .lobby, opensMs: 1_120_000))
        #expect(
            scene.lines(now: 1_000_000, width: 120, style: .plain)[1]
                == "You are in the lobby. The order is drawn when the line opens in 2 min 00 s; coming early brings nothing.")
    }

    @Test(arguments: [20, 40, 80, 200])
    func `no line is wider than the terminal`(width: Int) {
        var scene = scene(
            LineUpdate(
                state: .waiting, position: 1_000_000, behind: 1_000_000, estimate: Estimate(lowMs: 1, highMs: 99_999_999),
                lineState: .open))
        scene.trouble = String(repeating: "trouble ", count: 40)
        scene.events = [String(repeating: "event ", count: 40)]
        for line in scene.lines(now: 1_000_000, width: width, style: .plain) { #expect(line.count <= width) }
    }

    @Test func `trouble is shown until the next update`() {
        var scene = scene(LineUpdate(state: .waiting, position: 3, lineState: .open))
        scene.trouble = "The connection is lost."
        #expect(scene.lines(now: 0, width: 80, style: .plain).contains("The connection is lost."))
        scene.take(LineUpdate(state: .waiting, position: 3, lineState: .open), now: 0)
        #expect(!scene.lines(now: 0, width: 80, style: .plain).contains("The connection is lost."))
    }
}
