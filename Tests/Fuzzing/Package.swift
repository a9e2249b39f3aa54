// swift-tools-version: 6.2
import PackageDescription

// The fuzzer: libFuzzer's main, and one function that hands its bytes to a target of the harness.
// `make fuzz` builds it with --sanitize=fuzzer and runs it; docs/fuzzing.md says more.

let package = Package(
    name: "fuzzing",
    dependencies: [.package(name: "usher", path: "../..")],
    targets: [
        .executableTarget(
            name: "fuzz", dependencies: [.product(name: "FuzzHarness", package: "usher")], path: "Fuzz",
            swiftSettings: [
                .swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error),
                // There is no main: libFuzzer brings it.
                .unsafeFlags(["-parse-as-library"]),
            ])
    ]
)
