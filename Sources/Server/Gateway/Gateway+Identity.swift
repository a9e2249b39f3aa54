import BoxOffice
import Calls
import Crypto
import Reactor
import Sequencer
import UsherAPI
import Wire

/// Who calls, and with which place in the line.
extension Gateway {
    func hello(_ hello: Hello, _ session: Session, in calls: inout ServerCalls, output: inout [UInt8]) {
        do throws(IdentityError) {
            session.identity =
                switch hello.identity {
                case nil: nil
                case .jwt(let text): try identities.check(bearer: text, now: loop.wallNow)
                case .user(let user): try identities.trust(user)
                }
        } catch .expired {
            // Nobody yet: calls are refused until Authenticate brings a new one, and the place in the line is kept.
            session.identity = nil
        } catch {
            calls.shut()
            session.refuseHello(Self.status(of: error).message)
            return
        }
        if session.identity?.isBackend == true { calls.limits = backendLimits }
        session.seenPosition = hello.epoch == nil || hello.epoch == instance.epoch ? hello.position : nil
        var welcome = Welcome()
        welcome.instance = instance.name
        welcome.epoch = instance.epoch
        welcome.serverTimeMs = loop.wallNow
        welcome.user = session.identity?.user
        welcome.position = position
        welcome.development = identities.isDevelopment
        welcome.stalled = isStalled
        calls.welcome(welcome, pingFraction: .random(in: 0...1), output: &output)
        metrics.hellos.add()
        if let farewell { calls.goAway(nextGoAway(farewell), output: &output) }
    }

    func authenticate(_ request: AuthenticateRequest, _ call: IncomingCall, _ session: Session) throws(Status) {
        let identity: Identity
        do throws(IdentityError) {
            identity =
                switch request.identity {
                case nil: throw .invalid("no identity was given")
                case .jwt(let text): try check(bearer: text, session)
                case .user(let user): try identities.trust(user)
                }
        } catch {
            throw Self.status(of: error)
        }
        if let user = session.identity?.user, user != identity.user {
            throw Status(.notYours, "This connection is another user's; open one of your own.")
        }
        session.identity = identity
        reply(
            call.id,
            AuthenticateResponse(
                user: identity.user, expiresMs: identity.expiresMilliseconds ?? 0, isOperator: identity.isOperator), of: session
        )
    }

    /// Bearers remembered, of 8 KiB each at most; past it all are forgotten.
    static let bearersMax = 4_096

    /// Whose bearer it is. One that has run out costs a signature's verification like a false one, and counts like it.
    private func check(bearer: String, _ session: Session) throws(IdentityError) -> Identity {
        if let known = bearers[bearer] {
            guard !known.isExpired(now: loop.wallNow) else { throw .expired }
            return known
        }
        let identity: Identity
        do throws(IdentityError) {
            identity = try identities.check(bearer: bearer, now: loop.wallNow)
        } catch {
            if error == .expired { session.count(.falseProofs) }
            throw error
        }
        if bearers.count >= Self.bearersMax { bearers = [:] }
        bearers[bearer] = identity
        return identity
    }

    /// Whom a call acts for: metadata `authorization` before the connection's identity.
    func identity(of call: IncomingCall, _ session: Session) throws(Status) -> Identity {
        var identity = session.identity
        if let bearer = call.bearer {
            do throws(IdentityError) {
                identity = try check(bearer: bearer, session)
            } catch {
                throw Self.status(of: error)
            }
        }
        guard let identity else {
            throw Status(
                .identityMissing,
                "The call needs to know who you are: give an identity in HELLO, by Session/Authenticate or as metadata 'authorization'."
            )
        }
        if identity.isExpired(now: loop.wallNow) {
            throw Status(
                .identityExpired,
                "Your identity has run out; get a new one and call Session/Authenticate. Your place in the line is kept.")
        }
        return identity
    }

    private static func status(of error: IdentityError) -> Status {
        switch error {
        case .untrusted:
            Status(.identityInvalid, "This server takes identities of its identity provider only, not a bare UUID.")
        case .expired: Status(.identityExpired, "The identity has run out; get a new one.")
        case .invalid(let why): Status(.identityInvalid, "The identity was not accepted: \(why).")
        }
    }

    /// The token in metadata `queue-token`, which must be the caller's own; nil without one.
    func presentedToken(_ call: IncomingCall, _ identity: Identity) throws(Status) -> QueueToken? {
        guard let text = call.queueToken else { return nil }
        let token: QueueToken
        do throws(JWTError) {
            token = try queueTokens.verify(text.rawSpan, now: loop.wallNow)
        } catch {
            throw Status(.tokenInvalid, "The queue token was not accepted: \(error.detail).")
        }
        guard token.user == identity.user else {
            throw Status(.tokenInvalid, "The queue token is another user's; use your own.")
        }
        return token
    }

    /// The token that a call on a concert uses: the one it presents, or the one that Join bound to the connection. Nil if
    /// there is none for this concert.
    func token(for concert: Int, _ call: IncomingCall, _ identity: Identity, _ session: Session) throws(Status) -> QueueToken? {
        let id = catalogue.concerts[concert].settings.id
        if let presented = try presentedToken(call, identity) { return presented.concert == id ? presented : nil }
        return session.tokens.first { $0.concert == id && $0.user == identity.user }
    }

    /// Checks that it is the caller's turn at a concert, for what the loop answers by itself. Commands are checked again,
    /// and authoritatively, where they are applied.
    ///
    /// - Returns: the token, or nil if its end has to be asked for; the call is then answered later.
    /// - Throws: TOKEN_MISSING or TOKEN_WAITING.
    func activeToken(for concert: Int, _ call: IncomingCall, _ identity: Identity, _ session: Session) throws(Status)
        -> QueueToken?
    {
        guard let token = try token(for: concert, call, identity, session) else {
            throw Status(
                .tokenMissing,
                "The call needs an active queue token of '\(catalogue.concerts[concert].settings.id)'; join its line.")
        }
        switch standing(of: token, at: concert) {
        case .waiting: throw waitingStatus(token, at: concert)
        case .active:
            touch(token.id, at: concert)
            return token
        case .ended, .unspecified, .unrecognized:
            try ask(.token(token.id, of: token.user), .refuseEnded, call, session)
            return nil
        }
    }

    func standing(of token: QueueToken, at concert: Int) -> TokenState {
        lines[concert].standing(ofPlace: lines[concert].place(ofJoinNumber: token.joinNumber))
    }

    func waitingStatus(_ token: QueueToken, at concert: Int) -> Status {
        let line = lines[concert]
        let isDrawn = !line.isBeforeDraw(order: catalogue.concerts[concert].settings.lobbyOrder)
        let position = isDrawn ? line.position(ofPlace: line.place(ofJoinNumber: token.joinNumber)) : 0
        return Status(
            .tokenWaiting,
            position > 0
                ? "It is not your turn yet; you are number \(position) in line."
                : "It is not your turn yet; the draw is still to come.",
            details: ErrorDetails(queuePosition: position))
    }

    func tokenEnded(_ status: TokenStatus) -> Status {
        Status(
            .tokenEnded, "Your turn is over; join again for a new place.", details: ErrorDetails(endReason: status.endReason))
    }

    /// A call keeps an active token from idling: journalled at most once in a quarter of `idle_ttl`.
    func touch(_ token: UInt64, at concert: Int) {
        let quarter = catalogue.concerts[concert].settings.idleTtlMs / 4
        if let last = touches[token], loop.now < last + quarter { return }
        touches[token] = loop.now
        touched.insert(token)
    }
}
