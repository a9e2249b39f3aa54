/// One connection between a shopper and a loop of an instance: messages in order, each way, until it is cut. What TCP, TLS and
/// WebSocket make of a network, without them.
final class Link {
    /// What one end does with what comes.
    struct End {
        var message: ([UInt8]) -> Void
        var lost: () -> Void
    }

    private let network: Network
    private(set) var isOpen = true
    private var lastAtServer: UInt64 = 0
    private var lastAtClient: UInt64 = 0
    var server: End?
    var client: End?
    /// False: the client's kernel buffer is full and stays so.
    var clientReads = true { didSet { deliverWaiting() } }
    /// False: the server takes nothing in, since this client owes it reading.
    var serverReads = true { didSet { takeWaiting() } }
    /// Messages for the client that it has not taken, oldest first.
    private var waitingForClient: [[UInt8]] = []
    private var waitingForServer: [[UInt8]] = []
    /// Their bytes: what the server keeps for this client.
    private(set) var unsentBytes = 0
    /// The client has taken everything.
    var drained: () -> Void = {}

    init(_ network: Network) { self.network = network }

    func sendToServer(_ message: [UInt8]) {
        guard isOpen else { return }
        lastAtServer = max(lastAtServer, network.now + network.delay())
        network.after(lastAtServer - network.now) { [self] in
            guard isOpen else { return }
            waitingForServer.append(message)
            takeWaiting()
        }
    }

    private func takeWaiting() {
        while isOpen, serverReads, !waitingForServer.isEmpty { server?.message(waitingForServer.removeFirst()) }
    }

    func sendToClient(_ message: [UInt8]) {
        guard isOpen else { return }
        waitingForClient.append(message)
        unsentBytes += message.count
        deliverWaiting()
    }

    private func deliverWaiting() {
        guard clientReads, isOpen, !waitingForClient.isEmpty else { return }
        lastAtClient = max(lastAtClient, network.now + network.delay())
        let messages = waitingForClient
        waitingForClient = []
        unsentBytes = 0
        network.after(lastAtClient - network.now) { [self] in
            for message in messages where isOpen { client?.message(message) }
        }
        network.after(0) { [self] in if isOpen { drained() } }
    }

    /// The way is gone, with everything on it. Each end notices in its time; nil: not at all, until its own clocks say so.
    func cut(serverNoticesAfter: UInt64?, clientNoticesAfter: UInt64?) {
        guard isOpen else { return }
        isOpen = false
        network.sightings.add(.brokenConnections)
        let (server, client) = (server, client)
        (self.server, self.client) = (nil, nil)
        waitingForClient = []
        waitingForServer = []
        if let serverNoticesAfter { network.after(serverNoticesAfter) { server?.lost() } }
        if let clientNoticesAfter { network.after(clientNoticesAfter) { client?.lost() } }
    }
}
