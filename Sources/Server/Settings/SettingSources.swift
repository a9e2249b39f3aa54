import Foundation
import Yams

extension ServerSettings {
    /// Settings from flags, environment and configuration file, in this order of precedence.
    ///
    /// - Parameters:
    ///   - flags: (name, value) as written on the command line; the flag `config` names the file, else `USHER_CONFIG`.
    ///   - environment: all variables; those named `USHER_…` that are no setting are refused, since a typing error in a
    ///     variable would else go unnoticed.
    /// - Throws: `SettingsError`, a sentence that names the source.
    public static func resolve(
        flags: [(name: String, value: String)], environment: [String: String]
    ) throws(SettingsError) -> ServerSettings {
        var settings = ServerSettings()
        let file = flags.last { $0.name == "config" }?.value ?? environment["USHER_CONFIG"]
        if let file {
            for (name, value) in try readFile(file) {
                try settings.take(name, value, from: file)
            }
        }
        for (variable, value) in environment.sorted(by: { $0.key < $1.key })
        where variable.hasPrefix("USHER_") && !otherVariables.contains(variable) {
            let name = variable.dropFirst("USHER_".count).lowercased().replacing("_", with: "-")
            try settings.take(String(name), value, from: "environment variable \(variable)")
        }
        for (name, value) in flags where name != "config" {
            try settings.take(name, value, from: "command line")
        }
        return settings
    }

    /// Variables of the command line's other commands and of the tests.
    private static let otherVariables: Set = ["USHER_CONFIG", "USHER_USER", "USHER_SERVER", "USHER_PYTHON", "USHER_BINARY"]

    private mutating func take(_ name: String, _ value: String, from source: String) throws(SettingsError) {
        guard let setting = Setting.named(name) else {
            throw SettingsError(
                "\(source): there is no setting '\(name)'\(Self.suggestion(for: name)); `usher serve --help` lists them")
        }
        do {
            try setting.apply(value, to: &self)
        } catch {
            throw SettingsError("\(source): \(error)")
        }
    }

    private static func suggestion(for name: String) -> String {
        let isPart = { (setting: Setting) in name.count >= 3 && (setting.name.contains(name) || name.contains(setting.name)) }
        let near = Setting.all.first(where: isPart) ?? Setting.all.first { distance(from: name, to: $0.name) <= 2 }
        return near.map { " (did you mean '\($0.name)'?)" } ?? ""
    }

    /// How many characters have to be put in, left out or replaced (Levenshtein).
    private static func distance(from written: String, to meant: String) -> Int {
        let meant = Array(meant)
        var row = Array(0...meant.count)
        for (index, character) in written.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in meant.indices {
                let replaced = diagonal + (meant[column] == character ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
            }
        }
        return row[meant.count]
    }

    /// A mapping of setting names to scalars, or lists of scalars.
    private static func readFile(_ path: String) throws(SettingsError) -> [(String, String)] {
        do {
            let text = try String(contentsOfFile: path, encoding: .utf8)
            guard let node = try Yams.compose(yaml: text) else { return [] }
            guard let mapping = node.mapping else {
                throw SettingsError("\(path): a mapping of settings is expected, as in `listen: 0.0.0.0:8443`")
            }
            return try mapping.map { key, value in
                guard let name = key.string,
                    let text = value.string ?? value.sequence.map({ $0.compactMap(\.string).joined(separator: ",") })
                else {
                    throw SettingsError("\(path): every setting is a name and a plain value")
                }
                return (name, text)
            }
        } catch let error as SettingsError {
            throw error
        } catch {
            throw SettingsError("\(path): \(error)")
        }
    }
}

/// Settings or a file of them that can't be used; the sentence says why and what is allowed.
public struct SettingsError: Error, Sendable, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }
}
