import Testing
import UsherAPI

@Suite struct UuidTests {
    @Test(arguments: [
        (Uuid(), "00000000-0000-0000-0000-000000000000"),
        (Uuid(high: 0x0192_3E4F_89AB_7CDE, low: 0x8123_4567_89AB_CDEF), "01923e4f-89ab-7cde-8123-456789abcdef"),
        (Uuid(high: .max, low: .max), "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    ])
    func `text and number say the same`(uuid: Uuid, text: String) {
        #expect(uuid.description == text)
        #expect(Uuid(text) == uuid)
        #expect(Uuid(text.uppercased()) == uuid)
    }

    @Test(arguments: [
        "", "01923e4f89ab7cde8123456789abcdef", "01923e4f-89ab-7cde-8123-456789abcde", "01923e4f-89ab-7cde-8123-456789abcdef0",
        "01923e4f-89ab-7cde-8123-456789abcdeg", "01923e4f-89ab-7cde-81234-56789abcdef", "{1923e4f-89ab-7cde-8123-456789abcdef",
        "01923e4f-89ab-7cde-8123-456789abcdef-", "01923e4f--89a-7cde-8123-456789abcdef", "０1923e4f-89ab-7cde-8123-456789abcdef",
    ])
    func `anything else is no UUID`(text: String) {
        #expect(Uuid(text) == nil)
    }

    @Test func `the order is that of the text`() {
        let ascending = [
            Uuid(), Uuid(high: 0, low: 1), Uuid(high: 0, low: .max), Uuid(high: 1, low: 0), Uuid(high: 1 << 63, low: 0),
        ]
        #expect(ascending.shuffled().sorted() == ascending)
        #expect(ascending.map(\.description).sorted() == ascending.map(\.description))
        #expect(Uuid().isNone && !ascending[1].isNone)
    }
}
