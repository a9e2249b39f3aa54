import Client
import Dispatch
import Foundation
import Journal
import Reactor
import Synchronization
import Testing
import UsherAPI
import Wire

@testable import Server

/// A journal in memory that several instances of one process share: what one appends all hear, in one order, on a thread of
/// its own.
final class SharedMemory: Sendable {
    let log = MemoryLog()
    private let members = Mutex<[MemoryJournal]>([])
    private let bell = DispatchSemaphore(value: 0)
    private let isOver = Mutex(false)
    private let thread = Mutex<Reactor.Thread?>(nil)

    init() throws {
        let started = try Reactor.Thread.start(name: "shared memory") { [self] in
            while !isOver.withLock({ $0 }) {
                bell.wait()
                while members.withLock({ $0 }).map({ $0.pump() }).contains(true) {}
            }
        }
        thread.withLock { $0 = started }
    }

    /// One instance's own end of it.
    func journal() -> any Journal {
        let inner = MemoryJournal(log: log, rounds: .pumped, isShared: true)
        members.withLock { $0.append(inner) }
        return Member(inner, ring: { [bell] in bell.signal() })
    }

    /// Once all instances have stopped.
    func end() {
        isOver.withLock { $0 = true }
        bell.signal()
        thread.withLock { $0.take() }?.join()
    }

    /// All that was journalled, in order.
    var entries: [Entry] {
        get throws { try log.entries.map { try Entry(decoding: $0.payload) } }
    }

    private final class Member: Journal {
        let inner: MemoryJournal
        let ring: @Sendable () -> Void

        init(_ inner: MemoryJournal, ring: @escaping @Sendable () -> Void) {
            self.inner = inner
            self.ring = ring
        }

        var epoch: JournalEpoch { inner.epoch }
        var isShared: Bool { inner.isShared }
        var lastPosition: UInt64 { inner.lastPosition }
        var statistics: JournalStatistics { inner.statistics }

        func start(
            from position: UInt64, deliver: @escaping @Sendable (JournalEvent) -> Void
        ) throws(JournalError) {
            try inner.start(from: position, deliver: deliver)
            ring()
        }

        func append(_ payload: [UInt8]) {
            inner.append(payload)
            ring()
        }

        func read(
            from position: UInt64, limit: JournalReadLimit,
            completion: @escaping @Sendable (Result<[JournalEntry], JournalError>) -> Void
        ) {
            inner.read(from: position, limit: limit, completion: completion)
        }

        func loadSnapshot(
            below position: UInt64,
            completion: @escaping @Sendable (Result<JournalSnapshotLookup, JournalError>) -> Void
        ) {
            inner.loadSnapshot(below: position, completion: completion)
        }

        func saveSnapshot(_ snapshot: JournalSnapshot, completion: @escaping @Sendable (JournalError?) -> Void) {
            inner.saveSnapshot(snapshot, completion: completion)
        }

        func close() { inner.close() }
    }
}

/// Several instances on one journal, each with a data folder and an address of its own.
final class TestCluster: Sendable {
    let memory: SharedMemory
    let sales: [TestSale]
    /// The certificates of all.
    private let certificates: String

    init(_ count: Int, _ change: (Int, inout ServerSettings) -> Void = { _, _ in }) throws {
        let memory = try SharedMemory()
        self.memory = memory
        var sales: [TestSale] = []
        for index in 0..<count {
            sales.append(
                try TestSale {
                    $0.givenJournal = memory.journal()
                    $0.drainNoticeMilliseconds = 0
                    change(index, &$0)
                })
        }
        self.sales = sales
        certificates = NSTemporaryDirectory() + "usher-test-\(UUID().uuidString).pem"
        let all = try sales.map { try String(contentsOfFile: $0.folder + "/certificate.pem", encoding: .utf8) }
        try all.joined().write(toFile: certificates, atomically: true, encoding: .utf8)
    }

    subscript(index: Int) -> TestSale { sales[index] }

    var trust: ClientTrust { .pinnedFile(certificates) }

    func stop() {
        for sale in sales { sale.stop() }
        memory.end()
        try? FileManager.default.removeItem(atPath: certificates)
    }

    /// Puts a concert on sale, and waits until all instances have heard of it.
    func putOn(_ id: String, maxActive: UInt32 = 100) async throws {
        try await sales[0].putOn(id) { $0.policy = AdmissionPolicy(maxActive: maxActive) }
        for sale in sales {
            let client = try await sale.client()
            while try await !client.catalogue.concerts().contains(where: { $0.id == id && $0.lineState == .open }) {}
            client.close()
        }
    }

    /// The number under which an instance writes.
    func number(of index: Int) throws -> UInt32 {
        try #require(UInt32(String(contentsOfFile: sales[index].folder + "/instance", encoding: .utf8).filter(\.isNumber)))
    }
}

func withCluster(
    _ count: Int = 2, _ change: (Int, inout ServerSettings) -> Void = { _, _ in },
    _ body: (TestCluster) async throws -> Void
) async throws {
    let cluster = try TestCluster(count, change)
    defer { cluster.stop() }
    try await body(cluster)
}
