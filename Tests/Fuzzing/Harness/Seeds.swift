import Foundation
import UsherAPI
import Wire

@testable import WebSocket

// First inputs: what the protocol's own vectors say, and short scripts that go through what a fuzzer would take long to
// find. A corpus grows from them.

extension FuzzTarget {
    /// Writes first inputs, a folder a target, and each target's dictionary: `<folder>/<name>/…`, `<folder>/<name>.dict`.
    public static func writeSeeds(to folder: String) throws {
        let vectors = try Vectors()
        for target in all {
            let path = URL(fileURLWithPath: folder).appending(path: target.name)
            try? FileManager.default.removeItem(at: path)
            try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
            try Data(target.dictionaryText.utf8).write(to: path.appendingPathExtension("dict"))
            for (index, seed) in target.seeds(vectors).enumerated() where seed.count <= target.bytesMax {
                try Data(seed).write(to: path.appending(path: "seed-\(index)"))
            }
        }
    }

    private func seeds(_ vectors: Vectors) -> [[UInt8]] {
        switch name {
        case "websocket": webSocketSeeds()
        case "http": httpSeeds()
        case "frames": vectors.frames.map { [0xff, 0xff] + $0 }
        case "calls":
            vectors.frames.filter { $0.count < 255 }.flatMap { frame in
                [UInt8(0), 1].map { side in [side, 7, 0, UInt8(frame.count)] + frame + [3, 0xd0, 0x07] }
            }
        case "messages": vectors.messages
        case "journal": saleScripts
        case "snapshot": saleScripts.compactMap { try? FuzzedSale.contents(after: $0) }
        case "jwt": tokenSeeds()
        case "connection": visitScripts
        default: []
        }
    }
}

/// protocol/vectors, in bytes.
private struct Vectors {
    var frames: [[UInt8]] = []
    /// Each with the index of its type in front.
    var messages: [[UInt8]] = []

    private struct File: Decodable {
        struct Vector: Decodable {
            var hex: String
            var type: String?
        }

        var vectors: [Vector]
    }

