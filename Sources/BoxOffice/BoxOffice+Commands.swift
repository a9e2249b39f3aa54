// From a command to its outcome: who asks, whether the id is known, what it comes to, and remembering that.
//
// A request id belongs to its user; operators without a user share the ids of the nil user. What is remembered is what
// was done, and those refusals that stay true for the same id (`Refusal.isRemembered`).
//
// The bound of 256: past it Charge, Hold, Cancel and new joins are refused. Pay, Release, Leave, operators' commands and
// joins that find their token alive are still carried out; what they did is remembered all the same (each ends a hold or
// a place, so there are few), what they were refused is not, since a repeat changes nothing either. A join that finds its
// token alive changes nothing, and is remembered only while half of the ids are free, so that a phone that reconnects all
// day does not use up the ids with which its user wants to buy.

internal import UsherAPI

/// Who gives a command, and from where.
struct Caller {
    let user: Int
    let token: UInt64
    let instance: Int
    let source: UInt32
}

extension BoxOffice {
    /// What kind of command it is, as far as identity and remembering go.
    fileprivate enum Standing {
        case users
        case operators
        /// Instances' own: no request id, nothing remembered.
        case instances
    }

    mutating func execute(_ command: Command, instance: Int, _ effects: inout Effects) -> Outcome {
        guard let body = command.body else { return .refused(.malformed) }
        switch body.standing {
        case .instances:
            executeInternal(body, command, instance: instance, &effects)
            return .done(.none)
        case .users:
            guard let user = command.user, !user.isNone else { return .refused(.identityMissing) }
            return executeOnce(body, command, user: user, instance: instance, &effects)
        case .operators:
            guard !command.operator.isEmpty else { return .refused(.operatorRequired) }
            return executeOnce(body, command, user: command.user ?? .none, instance: instance, &effects)
        }
    }

    /// Carries the command out unless its request id is known.
    private mutating func executeOnce(
        _ body: Command.Body, _ command: Command, user id: Uuid, instance: Int, _ effects: inout Effects
    ) -> Outcome {
        guard let requestId = command.requestId, !requestId.isNone else { return .refused(.requestIdMissing) }
        guard let user = intern(id) else { return .refused(.tableFull("users", limit: SaleLimits.records)) }
        let caller = Caller(user: user, token: command.token, instance: instance, source: command.source)
        let search = find(requestId, of: user)
        if let number = search.number { return repeated(number, command, body, caller, &effects) }

        let isFull = search.count >= SaleLimits.requestIds
        let rejoins = isRejoin(body, user: user)
        if isFull, body.needsFreeRequestId, !rejoins {
            let free = search.oldest.saturatingAdd(SaleLimits.rememberedMilliseconds)
            return .refused(.requestIdsExhausted(retryAfter: free.saturatingSubtract(clock)))
        }
        touchCaller(caller, &effects)
        do throws(Refusal) {
            let committed = try carryOut(body, command, caller, &effects)
            if !rejoins || search.count < SaleLimits.requestIds / 2 {
                let packed = committed.packed
                remember(requestId, command.contents, caller, packed.code, packed.first, packed.second, nil)
            }
            return .done(reply(for: committed))
        } catch {
            if error.isRemembered, !isFull {
                remember(requestId, command.contents, caller, OutcomeCode.refused, 0, 0, error)
            }
            return .refused(error)
        }
    }

    /// Looks for the id among the user's. If it can't be there, and there are too few for their number to matter, none is
    /// looked at and none counted.
    private func find(_ requestId: Uuid, of user: Int) -> RememberedOutcomes.Search {
        let traces = users[user].requestTraces
        if traces.count < SaleLimits.requestIds / 2, traces.excludes(requestId) { return RememberedOutcomes.Search() }
        return remembered.find(requestId, last: users[user].lastRemembered, now: clock)
    }

