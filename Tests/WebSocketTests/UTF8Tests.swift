import Testing

@testable import WebSocket

struct UTF8Tests {
    static let valid: [[UInt8]] = [
        [], [0x00], [0x7f], [0xc2, 0x80], [0xdf, 0xbf], [0xe0, 0xa0, 0x80], [0xec, 0xbf, 0xbf], [0xed, 0x80, 0x80],
        [0xed, 0x9f, 0xbf],
        [0xee, 0x80, 0x80], [0xef, 0xbf, 0xbd], [0xef, 0xbf, 0xbe], [0xef, 0xbf, 0xbf], [0xf0, 0x90, 0x80, 0x80],
        [0xf0, 0x9f, 0xbf, 0xbf], [0xf3, 0xbf, 0xbf, 0xbf], [0xf4, 0x80, 0x80, 0x80], [0xf4, 0x8f, 0xbf, 0xbf],
        Array("κόσμε".utf8), Array("Hello-µ@ßöäüàá-UTF-8!!".utf8), Array("0123456\u{7f}한0123456789abcdef한글".utf8),
    ]

    /// With the number of bytes after which it is already lost.
    static let invalid: [([UInt8], Int)] = [
        ([0x80], 1), ([0xbf], 1), ([0xc0, 0xaf], 1), ([0xc1, 0xbf], 1), ([0xc2, 0x00], 2), ([0xc2, 0xc2], 2),
        ([0xe0, 0x80, 0xaf], 2),
        ([0xe0, 0x9f, 0xbf], 2), ([0xe1, 0x80, 0x41], 3), ([0xed, 0xa0, 0x80], 2), ([0xed, 0xbf, 0xbf], 2),
        ([0xf0, 0x80, 0x80, 0x80], 2), ([0xf0, 0x8f, 0xbf, 0xbf], 2), ([0xf0, 0x90, 0x7f, 0x80], 3),
        ([0xf1, 0x80, 0x80, 0xc0], 4),
        ([0xf4, 0x90, 0x80, 0x80], 2), ([0xf5, 0x80, 0x80, 0x80], 1), ([0xf8, 0x88, 0x80, 0x80, 0x80], 1), ([0xfc, 0x84], 1),
        ([0xfe], 1), ([0xff], 1), (Array("12345678".utf8) + [0xff] + Array("12345678".utf8), 9),
        ([0xce, 0xba, 0xe1, 0xbd, 0xb9, 0xcf, 0x83, 0xce, 0xbc, 0xce, 0xb5, 0xed, 0xa0, 0x80, 0x65], 13),
    ]

    @Test(arguments: valid)
    func `valid text is taken however it is fragmented`(text: [UInt8]) {
        for cut in 0...text.count {
            var server = Endpoint(server: .roomy)
            server.receive(frame(1, Array(text[..<cut]), fin: false) + frame(0, Array(text[cut...])))
            server.receive(frame(1, text), inPiecesOf: 1)
            let events = server.events
            #expect(events == [.text(text), .text(text)], "cut at \(cut)")
        }
    }

    @Test(arguments: invalid)
    func `invalid text is refused at the byte that spoils it`(text: [UInt8], lostAfter: Int) {
        // In one frame that comes byte by byte and promises more.
        var server = Endpoint(server: .roomy)
        let whole = frame(1, text + [0x41])
        server.receive(Array(whole[..<(6 + lostAfter - 1)]), inPiecesOf: 1)
        let before = server.socket.isOpen
        #expect(before)
        server.receive([whole[6 + lostAfter - 1]])
        let events = server.events
        #expect(events == [.closed(1007, WebSocketFault.textNotUTF8.reason, .textNotUTF8)])

        // Over fragments that are never finished.
        var fragmented = Endpoint(server: .roomy)
        fragmented.receive(frame(1, Array(text[..<(lostAfter - 1)]), fin: false))
        let waiting = fragmented.socket.isOpen
        #expect(waiting)
        fragmented.receive(frame(0, [text[lostAfter - 1]], fin: false))
        let ended = fragmented.socket.isClosed
        #expect(ended)
    }

    @Test func `every lead and second byte are judged as the standard library does`() {
        var wrong: [[UInt8]] = []
        for scalar in (0...0x10ffff as ClosedRange<UInt32>).compactMap(Unicode.Scalar.init)
        where scalar.value % 97 == 0 || scalar.value < 0x1000 {
            let encoded = Array(UTF8.encode(scalar)!)
            if !isUTF8(encoded) { wrong.append(encoded) }
        }
        for lead in 0x80...0xff as ClosedRange<UInt8> {
            for second in 0x00...0xff as ClosedRange<UInt8> {
                for tail in [[], [0x80], [0x80, 0x80]] as [[UInt8]] {
                    let text = [lead, second] + tail
                    if isUTF8(text) != (String(validating: text, as: UTF8.self) != nil) { wrong.append(text) }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func `binary is not looked at`() {
        var server = Endpoint(server: .roomy)
        server.receive(frame(2, [0xff, 0xfe]))
        let events = server.events
        #expect(events == [.binary([0xff, 0xfe])])
    }
}
