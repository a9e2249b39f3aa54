internal import Dispatch
internal import Reactor
internal import UsherAPI

// Finding a server, and coming back to one.

extension ClientSession {
    /// The first round; if it fails there is no second one, so that a wrong address is told at once.
    func start(_ hub: ClientHub, _ done: @escaping (Result<Void, UsherError>) -> Void) {
        self.hub = hub
        firstConnect = done
        beginRound(after: 0)
    }

    /// Ends everything; nothing where nothing was begun.
    func close() {
        guard hub != nil else { return }
        finishAll(.closed)
        connection?.close()
        connection = nil
        leaving?.close()
        leaving = nil
    }

    // MARK: Rounds

    /// Tries all addresses, after a while.
    func beginRound(after milliseconds: UInt64) {
        guard over == nil, candidate == nil else { return }
        round += 1
        let number = round
        hub.loop.cancel(reconnectTimer)
        reconnectTimer = hub.loop.schedule(after: milliseconds) { [weak self] in
            guard let self, number == round, over == nil else { return }
            reconnectTimer = .none
            resolve(number)
        }
    }

    /// Begins the round that GOAWAY has asked for sooner, since a call waits for it. (Its moment is spread for those who only
    /// wait in line; few do anything else.)
    func hasten() {
        guard !isHastening, candidate == nil, reconnectTimer != .none else { return }
        isHastening = true
        beginRound(after: .random(in: 0...Self.hasteMilliseconds))
    }

    private static let hasteMilliseconds: UInt64 = 100

    /// The next round begins with others.
    func putLast(_ url: ServerURL?) {
        guard let url, let index = urls.firstIndex(of: url) else { return }
        urls.append(urls.remove(at: index))
    }

    /// Addresses learned from GOAWAY that are kept beside those given.
    private static let urlsMax = 64

    /// Looks names up, off the loop, for that blocks.
    private func resolve(_ number: Int) {
        var urls = urls
        if let relocation, let other = (home ?? urls.first)?.relocated(to: relocation) {
            self.relocation = nil
            urls = [other] + urls.filter { $0 != other }
            // An instance like the others, also should this client lose the next one.
            if !self.urls.contains(other), self.urls.count < Self.urlsMax { self.urls.append(other) }
        }
        let loop = shared.loop
        let isShuffled = options.startsAtRandom
        DispatchQueue.global().async { [urls] in
            let found = urls.flatMap { url in
                let addresses = (try? SocketAddress.resolve(host: url.host, port: url.port)) ?? []
                return (isShuffled ? addresses.shuffledWithinFamilies() : addresses).map { (url: url, address: $0) }
            }
            _ = loop.post { _ in self.resolved(number, found) }
        }
    }

    private func resolved(_ number: Int, _ found: [(url: ServerURL, address: SocketAddress)]) {
        guard number == round, over == nil, candidate == nil else { return }
        guard !found.isEmpty else {
            roundFailed("No address was found for \(names). Check the name and the network.")
            return
        }
        untried = found
        tryNext()
    }

    private func tryNext() {
        let (url, address) = untried.removeFirst()
        shared.set(server: url)
        candidateURL = url
        var hello = ClientHello(
            identity.hello, epoch: epoch, position: position, clientName: options.clientName,
            clientVersion: options.clientVersion)
        if let connection {  // it goes away, but knows more by now
            note(connection)
            hello.epoch = epoch
            hello.position = position
        }
        candidate = hub.connect(to: address, endpoint: ClientEndpoint(url, tls: tls), hello: hello, handler: self)
    }

    // MARK: Failures

    /// An address did not work.
    func candidateFailed(_ end: ConnectionEnd) {
        putLast(candidateURL)
        candidateURL = nil
        if case .closed(let code, _) = end, code.advice == .doNotReconnect {
            giveUp(.connection(sentence(for: end)))
        } else if !untried.isEmpty {
            tryNext()
        } else if end.advice == .doNotReconnect, firstConnect == nil, urls.count == 1 {
            giveUp(.connection(sentence(for: end)))
        } else {
            roundFailed(sentence(for: end), atLeast: end.retryAfterMilliseconds ?? 0)
        }
    }

