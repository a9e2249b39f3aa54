internal import BenchmarkBodies
internal import Foundation
internal import NatsCluster

/// Durable commands: on SQLite, with what the disk gives, and on three NATS servers, where USHER_NATS names one.
enum CommitTables {
    static func make(_ options: Options) throws -> String {
        var text =
            try
            "### Group commit\n\nClients that wait for each answer, the real sequencer, the SQLite journal on this disk.\n\n"
            + table([(1, 5), (10, 5), (100, 5), (1_000, 5), (4_000, 5), (1_000, 200)], options, aim: 1_000, of: "a commit") {
                clients, commands, commandsOfUser in
                let path = options.data + "/bench-\(clients).usher"
                removeJournal(at: path)
                defer { removeJournal(at: path) }
                let result = try GroupCommit.run(
                    clients: clients, commands: commands, commandsOfUser: commandsOfUser, path: path)
                return (result, result.commits)
            }
        if let disk = DiskSync.run(count: options.isQuick ? 50 : 1_000, path: options.data + "/bench-sync") {
            text +=
                "\n\nThe disk itself, 16 KiB appended and `fdatasync`ed: \(Table.grouped(Int(disk.perSecond))) a second, p50 "
                + "\(Table.number(disk.p50)) ms, p99 \(Table.number(disk.p99)) ms."
        }
        return try text + "\n\n" + replicated(options)
    }

    /// One instance on a stream with three replicas, each server with its own folder on the same disk.
    private static func replicated(_ options: Options) throws -> String {
        let heading = "### Group commit on three servers\n\n"
        guard let binary = ProcessInfo.processInfo.environment["USHER_NATS"],
            FileManager.default.isExecutableFile(atPath: binary)
        else {
            return heading + "Not measured: USHER_NATS names no nats-server. `make bench` installs it."
        }
        let cluster = try NatsCluster()
        defer { cluster.end() }
        return try heading
            + "The same, one instance on a stream of three NATS servers that share this machine and its disk, `sync_interval: always`, "
            + "up to two batches under way. The processor time is the instance's alone.\n\n"
            + table([(1, 5), (100, 5), (1_000, 5), (4_000, 5)], options, aim: nil, of: "an entry") {
                clients, commands, commandsOfUser in
                let result = try GroupCommit.run(
                    clients: clients, commands: commands, commandsOfUser: commandsOfUser, servers: cluster.journal,
                    stream: "bench-\(clients)")
                return (result, result.entries)
            }
    }

    private static func table(
        _ sizes: [(clients: Int, commandsOfUser: Int)], _ options: Options, aim: Int?, of unit: String,
        run: (_ clients: Int, _ commands: Int, _ commandsOfUser: Int) throws -> (GroupCommit, units: UInt64)
    ) throws -> String {
        var rows: [[String]] = []
        for (clients, commandsOfUser) in sizes {
            let commands = options.isQuick ? 5_000 : max(2_000, min(400_000, clients * 400))
            let (result, units) = try run(clients, commands, commandsOfUser)
            let hasAim = clients == aim && commandsOfUser == 5
            rows.append([
                Table.grouped(clients), Table.grouped(commandsOfUser),
                Table.grouped(Int(result.commandsPerSecond)) + (hasAim ? " (50,000)" : ""),
                Table.number(result.p50), Table.number(result.p99) + (hasAim ? " (20)" : ""),
                Table.number(result.longest), Table.grouped(commands / max(1, Int(units))),
                Table.number(result.processorMicroseconds),
            ])
        }
        return Table.make(
            [
                "clients", "commands of a user", "commands a second", "p50 ms", "p99 ms", "max ms", "commands \(unit)",
                "processor µs a command",
            ], rows)
    }

    private static func removeJournal(at path: String) {
        for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
    }
}
