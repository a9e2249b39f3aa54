// swift-tools-version: 6.2
import PackageDescription

// What Usher is measured beside, and with what: a WebSocket server on SwiftNIO and a loader that shares no code with either
// server. Built and run by `make peers`; nothing of it is in Usher. Versions are pinned so that figures can be compared.

let package = Package(
    name: "peers",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    ],
    targets: [
        .executableTarget(
            name: "nio-peer",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
        .executableTarget(
            name: "loader", cxxSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra"])],
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
    ],
    cxxLanguageStandard: .cxx17
)
