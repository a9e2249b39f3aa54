import Foundation
import Testing
import UsherAPI
import Wire

@Suite struct MethodTests {
    /// protocol/methods.json, the table for clients in any language.
    private struct Table: Decodable {
        struct Row: Decodable { var path, request, response, needs: String, stream, command: Bool, unless: String? }

        var needs: [String: String]
        var methods: [Row]
    }

    private let table: Table

    init() throws {
        let file = ProtoSchema.repository.appending(path: "protocol/methods.json")
        table = try JSONDecoder().decode(Table.self, from: Data(contentsOf: file))
    }

    @Test func `the methods are those of the proto files, with their paths and kinds`() {
        let methods = Method.allCases.map { "\($0.path) \($0.kind)" }
        let declared = ProtoSchema.usher.methods.map { "\($0.path) \($0.isStream ? Method.Kind.stream : .unary)" }
        #expect(methods.sorted() == declared.sorted())
    }

    @Test func `the table has every method, in the enum's order, with the messages of the proto files`() {
        #expect(table.methods.map(\.path) == Method.allCases.map(\.path.description))
        let rows = table.methods.map {
            ProtoMethod(path: $0.path, request: $0.request, response: $0.response, isStream: $0.stream)
        }
        #expect(rows.sorted { $0.path < $1.path } == ProtoSchema.usher.methods.sorted { $0.path < $1.path })
    }

    @Test func `the table says of each method whether it is a command and for operators`() throws {
        for row in table.methods {
            let method = try #require(parsed(Array(row.path.utf8)))
            #expect(row.command == method.isCommand, "\(row.path)")
            #expect((row.needs == "operator") == method.isForOperators, "\(row.path)")
            #expect(table.needs[row.needs] != nil, "\(row.path)")
            #expect(row.unless == nil || row.needs == "active_token", "\(row.path)")
        }
    }

    @Test(arguments: Method.allCases)
    func `a path leads back to its method, and no other text does`(method: Method) {
        let path = Array(method.path.description.utf8)
        #expect(parsed(path) == method)
        #expect(parsed(path + [0]) == nil)
        #expect(parsed(Array(path.dropLast())) == nil)
        for index in path.indices {
            var other = path
            other[index] ^= 0x20
            #expect(parsed(other) == nil)
        }
    }

    @Test func `no method is called by an empty or an endless path`() {
        #expect(parsed([]) == nil)
        #expect(parsed([UInt8](repeating: UInt8(ascii: "/"), count: 70_000)) == nil)
    }

    @Test func `operators' calls are commands but for those that only look`() {
        let looking = Method.allCases.filter { $0.isForOperators && !$0.isCommand }
        #expect(looking == [.stats, .watchStats])
    }

    private func parsed(_ path: [UInt8]) -> Method? { Method(path: path.rawSpan) }
}
