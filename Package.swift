// swift-tools-version: 6.2
import PackageDescription

// Modules bottom up; arrows point down only. What each must not know is listed in
// docs/ARCHITECTURE.md and checked by Tests/TidyTests.

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

/// What test targets and the nested packages under Tests share; no part of the product.
func testSupport(_ name: String, _ dependencies: [Target.Dependency] = [], path: String, isSwift: Bool = true) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: isSwift ? swiftSettings : [])
}

let package = Package(
    name: "usher",
    products: [
        .executable(name: "usher", targets: ["usher"]),
        .library(name: "UsherClient", targets: ["Client", "UsherAPI"]),
        // What the mutants are built with; no promise to anyone else.
        .library(name: "Simulation", targets: ["Simulation"]),
        // What the nested packages under Tests measure and fuzz; no promise to anyone else.
        .library(
            name: "UsherModules",
            targets: [
                "Wire", "UsherAPI", "Crypto", "WebSocket", "Calls", "SeatMap", "BoxOffice", "Journal", "Sequencer", "Reactor",
                "Server",
                "Client",
            ]),
        // What `make bench` times beside others, and the tests run once.
        .library(name: "UsherBenchmarks", targets: ["BenchmarkBodies", "NatsCluster"]),
        .library(name: "FuzzHarness", targets: ["FuzzHarness"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // Headers that Swift can import.
        .target(name: "CLinux"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CNATS", pkgConfig: "libnats", providers: [.apt(["libnats-dev"])]),

        // The pure core: bytes and times in, actions out.
        module("Wire"),
        module("UsherAPI", ["Wire"]),
        module("Crypto", ["COpenSSL"]),
        module("WebSocket", ["CZlib", "COpenSSL"]),
        module("Calls", ["Wire", "UsherAPI"]),
        module("SeatMap"),
        module(
            "BoxOffice",
            [
                "Wire", "UsherAPI", "Crypto", "SeatMap", .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
            ]),
        module("Journal", ["CSQLite", "CZlib", "CNATS"]),
        module("Sequencer", ["Wire", "UsherAPI", "BoxOffice", "Journal", "SeatMap"]),

        // A seeded world around the core.
        module("Simulation", ["Wire", "UsherAPI", "Calls", "SeatMap", "BoxOffice", "Journal", "Sequencer"]),

        // The rim: the kernel, TLS, threads.
        module("Reactor", ["CLinux", "COpenSSL"]),
        module(
            "Server",
            [
                "Wire", "UsherAPI", "Crypto", "WebSocket", "Calls", "SeatMap", "BoxOffice", "Journal", "Sequencer", "Reactor",
                .product(name: "HeapModule", package: "swift-collections"), .product(name: "Logging", package: "swift-log"),
                "Yams",
            ]),
        module("Client", ["Wire", "UsherAPI", "Crypto", "WebSocket", "Calls", "Reactor"]),
        .executableTarget(
            name: "usher",
            dependencies: [
                "Server", "Client", "Simulation", "Journal", "BoxOffice", "UsherAPI", "Wire", "Crypto", "Reactor", "Calls",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: swiftSettings),

        // Looks inside the modules: built for release only with -enable-testing.
        testSupport(
            "FuzzHarness",
            [
                "Wire", "UsherAPI", "Crypto", "WebSocket", "Calls", "SeatMap", "BoxOffice", "Journal", "Sequencer", "Reactor",
                "Server",
            ],
            path: "Tests/Fuzzing/Harness"),
        tests("FuzzTests", ["FuzzHarness", "UsherAPI", "Wire"]),
        tests("WireTests", ["Wire"]),
        tests("UsherAPITests", ["UsherAPI", "Wire"]),
        tests("CryptoTests", ["Crypto"]),
        tests("WebSocketTests", ["WebSocket"]),
        tests("CallsTests", ["Calls", "UsherAPI", "Wire"]),
        tests("SeatMapTests", ["SeatMap"]),
        tests("BoxOfficeTests", ["BoxOffice", "Simulation", "UsherAPI", "Wire"]),
        tests("JournalTests", ["Journal", "CSQLite", "NatsCluster"]),
        tests("SequencerTests", ["Sequencer", "BoxOffice", "Journal", "SeatMap", "UsherAPI", "Wire"]),
        tests("SimulationTests", ["Simulation", "BoxOffice", "UsherAPI"]),
        tests("ReactorTests", ["Reactor"]),
        tests(
            "ServerTests",
            [
                "Server", "Client", "UsherAPI", "Wire", "Reactor", "WebSocket", "Calls", "Crypto", "Journal",
                .product(name: "Logging", package: "swift-log"),
            ]),
        tests(
            "ClientTests",
            [
                "Client", "usher", "Calls", "UsherAPI", "Wire", "Reactor", "WebSocket",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        tests(
            "ServerUnitTests",
            ["Server", "BoxOffice", "Sequencer", "UsherAPI", "Wire", "WebSocket", "Calls", "Crypto", "Journal", "Reactor"]),
        tests("StampedeTests", ["usher", "UsherAPI"]),
        tests("EndToEndTests", ["NatsCluster"]),
        tests("ForeignTests", []),
        // A crowd with an appetite, what it writes down, and the checker of that.
        testSupport("Campaign", ["Client", "Calls", "UsherAPI"], path: "Tests/Campaign"),
        tests("CrashTests", ["Campaign", "Client", "UsherAPI"]),
        tests("ChaosTests", ["Campaign", "NatsCluster", "Client", "Calls", "Journal", "UsherAPI", "Wire"]),
        tests("TidyTests", []),

        testSupport("NatsCluster", ["Crypto"], path: "Tests/NatsCluster"),
        testSupport("CAllocations", path: "Tests/CAllocations", isSwift: false),
        testSupport(
            "BenchmarkBodies",
            ["CAllocations", "Wire", "UsherAPI", "WebSocket", "SeatMap", "BoxOffice", "Journal", "Sequencer"],
            path: "Tests/BenchmarkBodies"),
        tests("BenchmarkTests", ["BenchmarkBodies", "NatsCluster"]),
    ]
)
