import Foundation

/// What the process uses, as proc(5) tells it.
struct ProcessNumbers {
    var cpuSeconds = 0.0
    var residentBytes: UInt64 = 0
    var openDescriptors: UInt64 = 0
    var descriptorsMax: UInt64 = 0
    /// Seconds since 1970.
    var startSeconds = 0.0

    /// Of no process: zero where nothing is known.
    init() {}

    /// Of this process, now. Linear in its descriptors.
    static func now() -> ProcessNumbers {
        var numbers = ProcessNumbers()
        // /proc/self/stat: "pid (name) state ppid …"; the name may hold anything, so fields count from its last bracket, the
        // state being field 3.
        let stat = text("/proc/self/stat")
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ").dropFirst().map(String.init)
        func field(_ number: Int) -> Double { fields.indices.contains(number - 3) ? Double(fields[number - 3]) ?? 0 : 0 }
        let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        numbers.cpuSeconds = (field(14) + field(15)) / ticks
        numbers.residentBytes = UInt64(field(24)) * UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
        numbers.startSeconds = bootSeconds + field(22) / ticks
        numbers.openDescriptors = UInt64((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count ?? 0)
        // "Max open files            1024                 524288               files"
        let limit = text("/proc/self/limits").split(separator: "\n").first { $0.hasPrefix("Max open files") }
        numbers.descriptorsMax = limit?.split(separator: " ").dropFirst(3).first.flatMap { UInt64($0) } ?? 0
        return numbers
    }

    /// When the machine started, in seconds since 1970.
    private static var bootSeconds: Double {
        let line = text("/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line?.split(separator: " ").last.flatMap { Double($0) } ?? 0
    }

    private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
