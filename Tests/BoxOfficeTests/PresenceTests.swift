import BoxOffice
import Testing
import UsherAPI

struct PresenceTests {
    @Test func `who is absent when the turn comes is passed over and is first on return`() {
        let sale = Sale(.teller(1))
        for user in ["a", "b", "c", "d"] { sale.join(user) }
        sale.depart("b")
        sale.leave("a")
        #expect(sale.token("c")?.state == .active)
        #expect(sale.token("b")?.state == .waiting)
        sale.arrive("b")
        #expect(sale.token("b")?.state == .waiting)
        sale.leave("c")
        #expect(sale.token("b")?.state == .active)
        #expect(sale.token("d")?.state == .waiting)
    }

    @Test func `one who returns while there is room is admitted at once`() {
        let sale = Sale(.teller(2))
        for user in ["a", "b", "c"] { sale.join(user) }
        sale.depart("c")
        sale.leave("a")
        #expect(sale.office.stats(ofConcert: 0)?.active == 1)
        sale.arrive("c")
        #expect(sale.token("c")?.state == .active)
    }

    @Test func `an absent waiter ends absent after the grace`() {
        let sale = Sale(.teller(1)) {
            $0.graceMs = 60_000; $0.idleTtlMs = 600_000
        }
        for user in ["a", "b", "c"] { sale.join(user) }
        sale.depart("b")
        sale.advance(milliseconds: 59_999)
        #expect(sale.token("b")?.state == .waiting)
        sale.advance(milliseconds: 1)
        #expect(sale.last("b")?.endReason == .absent)
        #expect(sale.effects.lines.contains(.left(line: 0, place: 2)))
        #expect(sale.effects.tokens == [2])
    }

    @Test func `coming back stops the grace and going again starts it anew`() {
        let sale = Sale(.teller(1)) {
            $0.graceMs = 60_000; $0.idleTtlMs = 600_000
        }
        for user in ["a", "b"] { sale.join(user) }
        sale.depart("b")
        sale.advance(seconds: 50)
        sale.arrive("b")
        sale.advance(seconds: 50)
        sale.depart("b")
        sale.advance(milliseconds: 59_999)
        #expect(sale.token("b")?.state == .waiting)
        sale.advance(milliseconds: 1)
        #expect(sale.last("b")?.endReason == .absent)
    }

    @Test func `absence does not end an active token`() {
        let sale = Sale(.teller(1)) { $0.graceMs = 1_000 }
        sale.join("a")
        sale.depart("a")
        sale.advance(seconds: 100)
        #expect(sale.token("a")?.state == .active)
    }

    @Test func `a user at two sources is present until gone from both`() {
        let sale = Sale(.teller(1))
        sale.join("a")
        sale.join("b", source: 0)
        sale.arrive("b", source: 1)
        sale.arrive("b", source: 1)
        sale.depart("b", source: 0)
        #expect(sale.token("b")?.present == true)
        sale.depart("b", source: 0)
        #expect(sale.token("b")?.present == true)
        sale.depart("b", source: 1)
        #expect(sale.token("b")?.present == false)
    }

    @Test func `joining again from elsewhere is presence there`() {
        let sale = Sale(.teller(1))
        sale.join("a")
        sale.join("b", source: 0)
        sale.join("b", source: 2)
        sale.depart("b", source: 0)
        #expect(sale.token("b")?.present == true)
    }

    @Test func `a repeated join says where the user is and changes nothing else`() {
        let sale = Sale(.teller(1))
        sale.join("a")
        let request = sale.newRequest()
        sale.join("b", request: request, source: 0)
        sale.depart("b", source: 0)
        sale.join("b", request: request, source: 3)
        #expect(sale.token("b")?.present == true)
        #expect(sale.effects.lines.isEmpty)
    }

    @Test func `a restarted instance has nobody, while another lives`() {
        let sale = Sale(.teller(1))
        sale.start(2)
        sale.join("a")
        sale.join("b")
        sale.join("c", instance: 2)
        sale.start(1)
        #expect(sale.token("b")?.present == false)
        #expect(sale.token("c")?.present == true)
    }

