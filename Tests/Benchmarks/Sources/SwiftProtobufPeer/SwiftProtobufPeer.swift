// swift-protobuf on the messages of bench.proto; `bench.pb.swift` is what protoc-gen-swift 1.39.0 makes of it:
// protoc --swift_out=Sources/SwiftProtobufPeer bench.proto

import BenchmarkBodies
import SwiftProtobuf

/// swift-protobuf's side of one comparison.
public func swiftProtobuf(_ work: CodecWork, repeats: Int) -> Prepared {
    switch work {
    case .encodeSmall: encoding(opaque(smallMeasured), repeats, work)
    case .encodeSeats: encoding(opaque(seatsMeasured), repeats, work)
    case .decodeSmall:
        decoding(smallMeasured, repeats, work) { (message: Usher_Bench_Small) in
            Int(message.place) + message.user.utf8.count
        }
    case .decodeSeats:
        decoding(seatsMeasured, repeats, work) { (message: Usher_Bench_SeatMap) in
            message.seats.count + Int(message.seats[49].revision)
        }
    }
}

private var smallMeasured: Usher_Bench_Small {
    var small = Usher_Bench_Small()
    small.id = 8_589_934_592
    small.place = 250_000
    small.timeMs = 1_795_370_000_000
    small.user = "6f1f3a52-0c7e-4b0d-9d53-8e4f1c2ab907"
    small.state = .waiting
    return small
}

private var seatsMeasured: Usher_Bench_SeatMap {
    var map = Usher_Bench_SeatMap()
    for number in 1...50 {
        var seat = Usher_Bench_Seat()
        seat.number = UInt32(number)
        seat.state = UInt32(number % 3 + 1)
        seat.revision = UInt64(101 + number)
        map.seats.append(seat)
    }
    return map
}

/// swift-protobuf makes a new array for each message: it has no call that writes into one that is kept.
private func encoding(_ message: some SwiftProtobuf.Message, _ repeats: Int, _ work: CodecWork) -> Prepared {
    Prepared(operations: repeats, expecting: work.expected(repeats)) {
        var sum = 0
        for _ in 0..<repeats {
            guard let bytes: [UInt8] = try? message.serializedBytes() else { return -1 }
            sum += bytes.count
        }
        return sum
    }
}

private func decoding<Message: SwiftProtobuf.Message>(
    _ measured: Message, _ repeats: Int, _ work: CodecWork, _ look: @escaping (Message) -> Int
) -> Prepared {
    guard let bytes: [UInt8] = try? measured.serializedBytes() else { return Prepared(operations: 1, expecting: 0) { -1 } }
    return Prepared(operations: repeats, expecting: work.expected(repeats)) {
        var sum = 0
        for _ in 0..<repeats {
            guard let message = try? Message(serializedBytes: bytes) else { return -1 }
            sum += look(message)
        }
        return sum
    }
}