    init() throws {
        let folder = URL(fileURLWithPath: #filePath).appending(path: "../../../../protocol/vectors").standardized
        func load(_ file: String) throws -> [File.Vector] {
            try JSONDecoder().decode(File.self, from: Data(contentsOf: folder.appending(path: file))).vectors
        }
        frames = try load("frames.json").map { bytes(hex: $0.hex) }
        let types = fuzzedMessages.map { String(describing: $0) }
        for file in ["messages.json", "tolerated.json", "malformed.json"] {
            for vector in try load(file) {
                guard let index = types.firstIndex(of: vector.type ?? "") else { continue }
                messages.append([UInt8(index)] + bytes(hex: vector.hex))
            }
        }
    }
}

private func bytes(hex: String) -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

private func webSocketSeeds() -> [[UInt8]] {
    let text = Array("한글 — 🎫".utf8)
    func frame(_ first: UInt8, _ payload: [UInt8], masked: Bool) -> [UInt8] {
        [first, UInt8(payload.count) | (masked ? 0x80 : 0)] + (masked ? [0, 0, 0, 0] : []) + payload
    }
    let deflate = DeflateContext(thresholdBytes: 0)
    let compressed = deflate.deflate([UInt8](repeating: 0x61, count: 100).raw, windowBits: 15).map {
        deflate.deflated.prefix($0)
    }
    var seeds: [[UInt8]] = []
    for masked in [true, false] {
        let role: UInt8 = masked ? 0 : 1
        let conversation =
            frame(0x81, text, masked: masked) + frame(0x02, [1, 2], masked: masked) + frame(0x89, [3], masked: masked)
            + frame(0x80, [4], masked: masked) + frame(0x88, [0x03, 0xe8, 0x62, 0x79, 0x65], masked: masked)
        let deflated = frame(0xc1, Array(compressed ?? []), masked: masked) + frame(0x8a, [], masked: masked)
        for flags: UInt8 in [0, 8, 16, 32] { seeds.append([flags | role, 2, 3, 7] + conversation) }
        seeds += [[2 | role, 1, 2] + deflated, [10 | role, 0] + deflated + conversation]
    }
    return seeds
}

private func httpSeeds() -> [[UInt8]] {
    let client = ClientHandshake(
        host: "a.example", path: "/v1", nonce: [UInt8](0..<16), subprotocols: ["usher.v1"], offersDeflate: true)
    var reader = HTTPHeadReader()
    var consumed = 0
    guard let head = try? reader.readRequest(client.request.raw, consumed: &consumed), let request = try? UpgradeRequest(head),
        let acceptance = try? request.accept(subprotocols: ["usher.v1"], allowsDeflate: true)
    else { return [] }
    return [
        [0, 1, 5] + client.request, [1, 1, 5] + acceptance.response, [1, 0] + HTTPFault.headTooLarge.response(),
        [2, 0] + [UInt8](repeating: 3, count: 8), [2, 0, 0x0a, 0x20, 3, 3, 3, 3, 3, 0x12, 0x3b, 0x20],
    ]
}

/// Joins, holds, payments, presence, operators, two instances: the steps of `JournalTarget`.
private let saleScripts: [[UInt8]] = [
    [6, 0, 0x16, 0, 0x26, 0, 2, 10, 12, 200, 8, 3, 2, 1, 10, 1, 2, 1, 11, 1, 3, 9],
    [
        6, 0, 0x16, 0, 0x26, 0, 0x36, 0, 2, 1, 13, 1, 13, 2, 13, 3, 2, 1, 8, 1, 0x18, 2, 2, 1, 14, 1, 4, 255, 4, 255, 5, 7, 0,
        2, 1,
    ],
    [
        15, 6, 18, 1, 6, 0, 18, 1, 0x16, 128, 18, 1, 5, 18, 255, 2, 1, 9, 1, 15, 33, 15, 25, 2, 1, 15, 4, 15, 2, 1, 2, 0, 2, 3,
        3,
    ],
    [
        15, 0x28, 15, 0x10, 12, 255, 6, 0, 2, 1, 8, 63, 8, 0x40, 2, 1, 9, 1, 9, 2, 2, 1, 7, 0, 4, 200, 4, 200, 15, 5, 9, 9, 2,
        1, 15, 7, 2, 1,
    ],
]

private func tokenSeeds() -> [[UInt8]] {
    func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
    let header = bytes(#"{"alg":"EdDSA","typ":"JWT"}"#)
    let claims = bytes(
        #"{"iss":"00000000-0000-0007-0000-000000000007","sub":"00000000-0000-0001-0000-000000000001","concert":"gig","tid":5,"n":9,"iat":1700000000,"exp":1702592000}"#
    )
    let keys = bytes(
        #"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a","use":"sig","key_ops":["verify"]},"#
            + #"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#
    )
    return [
        [0], [0, 3, 0, 1, 65, 1], [0, 3, 0, 0, 0], [1] + bytes("operator:0123456789abcdef"),
        [1] + bytes("00000000-0000-0001-0000-000000000001"), [1] + bytes("e30.e30."),
        [2, UInt8(header.count)] + header + claims,
        [3] + claims, [4] + keys,
    ]
}

/// Visits to a server: the steps of `ConnectionTarget`. 0xff greets; 9 opens a method; 4 sends; 6 commits; 7 listens.
private let visitScripts: [[UInt8]] =
    [
        [0xff, 9, 1, 0x30, 4, 6, 7, 9, 9, 1, 4, 6, 9, 13, 200, 4, 6, 9, 16, 1, 4, 6, 7, 5, 200],
        [0xff, 9, 8, 0x30, 9, 6, 0, 9, 7, 0x10, 4, 6, 7, 14, 0xff, 9, 9, 2, 4, 13, 6, 7, 0x2e, 7, 9, 9, 0, 4, 6, 15],
        [0xff, 14, 0xff, 0x0e, 0xff, 9, 2, 0, 9, 3, 0, 4, 6, 7, 0x35, 255, 0x35, 255, 7, 12, 1, 0x1c, 0x21, 0x2c, 0, 4, 7],
        [
            1, 2, 0x89, 3, 1, 2, 3, 8, 7, 9, 18, 0, 9, 19, 0, 9, 20, 1, 9, 28, 0, 9, 29, 0x10, 4, 6, 7, 9, 30, 0x20, 4, 6, 0x25,
            255, 7,
        ],
        [1, 8, 0, 4, 9, 4, 0, 9, 5, 0, 9, 1, 0x10, 4, 13, 0x8f, 7], [0xf1, 7], [0xe1, 7],
        [0xff, 0x9f, 9, 1, 0, 4, 6, 0x35, 100, 7],
        [1, 8, 0, 3, 0x26, 0, 2, 8, 5, 4, 7],
        // Three in line where two may be active: the third waits, moves up when one leaves, and comes back with its token.
        [
            0xff, 14, 0xff, 14, 0xff, 5, 200, 7, 0x0e, 9, 3, 0, 4, 6, 0x4e, 7, 12, 0x1f, 4, 5, 250, 7, 0xf, 14, 1, 8, 2, 9, 1,
            0x72, 4, 6, 7,
        ],
        // A backend acts for others, and an operator looks on.
        [
            1, 8, 7, 9, 1, 0xb4, 9, 1, 0x94, 9, 30, 0x30, 4, 6, 7, 9, 13, 0x86, 9, 27, 0x8c, 9, 29, 0x8c, 4, 6, 7, 0x55, 100, 6,
            7,
        ], [0xff, 15], [0xff, 0x4f, 5, 200],
    ]
    + Method.allCases.indices.map { [0xff, 9, UInt8($0), 1, 4, 6, 9, UInt8($0), 0x37, 4, 6, 7, 5, 200, 7] }
