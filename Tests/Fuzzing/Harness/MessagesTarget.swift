import UsherAPI
public import Wire

// Every message of the protocol, chosen by the first byte.
//
//   which, then the message's bytes
//
// Held: reading, writing and reading again gives the same; writing is canonical, so writing again gives the same bytes, as
// many as were counted; unknown fields are passed over wherever fields are; reading in two halves is reading at once; what
// is written is not much more than what was read.

extension FuzzTarget {
    static let messages = FuzzTarget("messages", bytesMax: 1024) { bytes throws(Finding) in
        var script = Script(bytes)
        let which = Int(script.byte()) % fuzzedMessages.count
        try check(fuzzedMessages[which], script.remainder())
    }
}

/// Every message there is, by name; a test compares the list with the `.proto` files.
public let fuzzedMessages: [any WireMessage.Type] = [
    AdmissionPolicy.self, AuthenticateRequest.self, AuthenticateResponse.self, Cancel.self, CancelReservation.self,
    CancelReservationRequest.self, CancelReservationResponse.self, ChangeLine.self, Charge.self,
    ChargeRequest.self, ChargeResponse.self, CheckRequest.self, Checkpoint.self, Close.self, Command.self, Concert.self,
    ConcertSettings.self, Configure.self, Credit.self, Entry.self, ErrorDetails.self, Estimate.self,
    GetBalanceRequest.self, GetBalanceResponse.self, GoAway.self, Hello.self, Hold.self, HoldRequest.self,
    HoldResponse.self, InstanceStarted.self, InstanceStopped.self, Join.self, JoinRequest.self, Leave.self,
    LeaveRequest.self, LeaveResponse.self, Limits.self, LineRequest.self, LineStats.self, LineUpdate.self,
    ListConcertsRequest.self, ListConcertsResponse.self, ListPaymentsRequest.self, ListPaymentsResponse.self,
    ListPerformancesRequest.self, ListPerformancesResponse.self, ListReservationsRequest.self,
    ListReservationsResponse.self, ListSeatsRequest.self, ListTransactionsRequest.self,
    ListTransactionsResponse.self, Message.self, Metadata.self, Notice.self, Open.self, OperatorResponse.self,
    Pay.self, PayRequest.self, PayResponse.self, Payment.self, Performance.self, PerformanceSettings.self,
    Ping.self, Pong.self, Presence.self, PriceBand.self, PublishKey.self, PutConcert.self, PutConcertRequest.self,
    PutPerformanceRequest.self, Release.self, ReleaseRequest.self, ReleaseResponse.self, Reservation.self,
    Seat.self, SeatList.self, SendNoticeRequest.self, SetPolicyRequest.self, StatsRequest.self, StatsResponse.self,
    StreamSeatsRequest.self, Touched.self, Transaction.self, Uuid.self, WatchSeatsRequest.self, Welcome.self,
]

private func check<Body: WireMessage>(_ type: Body.Type, _ bytes: [UInt8]) throws(Finding) {
    let read = Result { () throws(WireError) in try Body(decoding: bytes) }
    guard case .success(let message) = read else {
        guard case .failure(let error) = read, (0...bytes.count).contains(error.place) else {
            throw Finding("\(type): a fault outside the bytes: \(read)")
        }
        return
    }
    let written = message.encoded()
    try demandEqual(message.encodedSize, written.count, "\(type): bytes counted and written")
    // A number in one byte may be written in ten: a negative enum value, sent as protobuf never does.
    try demand(written.count <= 2 * bytes.count + 8, "\(type): \(bytes.count) bytes became \(written.count)")
    let again = try demanded("\(type)") { () throws(WireError) in try Body(decoding: written) }
    try demandEqual(again, message, "\(type), read again")
    try demandEqual(again.encoded(), written, "\(type), written again")
    try checkUnknown(message, written)
    try checkHalves(message, bytes)
}

/// Fields of numbers that nobody has, of each wire type, in front and behind.
private func checkUnknown<Body: WireMessage>(_ message: Body, _ written: [UInt8]) throws(Finding) {
    for unknown in unknownFields {
        let behind = try demanded("unknown field behind") { () throws(WireError) in try Body(decoding: written + unknown) }
        let before = try demanded("unknown field before") { () throws(WireError) in try Body(decoding: unknown + written) }
        try demand(behind == message && before == message, "\(Body.self): an unknown field made a difference")
    }
}

/// Of number 2047, whose tag is (2047 << 3 | type) as a varint: a varint, eight bytes, a length with bytes, a group with a
/// field in it, and four bytes.
private let unknownFields: [[UInt8]] = [
    [0xf8, 0x7f, 0x80, 0x01], [0xf9, 0x7f, 1, 2, 3, 4, 5, 6, 7, 8], [0xfa, 0x7f, 2, 0xff, 0xfe],
    [0xfb, 0x7f, 0x08, 0x07, 0xfc, 0x7f], [0xfd, 0x7f, 1, 2, 3, 4],
]

/// Reading on into a message that has read the first fields already.
private func checkHalves<Body: WireMessage>(_ message: Body, _ bytes: [UInt8]) throws(Finding) {
    guard let cut = fieldBoundary(nearest: bytes.count / 2, in: bytes) else { return }
    var halves = try demanded("the first half") { () throws(WireError) in try Body(decoding: Array(bytes[..<cut])) }
    try demanded("the second half") { () throws(WireError) in
        try halves.merge(from: WireReader(bytes.rawSpan.extracting(droppingFirst: cut)))
    }
    try demandEqual(halves, message, "\(Body.self), read in two halves")
}

private func fieldBoundary(nearest target: Int, in bytes: [UInt8]) -> Int? {
    var reader = WireReader(bytes.rawSpan)
    do throws(WireError) {
        while let field = try reader.nextField() {
            try reader.skip(field)
            if reader.position >= target { return reader.position }
        }
    } catch {
        return nil
    }
    return nil
}

extension WireError {
    /// The byte it names.
    fileprivate var place: Int {
        switch self {
        case .truncated(let at), .overlongVarint(let at), .invalidFieldNumber(let at), .invalidWireType(let at),
            .lengthPastEnd(let at), .invalidUTF8(let at), .unmatchedEndGroup(let at), .nestedTooDeep(let at):
            at
        }
    }
}
