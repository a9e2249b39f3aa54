import BoxOffice
import Testing
import UsherAPI

struct SnapshotTests {
    private func sale() -> Sale {
        let sale = Sale(.teller(1)) { $0.maxSeats = 3 }
        for user in ["ada", "bob", "cy"] { sale.join(user, source: 3) }
        sale.charge("ada", 500)
        sale.hold("ada", [1, 2])
        sale.pay("ada", 1)
        sale.hold("bob", [1])
        sale.hold("bob", [9])
        sale.operate(.notice(SendNoticeRequest(concert: "gig", text: "hello")))
        sale.apply([Command(body: .publishKey(PublishKey(ed25519: [UInt8](repeating: 3, count: 32))))])
        sale.depart("cy", source: 3)
        return sale
    }

    @Test func `the empty sale has a snapshot too`() throws {
        let empty = BoxOffice().snapshot()
        let restored = try BoxOffice(snapshot: empty)
        let again = restored.snapshot()
        #expect(again == empty)
    }

    @Test func `what a snapshot restores answers as before`() throws {
        let sale = sale()
        let refused = sale.newRequest()
        let refusal = sale.hold("bob", [2], request: refused)
        let restored = try BoxOffice(snapshot: sale.office.snapshot())
        for id in UInt64(1)...3 {
            let statuses = (restored.token(id), sale.office.token(id))
            #expect(statuses.0 == statuses.1)
        }
        let concerts = (restored.concert(0), sale.office.concert(0))
        #expect(concerts.0 == concerts.1)
        let performances = (restored.performance(0), sale.office.performance(0))
        #expect(performances.0 == performances.1)
        let stats = (restored.stats(ofConcert: 0), sale.office.stats(ofConcert: 0))
        #expect(stats.0 == stats.1)
        let lists = (restored.transactions(of: Uuid(user: "ada")), sale.office.transactions(of: Uuid(user: "ada")))
        #expect(lists.0 == lists.1)
        let keys = (restored.keys, sale.office.keys)
        #expect(keys.0 == keys.1)
        let digests = (restored.digest, sale.office.digest)
        #expect(digests.0 == digests.1)
        sale.office = restored
        #expect(sale.hold("bob", [2], request: refused) == refusal)
    }

    @Test func `every strict prefix is refused`() {
        let bytes = sale().office.snapshot()
        for count in 0..<bytes.count {
            #expect(throws: SnapshotError.self) { _ = try BoxOffice(snapshot: Array(bytes[..<count])) }
        }
        #expect(throws: SnapshotError.self) { _ = try BoxOffice(snapshot: bytes + [0]) }
    }

    @Test func `every flipped bit is refused`() {
        var bytes = sale().office.snapshot()
        for index in bytes.indices {
            bytes[index] ^= 1 << UInt8(index % 8)
            #expect(throws: SnapshotError.self) { _ = try BoxOffice(snapshot: bytes) }
            bytes[index] ^= 1 << UInt8(index % 8)
        }
    }

    @Test func `a later version is named`() {
        var bytes = BoxOffice().snapshot()
        bytes[8] = 9
        #expect(throws: SnapshotError.version(9)) { _ = try BoxOffice(snapshot: bytes) }
    }

    @Test func `outcomes that are too old are not carried along`() throws {
        let sale = sale()
        let before = sale.office.snapshot().count
        sale.now += 86_400_000
        sale.apply([])
        sale.line(.closeLine)
        #expect(sale.office.snapshot().count < before)
    }

    @Test func `digests differ as soon as an entry does`() {
        let one = sale()
        let two = sale()
        #expect(one.office.digest == two.office.digest)
        one.charge("bob", 5)
        two.charge("bob", 6)
        #expect(one.office.digest != two.office.digest)
    }
}
