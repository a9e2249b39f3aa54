import Foundation
import Testing

/// What each module may know: those below it, and of the system only what stands here. This is the table of
/// docs/ARCHITECTURE.md; a new arrow is a change of the design and is made there, here and in Package.swift.
private let modules: [String: (dependencies: Set<String>, system: Set<String>)] = [
    "CLinux": ([], []),
    "Wire": ([], []),
    "UsherAPI": (["Wire"], []),
    // Foundation's JSON only; the files for keys need the kernel.
    "Crypto": (["COpenSSL"], ["FoundationEssentials", "Glibc"]),
    // OpenSSL for the handshake's SHA-1.
    "WebSocket": (["CZlib", "COpenSSL"], []),
    "Calls": (["Wire", "UsherAPI"], []),
    "SeatMap": ([], ["Synchronization"]),
    "BoxOffice": (["Wire", "UsherAPI", "Crypto", "SeatMap", "DequeModule", "HeapModule"], []),
    "Journal": (["CSQLite", "CZlib", "CNATS"], ["Glibc", "Synchronization"]),
    "Sequencer": (["Wire", "UsherAPI", "BoxOffice", "Journal", "SeatMap"], []),
    "Simulation": (["Wire", "UsherAPI", "Calls", "SeatMap", "BoxOffice", "Journal", "Sequencer"], []),
    "Reactor": (["CLinux", "COpenSSL"], ["Glibc", "Synchronization"]),
    "Server": (
        [
            "Wire", "UsherAPI", "Crypto", "WebSocket", "Calls", "SeatMap", "BoxOffice", "Journal", "Sequencer", "Reactor",
            "HeapModule",
            "Logging", "Yams",
        ], ["Foundation", "Dispatch", "Synchronization"]
    ),
    "Client": (
        ["Wire", "UsherAPI", "Crypto", "WebSocket", "Calls", "Reactor"], ["Foundation", "Dispatch", "Synchronization"]
    ),
    "usher": (
        [
            "Server", "Client", "Simulation", "Journal", "BoxOffice", "UsherAPI", "Wire", "Crypto", "Reactor", "Calls",
            "ArgumentParser", "Logging", "Histogram",
        ],
        ["Foundation", "Dispatch", "Glibc", "Synchronization"]
    ),
]

/// Modules that take bytes and times and return actions: no clock, no randomness, no thread.
private let pure = ["Wire", "UsherAPI", "WebSocket", "Calls", "BoxOffice", "Sequencer", "Simulation"]

@Suite struct `arrows between modules` {
    @Test func `Package.swift declares the arrows of the table`() throws {
        let declared = try Package().dependencies
        #expect(Set(declared.keys) == Set(modules.keys))
        for (name, dependencies) in declared {
            #expect(dependencies == modules[name]?.dependencies, "\(name)")
        }
    }

    @Test func `Package.swift lists modules bottom up`() throws {
        let package = try Package()
        var above = Set(package.order)
        for name in package.order {
            above.remove(name)
            let upwards = (package.dependencies[name] ?? []).intersection(above)
            #expect(upwards.isEmpty, "\(name) stands before \(upwards)")
        }
    }

    @Test(arguments: modules.keys.sorted()) func `a module imports only what the table allows`(module: String) throws {
        let allowed = modules[module]!
        for (path, imported) in imports(of: module) {
            #expect(allowed.dependencies.contains(imported) || allowed.system.contains(imported), "\(path) imports \(imported)")
        }
    }

    // The executable is finished last, and its table is a bound.
    @Test(arguments: modules.keys.filter { $0 != "usher" }.sorted()) func `no declared arrow is unused`(module: String) throws {
        let used = Set(imports(of: module).map(\.module))
        guard !used.isEmpty else { return }
        let unused = modules[module]!.dependencies.subtracting(used)
        #expect(unused.isEmpty, "\(module) declares \(unused.sorted()) and imports none of it")
    }

