import UsherAPI
import Wire

/// A request of a method that is nearly right, varied by one byte.
func body(of method: Method, _ argument: UInt8) -> [UInt8] {
    let number = UInt64(argument & 7)
    let seats = (1...6).filter { argument >> ($0 - 1) & 1 != 0 }.map { UInt32($0) }
    switch method {
    case .authenticate: return AuthenticateRequest(identity: .user(Uuid(high: 1, low: number))).encoded()
    case .join: return JoinRequest(concert: "gig").encoded()
    case .check: return CheckRequest(concert: "gig").encoded()
    case .leave: return LeaveRequest(concert: "gig").encoded()
    case .listConcerts: return ListConcertsRequest(after: number == 0 ? "" : "a").encoded()
    case .listPerformances: return ListPerformancesRequest(concert: "gig", fromMs: number, includeSoldOut: number > 3).encoded()
    case .listSeats: return ListSeatsRequest(performance: "night", firstSeat: UInt32(number)).encoded()
    case .streamSeats: return StreamSeatsRequest(concert: "gig", fromMs: number).encoded()
    case .watchSeats: return WatchSeatsRequest(performance: "night").encoded()
    case .hold: return HoldRequest(performance: "night", seats: seats, bestAvailable: seats.isEmpty ? 2 : 0).encoded()
    case .release: return ReleaseRequest(reservation: number).encoded()
    case .cancelReservation: return CancelReservationRequest(reservation: number).encoded()
    case .listReservations: return ListReservationsRequest(before: number).encoded()
    case .charge: return ChargeRequest(amount: UInt64(argument)).encoded()
    case .getBalance: return GetBalanceRequest().encoded()
    case .listTransactions: return ListTransactionsRequest(before: number).encoded()
    case .pay: return PayRequest(reservation: number).encoded()
    case .listPayments: return ListPaymentsRequest(before: number).encoded()
    case .putConcert:
        let settings = ConcertSettings(
            id: number == 0 ? "gig" : "c\(number)", title: "t", policy: AdmissionPolicy(maxActive: 1))
        return PutConcertRequest(settings: settings).encoded()
    case .putPerformance:
        let settings = PerformanceSettings(
            id: number == 0 ? "night" : "p\(number)", concert: "gig", seatCount: 6,
            prices: [PriceBand(firstSeat: 1, lastSeat: 6, price: UInt64(argument))])
        return PutPerformanceRequest(settings: settings).encoded()
    case .setPolicy: return SetPolicyRequest(concert: "gig", policy: AdmissionPolicy(maxActive: UInt32(number))).encoded()
    case .openLobby, .openLine, .pauseLine, .resumeLine, .drainLine, .closeLine: return LineRequest(concert: "gig").encoded()
    case .sendNotice: return SendNoticeRequest(concert: "gig", text: "n").encoded()
    case .stats, .watchStats: return StatsRequest(concert: number == 0 ? "" : "gig").encoded()
    }
}
