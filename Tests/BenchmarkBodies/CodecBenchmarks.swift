// The codec on one small message and one of fifty submessages. The peers of Tests/Benchmarks do the same work.

internal import Wire

/// What is compared with other implementations of protobuf, in the order of the table.
public enum CodecWork: String, CaseIterable, Sendable {
    case encodeSmall = "encode small"
    case decodeSmall = "decode small"
    case encodeSeats = "encode seat map"
    case decodeSeats = "decode seat map"

    /// Messages of one run: enough for a reading of the clock not to count.
    public var repeats: Int {
        switch self {
        case .encodeSmall, .decodeSmall: 200_000
        case .encodeSeats, .decodeSeats: 20_000
        }
    }

    /// What a run of so many messages has to come to: bytes written, or a sum over what was read.
    public func expected(_ repeats: Int) -> Int {
        switch self {
        case .encodeSmall: repeats * 57
        case .decodeSmall: repeats * (250_000 + 36)
        case .encodeSeats: repeats * 424
        case .decodeSeats: repeats * (50 + 151)
        }
    }

    /// How many times faster than swift-protobuf it should be.
    public var aim: Double {
        switch self {
        case .encodeSmall, .decodeSmall: 5
        case .encodeSeats, .decodeSeats: 10
        }
    }
}

extension Benchmark {
    /// Our side of the comparison, and beside it the small message read where it lies.
    public static var codec: [Benchmark] { CodecWork.allCases.map(codec) + [decodeSmallBorrowed] }

    /// Our side of one comparison. Encoding goes into a buffer that is kept, as a loop's output buffer is.
    public static func codec(_ work: CodecWork) -> Benchmark {
        let allocationsMax: Double =
            switch work {
            case .encodeSmall, .encodeSeats: 0
            case .decodeSmall: 1  // the text
            case .decodeSeats: 1  // the list
            }
        return Benchmark(work.rawValue, sizes: [work.repeats], of: "messages", testSize: 3, allocationsMax: allocationsMax) {
            repeats in
            switch work {
            case .encodeSmall: encoding(opaque(Small.measured), repeats, work)
            case .encodeSeats: encoding(opaque(SeatMapMessage.measured), repeats, work)
            case .decodeSmall:
                decoding(Small.measured.encoded(), repeats, work) { (message: Small) in
                    Int(message.place) + message.user.utf8.count
                }
            case .decodeSeats:
                decoding(SeatMapMessage.measured.encoded(), repeats, work) { (message: SeatMapMessage) in
                    message.seats.count + Int(message.seats[49].revision)
                }
            }
        }
    }

    private static var decodeSmallBorrowed: Benchmark {
        Benchmark(
            "decode small, text borrowed", sizes: [200_000], of: "messages", testSize: 3, allocationsMax: 0
        ) { repeats in
            let bytes = opaque(Small.measured.encoded())
            return Prepared(operations: repeats, expecting: CodecWork.decodeSmall.expected(repeats)) {
                var sum = 0
                for _ in 0..<repeats {
                    guard let view = try? SmallView(bytes.rawSpan) else { return -1 }
                    sum += Int(view.place) + view.user.byteCount
                }
                return sum
            }
        }
    }

    private static func encoding(_ message: some WireMessage, _ repeats: Int, _ work: CodecWork) -> Prepared {
        var kept: [UInt8] = []
        kept.reserveCapacity(message.encodedSize)
        return Prepared(operations: repeats, expecting: work.expected(repeats)) {
            var sum = 0
            // Out of the closure's box, each access to which is checked: that is not what is measured.
            var output: [UInt8] = []
            swap(&kept, &output)
            defer { swap(&kept, &output) }
            for _ in 0..<repeats {
                output.removeAll(keepingCapacity: true)
                message.append(to: &output)
                sum += output.count
            }
            return sum
        }
    }

    private static func decoding<Message: WireMessage>(
        _ bytes: [UInt8], _ repeats: Int, _ work: CodecWork, _ look: @escaping (Message) -> Int
    ) -> Prepared {
        let bytes = opaque(bytes)
        return Prepared(operations: repeats, expecting: work.expected(repeats)) {
            var sum = 0
            for _ in 0..<repeats {
                guard let message = try? Message(decoding: bytes) else { return -1 }
                sum += look(message)
            }
            return sum
        }
    }
}