    @Test func `every folder of Sources is a module of the table or a system library`() throws {
        let libraries: Set = ["COpenSSL", "CZlib", "CSQLite", "CNATS"]
        let folders = Set(
            Repository.files.filter { $0.hasPrefix("Sources/") }.compactMap {
                $0.split(separator: "/").dropFirst().first.map(String.init)
            })
        #expect(folders.subtracting(libraries).subtracting(modules.keys) == [])
    }

    @Test func `only the reactor speaks to the network and to libssl`() throws {
        let network = /\b(?:SSL_\w+|epoll_\w+|accept4|getaddrinfo|setsockopt|recvmsg|sendmsg|sockaddr\w*)\b/
        try expectAbsent(network, inCodeOf: modules.keys.filter { $0 != "Reactor" && $0 != "CLinux" })
        // The check can fail: the reactor does.
        #expect(Repository.swiftFiles.contains { $0.hasPrefix("Sources/Reactor/") && code($0).contains(network) })
    }

    @Test func `the pure core reads no clock, draws no random number and starts no thread`() throws {
        let forbidden =
            #/
            \b(?:clock_gettime|gettimeofday|ContinuousClock|SuspendingClock|DispatchTime|pthread_\w+|Task|SystemRandomNumberGenerator)\b
            | \.random\( | \.shuffled\( | \bTask\s*\{
            /#
        try expectAbsent(forbidden, inCodeOf: pure)
    }

    @Test func `unsafe pointers stay out of the pure core`() throws {
        // A borrowed span is enough there; the one exception is zlib's C interface.
        let pointer = /\bUnsafe(?:Mutable)?(?:Raw)?(?:Buffer)?Pointer\b/
        for path in Repository.swiftFiles
        where ["Calls", "BoxOffice", "Sequencer"].contains(where: { path.hasPrefix("Sources/\($0)/") }) {
            #expect(!code(path).contains(pointer), "\(path)")
        }
    }

    private func expectAbsent(_ pattern: some RegexComponent, inCodeOf names: [String]) throws {
        for path in Repository.swiftFiles where names.contains(where: { path.hasPrefix("Sources/\($0)/") }) {
            for (number, line) in code(path).split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            where line.contains(pattern) {
                Issue.record("\(path):\(number + 1): \(line)")
            }
        }
    }

    /// A file without its comments; lines stay where they are.
    private func code(_ path: String) -> String {
        (Repository.text(path) ?? "").split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.replacing(/\/\/.*/, with: "") }.joined(separator: "\n")
    }

    private func imports(of module: String) -> [(path: String, module: String)] {
        let line =
            /^(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)/
            .anchorsMatchLineEndings()
        return Repository.swiftFiles.filter { $0.hasPrefix("Sources/\(module)/") }.flatMap { path in
            (Repository.text(path) ?? "").matches(of: line).map { (path, String($0.1)) }
        }
    }
}

/// The targets of Package.swift that are modules, read as text.
private struct Package {
    var order: [String] = []
    var dependencies: [String: Set<String>] = [:]

    init() throws {
        let text = try #require(Repository.text("Package.swift"))
        let targets = try #require(text.range(of: "targets: [\n        //")).upperBound
        let start = /(?:module|\.target|\.executableTarget)\(\s*(?:name:\s*)?"(\w+)"/
        for match in text[targets...].matches(of: start) {
            let name = String(match.1)
            let call = text[match.range.upperBound...].prefix(while: Self.isWithinCall())
            let names = call.replacing(/package:\s*"[^"]*"/, with: "").matches(of: /"([^"]+)"/).map { String($0.1) }
            order.append(name)
            dependencies[name] = Set(names)
        }
    }

    /// Up to the parenthesis that closes the call.
    private static func isWithinCall() -> (Character) -> Bool {
        var depth = 1
        return { character in
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            return depth > 0
        }
    }
}
