// swift-tools-version: 6.2
import PackageDescription

// What `make bench` runs: our bodies beside peers that the product must not depend on.

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

let package = Package(
    name: "usher-benchmarks",
    dependencies: [
        .package(name: "usher", path: "../.."),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    ],
    targets: [
        .target(
            name: "SwiftProtobufPeer",
            dependencies: [
                .product(name: "UsherBenchmarks", package: "usher"), .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6)]),
        // C++ libprotobuf behind a C function; `make bench` has protoc write its message classes first.
        .target(name: "CppPeer", cxxSettings: [.headerSearchPath("generated")], linkerSettings: [.linkedLibrary("protobuf")]),
        .executableTarget(
            name: "Bench",
            dependencies: ["SwiftProtobufPeer", "CppPeer", .product(name: "UsherBenchmarks", package: "usher")],
            swiftSettings: swiftSettings),
    ],
    cxxLanguageStandard: .cxx17
)
