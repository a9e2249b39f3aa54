import Foundation
import FuzzHarness

// What libFuzzer calls, see docs/fuzzing.md. Which target is fuzzed, the environment says:
//
//   USHER_FUZZ=websocket fuzz [libFuzzer's flags] corpus/     fuzzes
//   USHER_FUZZ=websocket fuzz file                            tries one input again
//   USHER_FUZZ_SEEDS=folder fuzz                              writes first inputs and dictionaries, and ends

private let target: FuzzTarget = {
    let name = ProcessInfo.processInfo.environment["USHER_FUZZ"] ?? ""
    guard let target = FuzzTarget.named(name) else {
        fail("USHER_FUZZ must be one of: \(FuzzTarget.all.map(\.name).joined(separator: " "))")
    }
    return target
}()

private func fail(_ why: String) -> Never {
    FileHandle.standardError.write(Data("\(why)\n".utf8))
    exit(2)
}

@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutableRawPointer?, _ arguments: UnsafeMutableRawPointer?) -> CInt {
    if wroteSeeds() { exit(0) }
    _ = target
    return 0
}

/// Writes first inputs and dictionaries if it is asked to. It returns before the process ends, since what is still in use at
/// `exit` may count as a leak.
private func wroteSeeds() -> Bool {
    guard let folder = ProcessInfo.processInfo.environment["USHER_FUZZ_SEEDS"] else { return false }
    do {
        try FuzzTarget.writeSeeds(to: folder)
    } catch {
        fail("\(error)")
    }
    return true
}

@_cdecl("LLVMFuzzerTestOneInput")
public func tryOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // Safe: libFuzzer lends so many bytes for the call.
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    do {
        try target.run(bytes)
    } catch {
        FileHandle.standardError.write(Data("FINDING in \(target.name): \(error)\n".utf8))
        // libFuzzer keeps the input of whoever aborts.
        abort()
    }
    return 0
}
