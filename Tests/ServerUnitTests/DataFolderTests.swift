import Foundation
import Testing

@testable import Server

@Suite struct `the data folder` {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "usher-folder-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    @Test func `of one instance alone has its certificate and its operator's key`() throws {
        try withFolder { folder in
            let data = try DataFolder(folder)
            #expect(try data.ensureCertificate())
            #expect(try !data.ensureCertificate(), "the second time it is there")
            let key = try data.operatorKey()
            #expect(try data.operatorKey() == key && DataFolder(folder).operatorKey() == key)
            for name in ["certificate.pem", "certificate-key.pem", "operator-key"] {
                #expect(FileManager.default.fileExists(atPath: "\(folder)/\(name)"), "\(name)")
            }
        }
    }

    @Test func `instances that start at once end up with one certificate and one operator's key`() throws {
        try withFolder { folder in
            let made = Made()
            DispatchQueue.concurrentPerform(iterations: 6) { index in
                made.note {
                    let data = try DataFolder("\(folder)/\(index)", development: "\(folder)/shared")
                    return (try data.ensureCertificate(), try data.operatorKey())
                }
            }
            #expect(made.faults == [])
            #expect(made.results.count == 6 && made.results.count { $0.isNew } == 1)
            #expect(Set(made.results.map(\.key)).count == 1)
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/0/certificate.pem"))
        }
    }
}

/// What several threads came to.
private final class Made: @unchecked Sendable {
    private let lock = NSLock()
    private(set) var results: [(isNew: Bool, key: String)] = []
    private(set) var faults: [String] = []

    func note(_ body: () throws -> (isNew: Bool, key: String)) {
        let result = Result(catching: body)
        lock.withLock {
            switch result {
            case .success(let result): results.append(result)
            case .failure(let error): faults.append("\(error)")
            }
        }
    }
}