    /// The outcome committed for this id. It has no effects, but that a repeated join still says where its user is.
    private mutating func repeated(
        _ number: UInt64, _ command: Command, _ body: Command.Body, _ caller: Caller, _ effects: inout Effects
    ) -> Outcome {
        let record = remembered[number]
        guard record.contents == command.contents else { return .refused(.requestIdReused) }
        if record.code == OutcomeCode.refused { return .refused(remembered.refusal(of: number)) }
        let committed = Committed(code: record.code, first: record.first, second: record.second)
        if case .joined(let token) = committed, case .join = body {
            arrive(token, instance: caller.instance, source: caller.source, &effects)
        }
        return .done(reply(for: committed))
    }

    private mutating func carryOut(
        _ body: Command.Body, _ command: Command, _ caller: Caller, _ effects: inout Effects
    ) throws(Refusal) -> Committed {
        switch body {
        case .join(let join): try self.join(join, caller, &effects)
        case .leave(let leave): try self.leave(leave, caller, &effects)
        case .hold(let hold): try self.hold(hold, caller, &effects)
        case .release(let release): try self.release(release, caller, &effects)
        case .pay(let pay): try self.pay(pay, caller, &effects)
        case .cancel(let cancel): try self.cancel(cancel, caller, &effects)
        case .charge(let charge): try self.charge(charge, caller)
        case .putConcert(let put): try putConcert(put, &effects)
        case .putPerformance(let settings): try putPerformance(settings, &effects)
        case .setPolicy(let request): try setPolicy(request, &effects)
        case .changeLine(let change): try changeLine(change, &effects)
        case .notice(let request): try sendNotice(request, &effects)
        case .presence, .touched, .configure, .instanceStarted, .instanceStopped, .publishKey, .checkpoint: .none
        }
    }

    private mutating func executeInternal(
        _ body: Command.Body, _ command: Command, instance: Int, _ effects: inout Effects
    ) {
        switch body {
        case .presence(let presence): notePresence(presence, instance: instance, source: command.source, &effects)
        case .touched(let touched): for token in touched.tokens { touch(token, &effects) }
        case .configure(let configure): self.configure(configure, &effects)
        case .instanceStarted(let started): note(started, instance: instance)
        case .instanceStopped: stop(instance, &effects)
        case .publishKey(let key): publish(key, instance: instance)
        default: break
        }
    }

    /// The user's record, made if there is none; nil if the table is full.
    private mutating func intern(_ id: Uuid) -> Int? {
        if let user = userIndex[id] { return user }
        guard users.count < SaleLimits.records else { return nil }
        users.append(UserRecord(id: id))
        userIndex.insert(id, at: users.count - 1)
        return users.count - 1
    }

    private mutating func remember(
        _ requestId: Uuid, _ contents: UInt64, _ caller: Caller, _ code: UInt8, _ first: UInt64, _ second: UInt64,
        _ refusal: Refusal?
    ) {
        let record = RememberedOutcome(
            requestId: requestId, contents: contents, time: clock, user: UInt32(truncatingIfNeeded: caller.user), code: code,
            first: first, second: second)
        users[caller.user].lastRemembered = remembered.append(
            record, refusal: refusal, last: users[caller.user].lastRemembered)
        users[caller.user].requestTraces.add(requestId)
    }

    private func isRejoin(_ body: Command.Body, user: Int) -> Bool {
        guard case .join(let join) = body, let concert = concertIndexes[join.concert] else { return false }
        return liveToken(ofUser: user, concert: concert) != nil
    }
}

extension Command.Body {
    /// What kind of command it is.
    fileprivate var standing: BoxOffice.Standing {
        switch self {
        case .join, .leave, .hold, .release, .pay, .cancel, .charge: .users
        case .putConcert, .putPerformance, .setPolicy, .changeLine, .notice: .operators
        case .presence, .touched, .configure, .instanceStarted, .instanceStopped, .publishKey, .checkpoint: .instances
        }
    }

    /// Whether it is refused to a user who has 256 remembered outcomes.
    fileprivate var needsFreeRequestId: Bool {
        switch self {
        case .join, .hold, .cancel, .charge: true
        default: false
        }
    }
}
