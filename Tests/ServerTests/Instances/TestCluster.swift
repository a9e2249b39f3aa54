import Client
import Foundation
import Journal
import Testing
import UsherAPI
import Wire

@testable import Server

/// Several instances on one journal, each with a data folder and an address of its own.
final class TestCluster: Sendable {
    let log = MemoryLog()
    let sales: [TestSale]
    /// The certificates of all.
    private let certificates: String

    init(_ count: Int, _ change: (Int, inout ServerSettings) -> Void = { _, _ in }) throws {
        let log = log
        var sales: [TestSale] = []
        for index in 0..<count {
            sales.append(
                try TestSale {
                    $0.givenJournal = SharedJournal(log)
                    change(index, &$0)
                })
        }
        self.sales = sales
        certificates = NSTemporaryDirectory() + "usher-test-\(UUID().uuidString).pem"
        let all = try sales.map { try String(contentsOfFile: $0.folder + "/certificate.pem", encoding: .utf8) }
        try all.joined().write(toFile: certificates, atomically: true, encoding: .utf8)
    }

    /// All that was journalled, in order.
    var entries: [Entry] {
        get throws { try log.entries.map { try Entry(decoding: $0.payload) } }
    }

    subscript(index: Int) -> TestSale { sales[index] }

    var trust: ClientTrust { .pinnedFile(certificates) }

    func stop() {
        for sale in sales { sale.stop() }
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
    try await finally(cluster.stop) { try await body(cluster) }
}