    @Test func `an instance that stops has nobody, while another lives`() {
        let sale = Sale(.teller(1))
        sale.start(2)
        sale.join("a")
        sale.join("b", instance: 2)
        sale.apply([Command(body: .instanceStopped(InstanceStopped()))], instance: 2)
        #expect(sale.token("b")?.present == false)
        #expect(sale.office.isAlive(instance: 2, incarnation: sale.now) == false)
    }

    @Test(arguments: [false, true])
    func `an instance is gone when another has beaten eight times since its last sign`(isUnderLoad: Bool) {
        let sale = Sale(.teller(1))
        sale.start(2)
        sale.join("a")
        sale.join("b", instance: 2)
        // An entry beats whatever is in it.
        let commands = isUnderLoad ? [Command(body: .touched(Touched(tokens: [1])))] : []
        for _ in 0..<7 {
            sale.now += 500
            sale.apply(commands)
        }
        #expect(sale.office.livingInstances == [1, 2])
        sale.now += 500
        sale.apply(commands)
        #expect(sale.office.livingInstances == [1])
        #expect(sale.effects.instancesGone.map(\.instance) == [2])
        #expect(sale.token("b")?.present == false)
        // What it still had under way is ignored.
        #expect(sale.apply([sale.command("d", .join(Join(concert: "gig")))], instance: 2).isEmpty)
    }

    @Test func `many entries in half a second are one beat, and a silence of all is none`() {
        let sale = Sale(.teller(1))
        sale.start(2)
        for _ in 0..<40 {
            sale.now += 6
            sale.apply([])
        }
        #expect(sale.office.livingInstances == [1, 2])
        sale.now += 100_000
        sale.apply([])
        #expect(sale.office.livingInstances == [1, 2])
    }

    @Test func `a sign of life starts the count anew`() {
        let sale = Sale(.teller(1))
        sale.start(2)
        for _ in 0..<4 {
            for _ in 0..<7 {
                sale.now += 500
                sale.apply([])
            }
            sale.apply([], instance: 2)
        }
        #expect(sale.office.livingInstances == [1, 2])
    }

    @Test func `a beat that comes a little early or late loses none`() {
        let sale = Sale(.teller(1))
        sale.now = 1_000_250
        sale.start(2)
        for step in 0..<7 as Range<UInt64> {
            sale.now += step.isMultiple(of: 2) ? 440 : 560
            sale.apply([])
        }
        #expect(sale.office.livingInstances == [1, 2])
        sale.now += 500
        sale.apply([])
        #expect(sale.office.livingInstances == [1])
    }

    // MARK: Rules

    @Test func `a version of the rules is in force once every living instance knows it, also one that this code does not`() {
        let sale = Sale(.teller(1))
        func started(_ instance: UInt32, rules: UInt32) {
            sale.now += 1
            sale.apply(
                [Command(body: .instanceStarted(InstanceStarted(sources: 1, rules: rules)))], instance: instance,
                incarnation: sale.now)
        }
        started(2, rules: 9)
        #expect(sale.office.rules == 1)
        started(1, rules: 8)
        #expect(sale.office.rules == 8)
        started(3, rules: 2)
        #expect(sale.office.rules == 8)
    }

    // MARK: Entry numbers

    @Test func `only the next entry of an incarnation is applied`() {
        let sale = Sale(.teller(1))
        let base = sale.journal.last?.entry ?? Entry()
        func entry(_ number: UInt64, incarnation: UInt64, _ user: String) -> Entry {
            Entry(
                instance: 1, incarnation: incarnation, number: number,
                commands: [sale.command(user, .join(Join(concert: "gig")))])
        }
        sale.append(entry(base.number, incarnation: base.incarnation, "twice"))
        sale.append(entry(base.number + 2, incarnation: base.incarnation, "skipped"))
        sale.append(entry(1, incarnation: base.incarnation - 1, "old"))
        sale.append(entry(2, incarnation: base.incarnation + 1, "not first"))
        #expect(sale.office.joined(concert: 0) == 0)
        sale.append(entry(base.number + 1, incarnation: base.incarnation, "next"))
        #expect(sale.office.joined(concert: 0) == 1)
        sale.append(entry(1, incarnation: base.incarnation + 1, "restarted"))
        #expect(sale.office.joined(concert: 0) == 2)
        sale.append(entry(base.number + 2, incarnation: base.incarnation, "from before the restart"))
        #expect(sale.office.joined(concert: 0) == 2)
    }
}
