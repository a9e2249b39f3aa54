// The state as bytes, the same on every instance at the same journal position.
//
//   "USHERSNP"  version 4
//   position, clock, digest, rules, settings of the sale, ends of quiet and respite, serial, keys
//   users · concerts · performances · tokens · reservations · payments · transactions      each list in order of index
//   instances with who is where · who is kept as present · remembered outcomes, oldest first
//   SHA-256 of all bytes before
//
// What follows from the rest is not written: seats (from reservations), sets of places and counts of the active (from
// tokens), chains, the heap. Reading makes it anew and checks on the way that every index points at something, so that
// bytes that are not a sound state are refused and not carried on.

internal import Crypto
internal import UsherAPI

private let magic = Array("USHERSNP".utf8)
private let snapshotVersion: UInt64 = 4
private let hashBytes = 32

extension BoxOffice {
    /// The whole state in canonical bytes: equal states give equal bytes. Linear in the state; takes no part of it along.
    public func snapshot() -> [UInt8] {
        var writer = SnapshotWriter()
        writer.bytes.reserveCapacity(1 << 16 + 32 * tokens.count + 24 * users.count + 48 * transactions.count)
        writer.bytes.append(contentsOf: magic)
        writer.number(snapshotVersion)
        writeSale(&writer)
        writer.number(users.count)
        for index in users.indices {
            writer.uuid(users[index].id)
            writer.number(users[index].balance)
        }
        writer.number(concerts.count)
        for concert in concerts { Self.write(concert, &writer) }
        writer.number(performances.count)
        for performance in performances {
            writer.message(performance.settings)
            writer.number(performance.concert)
            writer.number(performance.revision)
        }
        writeRecords(&writer)
        writeInstances(&writer)
        writeRemembered(&writer)
        writer.bytes.append(contentsOf: sha256(writer.bytes))
        return writer.bytes
    }

    private func writeSale(_ writer: inout SnapshotWriter) {
        writer.number(position)
        writer.number(clock)
        writer.fixed(digest)
        writer.number(rules)
        writer.flag(settings.accountNeedsActiveToken)
        writer.number(settings.maxCharge)
        writer.number(settings.maxBalance)
        writer.number(quietUntil)
        writer.number(respiteUntil)
        writer.number(serial)
        writer.number(keys.count)
        for key in keys {
            writer.number(key.instance)
            writer.data(key.ed25519)
            writer.number(key.publishedMs)
        }
    }

    private static func write(_ concert: ConcertRecord, _ writer: inout SnapshotWriter) {
        writer.message(concert.settings)
        writer.message(concert.policy)
        writer.number(concert.state.rawValue)
        writer.data(concert.drawSeed)
        writer.number(concert.order.count)
        writer.number(concert.shuffle?.count ?? 0)
        writer.number(concert.shuffle?.left ?? 0)
        for number in [
            concert.admitted, concert.gridStart, concert.nextTick, concert.payments, concert.revenue,
            concert.noticesSent, concert.lastMinute.second,
        ] { writer.number(number) }
        for count in concert.lastMinute.counts { writer.number(count) }
        writer.number(concert.notices.count)
        for notice in concert.notices { writer.message(notice) }
    }

    private func writeRecords(_ writer: inout SnapshotWriter) {
        writer.number(tokens.count)
        for index in tokens.indices {
            let token = tokens[index]
            let phase = phase(of: index)
            writer.number(token.user)
            writer.number(token.concert)
            writer.number(token.joinNumber)
            writer.number(place(of: index))
            writer.number(phase.rawValue)
            writer.number(phase == .ended ? endReason(of: index).rawValue : 0)
            writer.flag(token.hasPaid)
            writer.number(token.activeUntil)
            writer.number(token.until)
            writer.number(token.admittedAt)
        }
        writer.number(reservations.count)
        for index in reservations.indices {
            let reservation = reservations[index]
            writer.number(reservation.user)
            writer.number(reservation.token)
            writer.number(reservation.performance)
            writer.number(reservation.seatCount)
            for seat in seatRange(of: reservation) { writer.number(heldSeats[seat]) }
            writer.number(reservation.state)
            for number in [reservation.price, reservation.created, reservation.deadline, reservation.ended] {
                writer.number(number)
            }
        }
        writer.number(payments.count)
        for index in payments.indices {
            writer.number(payments[index].reservation)
            writer.number(payments[index].paid)
            writer.number(payments[index].refunded)
        }
        writer.number(transactions.count)
        for index in transactions.indices {
            let transaction = transactions[index]
            writer.number(transaction.user)
            writer.number(transaction.reservation)
            writer.number(transaction.kind)
            writer.number(transaction.amount)
            writer.number(transaction.balanceAfter)
            writer.number(transaction.time)
        }
    }

    private func writeInstances(_ writer: inout SnapshotWriter) {
        writer.number(instances.count)
        for instance in instances {
            writer.number(instance.id)
            writer.number(instance.incarnation)
            writer.number(instance.number)
            writer.flag(instance.isAlive)
            writer.number(instance.rules)
            writer.text(instance.name)
            writer.text(instance.address)
            writer.number(instance.lastSign)
            writer.number(instance.lastBeat)
            writer.number(instance.beats.count)
            for beat in instance.beats { writer.number(beat) }
            writer.number(instance.sources.count)
            for source in instance.sources { writer.members(source) }
        }
        writer.members(kept)
    }

    private func writeRemembered(_ writer: inout SnapshotWriter) {
        let numbers = remembered.numbers
        let first = numbers.first { remembered[$0].time.saturatingAdd(SaleLimits.rememberedMilliseconds) > clock }
        let start = first ?? numbers.upperBound
        writer.number(numbers.upperBound - start)
        for number in start..<numbers.upperBound {
            let record = remembered[number]
            writer.uuid(record.requestId)
            writer.fixed(record.contents)
            writer.number(record.time)
            writer.number(record.user)
            writer.number(record.code)
            if record.code == OutcomeCode.refused {
                let refusal = remembered.refusal(of: number)
                writer.text(refusal.reason.rawValue)
                writer.text(refusal.message)
                writer.message(refusal.details)
            } else {
                writer.number(record.first)
                writer.number(record.second)
            }
        }
    }

    /// The state that a snapshot holds.
    ///
    /// - Throws: `SnapshotError` for anything but the bytes of a sound state.
    public init(snapshot bytes: [UInt8]) throws(SnapshotError) {
        self.init()
        guard bytes.count > magic.count + hashBytes, bytes.starts(with: magic) else { throw .notASnapshot }
        let end = bytes.count - hashBytes
        var reader = SnapshotReader(bytes, from: magic.count, to: end)
        let version = try reader.number()
        guard version == snapshotVersion else { throw .version(version) }
        guard sha256(Array(bytes[..<end])) == Array(bytes[end...]) else { throw .digest }
        try readAll(&reader)
        guard reader.isAtEnd else { throw reader.malformed() }
    }
}
