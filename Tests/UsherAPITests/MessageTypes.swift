import UsherAPI
import Wire

/// Every message there is; a test compares the list with the `.proto` files.
let messageTypes: [any WireMessage.Type] = [
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

let messageTypesByName = Dictionary(uniqueKeysWithValues: messageTypes.map { (String(describing: $0), $0) })
