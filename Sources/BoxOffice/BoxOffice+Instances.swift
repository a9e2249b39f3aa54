// The instances that write the journal: whose entry is next, who lives, whose users are where.
//
// An incarnation's entries are numbered from 1 without a gap; any other number is ignored, and so is everything from an
// incarnation that is over: stopped, declared gone, or followed by a newer one. A larger incarnation begins with 1.
//
// Gone: another instance has beaten 8 times since this one's last entry. An instance's first entry in each half second of
// journal time is a beat, whatever is in it: so that one under load notices the dead as soon as an idle one, which appends
// an empty entry each half second, and so that a beat that comes a little early or late loses none. Beats are counted, not
// time: a silence of the journal itself makes nobody gone, however long.

internal import UsherAPI

extension BoxOffice {
    struct Acceptance {
        let instance: Int
        let isNew: Bool
    }

    /// Whether the entry is to be applied, and whose it is. Counts it if so.
    mutating func accept(_ entry: Entry) -> Acceptance? {
        let index = instances.firstIndex { $0.id >= entry.instance } ?? instances.count
        if index < instances.count, instances[index].id == entry.instance {
            if entry.incarnation == instances[index].incarnation {
                guard instances[index].isAlive, instances[index].number < .max,
                    entry.number == instances[index].number + 1
                else { return nil }
                instances[index].number = entry.number
                return Acceptance(instance: index, isNew: false)
            }
            guard entry.incarnation > instances[index].incarnation, entry.number == 1 else { return nil }
            instances[index].incarnation = entry.incarnation
            instances[index].number = 1
            return Acceptance(instance: index, isNew: true)
        }
        guard entry.number == 1, let place = makeRoom(before: index) else { return nil }
        var record = InstanceRecord(id: entry.instance)
        record.incarnation = entry.incarnation
        record.number = 1
        instances.insert(record, at: place)
        return Acceptance(instance: place, isNew: true)
    }

    /// Where a new instance goes, nil if there are too many. The one silent for longest among the dead makes room; those
    /// whose users' presence is still kept stay.
    private mutating func makeRoom(before index: Int) -> Int? {
        guard instances.count >= SaleLimits.instances else { return index }
        var oldest: Int?
        for candidate in instances.indices where !instances[candidate].isAlive && instances[candidate].sources.isEmpty {
            if let known = oldest, instances[known].lastSign <= instances[candidate].lastSign { continue }
            oldest = candidate
        }
        guard let oldest else { return nil }
        instances.remove(at: oldest)
        return oldest < index ? index - 1 : index
    }

    /// Begins an incarnation: whatever this instance's earlier sources said is over.
    mutating func begin(_ instance: Int, _ effects: inout Effects) {
        instances[instance].isAlive = true
        instances[instance].beats = []
        instances[instance].lastBeat = 0
        dropSources(of: instance)
    }

    mutating func note(_ started: InstanceStarted, instance: Int) {
        instances[instance].rules = started.rules
        instances[instance].name = String(started.name.prefix(64))
        instances[instance].address = String(started.address.prefix(256))
        // A version comes into force once every living instance knows it, and stays. It may be one that this code does not
        // know: then it has to stop, and must not say that an older one is in force.
        let known = instances.lazy.filter(\.isAlive).map(\.rules).min() ?? 0
        rules = max(rules, known)
    }

    /// A stop in good order. The last one leaves its users' presence as it was: the next start is then an outage's end,
    /// which keeps it for those who come back.
    mutating func stop(_ instance: Int, _ effects: inout Effects) {
        instances[instance].isAlive = false
        if instances.contains(where: \.isAlive) { dropSources(of: instance) }
    }

    /// Notes a sign of life and, if it is a beat, who has been silent for too many of them.
    mutating func noteSign(of instance: Int, _ effects: inout Effects) {
        instances[instance].lastSign = serial
        guard clock / RuleTimes.beat > instances[instance].lastBeat / RuleTimes.beat else { return }
        instances[instance].lastBeat = clock
        instances[instance].beats.append(serial)
        guard instances[instance].beats.count >= RuleTimes.beatsUntilGone else { return }
        if instances[instance].beats.count > RuleTimes.beatsUntilGone { instances[instance].beats.removeFirst() }
        let since = instances[instance].beats[0]
        for other in instances.indices where other != instance && instances[other].isAlive {
            guard instances[other].lastSign < since else { continue }
            instances[other].isAlive = false
            dropSources(of: other)
            effects.instancesGone.append(
                InstanceGone(instance: instances[other].id, incarnation: instances[other].incarnation))
        }
    }

    /// Whoever was at the instance's sources is gone from there: not in one step, since they may be a million. They are
    /// kept as present first, and let go as far as the entry's budget goes; the rest with those that follow. After an
    /// outage all of them are kept until its quiet ends.
    mutating func dropSources(of instance: Int) {
        let sources = instances[instance].sources
        instances[instance].sources = []
        for source in sources {
            for token in kept.formUnion(source) { tokens[token].presence -= 1 }
        }
        if quietUntil == 0 { letGo() }
    }

    mutating func publish(_ key: PublishKey, instance: Int) {
        guard key.ed25519.count == 32 else { return }
        keys.removeAll { $0.ed25519 == key.ed25519 }
        keys.append(PublishedKey(instance: instances[instance].id, ed25519: key.ed25519, publishedMs: clock))
        if keys.count > SaleLimits.keys { keys.removeFirst() }
    }
}
