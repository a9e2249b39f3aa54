// swift-tools-version: 6.2
import PackageDescription

// The smallest program that runs worlds: only the modules under simulation are built for it, so that a mutant is built in
// seconds.
let package = Package(
    name: "mutant-runner",
    dependencies: [.package(name: "usher", path: "../../..")],
    targets: [
        .executableTarget(name: "mutant-runner", dependencies: [.product(name: "Simulation", package: "usher")])
    ]
)