    private func roundFailed(_ sentence: String, atLeast: UInt64 = 0) {
        guard firstConnect == nil else {
            giveUp(.connection(sentence))
            return
        }
        let delay = max(atLeast, backoff.next())
        shared.tell(.lost("\(shared.server?.description ?? names) cannot be reached.", retryInMilliseconds: delay))
        beginRound(after: delay)
    }

    /// A connection that stood is gone.
    func lost(_ end: ConnectionEnd) {
        guard over == nil else { return }
        putLast(home)
        // One that lasted ends the bad time; one that was closed at once goes on with it.
        if now - welcomedAt > 10_000 { backoff.reset() }
        switch end.advice {
        case .doNotReconnect where end == .here:
            return
        case .doNotReconnect:
            giveUp(.connection(sentence(for: end)))
        case .reconnectAtOnce:
            // Not all in the same moment, unless GOAWAY has spread them already.
            guard reconnectTimer == .none, candidate == nil else { return }
            let delay = backoff.count == 0 ? UInt64.random(in: 0...500) : backoff.next()
            if backoff.count == 0 { _ = backoff.next() }
            shared.tell(.lost(sentence(for: end), retryInMilliseconds: delay))
            beginRound(after: delay)
        case .reconnectWithBackoff, .standard:
            guard candidate == nil else { return }
            let delay = backoff.next()
            shared.tell(.lost(sentence(for: end), retryInMilliseconds: delay))
            beginRound(after: delay)
        }
    }

    private func giveUp(_ error: UsherError) {
        finishAll(error)
        shared.tell(.over(error.description))
    }

    private func finishAll(_ error: UsherError) {
        guard over == nil else { return }
        over = error
        hub.loop.cancel(reconnectTimer)
        candidate?.abort()
        for operation in operations.values.sorted(by: { $0.id < $1.id }) {
            operation.call?.cancel()
            finish(operation, .failure(error))
        }
        if let firstConnect {
            self.firstConnect = nil
            firstConnect(.failure(error))
        }
    }

    // MARK: Words

    private var names: String { urls.map(\.host).joined(separator: ", ") }

    /// What went wrong, and what to do about it.
    private func sentence(for end: ConnectionEnd) -> String {
        let server = shared.server?.description ?? names
        switch end {
        case .transport(.refused):
            return "Nobody listens at \(server). Start a server there (usher serve), or name another one."
        case .transport(.tls(let error)) where error.reason.contains("certificate"):
            return
                "The certificate of \(server) is not trusted (\(error.reason)). Name the file to trust, for a development server certificate.pem of its data folder."
        case .transport(.timedOut), .upgradeOverdue:
            return "\(server) does not answer. Check address and network, or try again later."
        case .closed(.identityRefused, let reason):
            return "\(server) refused the identity\(reason.isEmpty ? "" : ": \(reason)"). Get another one first."
        case .upgradeRefused(404, _): return "\(server) has no Usher at that path. Use the path /v1."
        case .upgradeRefused(let status, _): return "\(server) refused the connection (HTTP status \(status)). Try again later."
        default: return "\(server): \(end)."
        }
    }
}

extension [SocketAddress] {
    /// As many instances under one name are found by clients: each begins with another. The order of families stays, which
    /// knows what this machine reaches.
    fileprivate func shuffledWithinFamilies() -> [SocketAddress] {
        var result: [SocketAddress] = []
        var rest = self[...]
        while let first = rest.first {
            let run = rest.prefix { $0.isIPv4 == first.isIPv4 }
            result += run.shuffled()
            rest = rest.dropFirst(run.count)
        }
        return result
    }
}

extension SocketAddress {
    fileprivate var isIPv4: Bool {
        if case .ipv4 = host { true } else { false }
    }
}
