/// A network that can be cut.
protocol Network: AnyObject, Sendable {
    /// What it is, for the report.
    var kind: String { get }
    /// Where a server listens.
    func host(of node: Node) -> String
    /// What a command begins with to be run there.
    func launcher(_ node: Node) -> [String]
    /// By which `HOST:PORT` one reaches a port of another.
    func address(from node: Node, to other: Node, port: UInt16) throws -> String
    func cut(_ cuts: [Cut]) throws
    func heal(_ cuts: [Cut]) throws
    /// Removes it, once nobody is in it.
    func end()
}

/// Who has an address of its own.
enum Node: Hashable, Sendable {
    case nats(Int)
    case usher(Int)
    case clients

    static let servers = (0..<3).map(Node.nats) + (0..<3).map(Node.usher)

    var name: String {
        switch self {
        case .nats(let index): "nats-\(index + 1)"
        case .usher(let index): "usher-\(index + 1)"
        case .clients: "clients"
        }
    }

    /// Last byte of its address.
    var number: Int {
        switch self {
        case .nats(let index): 1 + index
        case .usher(let index): 4 + index
        case .clients: 254
        }
    }
}

/// Two who do not hear each other.
struct Cut: Hashable, Sendable {
    var one: Node
    var other: Node

    init(_ one: Node, _ other: Node) {
        self.one = one
        self.other = other
    }

    /// All between the two groups.
    static func between(_ ones: [Node], _ others: [Node]) -> [Cut] {
        ones.flatMap { one in others.map { Cut(one, $0) } }
    }
}
