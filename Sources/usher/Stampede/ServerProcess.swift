import Foundation

/// The server's process, as the kernel counts it; on the same machine only.
struct ServerProcess: Sendable {
    let processID: Int32

    /// Nil if there is no such process to be read.
    init?(_ processID: Int32) {
        self.processID = processID
        guard sample() != nil else { return nil }
    }

    struct Sample: Sendable {
        /// User and system time, all threads.
        var cpuSeconds: Double
        /// VmRSS.
        var residentBytes: Int
    }

    /// proc_pid_stat(5): fields 14 and 15 in ticks; counted after the name, which may hold anything but is in parentheses.
    func sample() -> Sample? {
        guard let stat = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8),
            let end = stat.lastIndex(of: ")"),
            let status = try? String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)
        else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        let resident = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }?.split(whereSeparator: {
            $0 == " " || $0 == "\t"
        })
        let kilobytes = resident.flatMap { $0.count > 1 ? Int($0[1]) : nil } ?? 0
        return Sample(cpuSeconds: (user + system) / Double(sysconf(Int32(_SC_CLK_TCK))), residentBytes: kilobytes * 1024)
    }
}
