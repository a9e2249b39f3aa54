import Testing
import UsherAPI
import Wire

@Suite struct MethodTests {
    @Test func `the methods are those of the proto files, with their paths and kinds`() {
        let methods = Method.allCases.map { ProtoMethod(path: $0.path.description, isStream: $0.kind == .stream) }
        let declared = ProtoSchema.usher.methods
        #expect(methods.sorted { $0.path < $1.path } == declared.sorted { $0.path < $1.path })
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
