import Foundation

/// The repository this test was built from.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static let skippedFolders: Set = [".git", ".swiftpm", "node_modules", "DerivedData", "__pycache__"]

    /// Paths of all files, relative to the root, sorted; built and fetched things are left out, as is what a server wrote.
    static let files: [String] = {
        var files: [String] = []
        var folders = [""]
        while let folder = folders.popLast() {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path + "/" + folder)) ?? []
            for name in names where !skippedFolders.contains(name) && !name.hasPrefix(".build") && !name.hasSuffix("-data") {
                let path = folder.isEmpty ? name : folder + "/" + name
                let isFolder =
                    (try? URL(fileURLWithPath: root.path + "/" + path).resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory
                    ?? false
                if isFolder { folders.append(path) } else { files.append(path) }
            }
        }
        return files.sorted()
    }()

    static let swiftFiles = files.filter { $0.hasSuffix(".swift") }
    static let markdownFiles = files.filter { $0.hasSuffix(".md") }

    /// A file's text; nil if it is none.
    static func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: root.path + "/" + path).flatMap { String(bytes: $0, encoding: .utf8) }
    }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root.path + "/" + path) }

    /// Exit status and everything printed.
    static func run(_ command: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [command] + arguments
        process.currentDirectoryURL = root
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
