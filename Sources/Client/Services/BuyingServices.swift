public import UsherAPI

extension UsherClient {
    /// Holding seats and giving them back.
    public var reservations: ReservationService { ReservationService(client: self) }
    /// The user's money.
    public var accounts: AccountService { AccountService(client: self) }
    /// Buying what is held.
    public var payments: PaymentService { PaymentService(client: self) }
}

/// Holds, from creation to their end. They need one's turn; listing and cancelling only one's identity.
public struct ReservationService: Sendable {
    let client: UsherClient

    /// Sets these seats aside, all or none.
    public func hold(
        performance: String, seats: [UInt32], _ settings: CallSettings = CallSettings()
    ) async throws(UsherError) -> Reservation {
        try await hold(HoldRequest(performance: performance, seats: seats), settings)
    }

    /// Sets that many seats aside, together, wherever they are best.
    public func hold(
        performance: String, bestAvailable count: UInt32, _ settings: CallSettings = CallSettings()
    ) async throws(UsherError) -> Reservation {
        try await hold(HoldRequest(performance: performance, bestAvailable: count), settings)
    }

    private func hold(_ request: HoldRequest, _ settings: CallSettings) async throws(UsherError) -> Reservation {
        let response: HoldResponse = try await client.call(.hold, request, settings, about: .performance(request.performance))
        let reservation = response.reservation ?? Reservation()
        client.shared.learn(reservation)
        return reservation
    }

    /// Gives held seats back.
    public func release(_ reservation: UInt64, _ settings: CallSettings = CallSettings()) async throws(UsherError)
        -> Reservation
    {
        let response: ReleaseResponse = try await client.call(
            .release, ReleaseRequest(reservation: reservation), settings, about: .reservation(reservation))
        return response.reservation ?? Reservation()
    }

    /// Cancels a paid reservation: the money comes back, the seats are free again.
    public func cancel(
        _ reservation: UInt64, _ settings: CallSettings = CallSettings()
    ) async throws(UsherError) -> CancelReservationResponse {
        try await client.call(.cancelReservation, CancelReservationRequest(reservation: reservation), settings, about: .nothing)
    }

    /// The user's own, newest first.
    ///
    /// - Parameter limit: how many at most.
    public func list(limit: Int = .max, _ settings: CallSettings = CallSettings()) async throws(UsherError) -> [Reservation] {
        var all: [Reservation] = []
        while true {
            let page: ListReservationsResponse = try await client.call(
                .listReservations, ListReservationsRequest(before: all.last?.id ?? 0), settings, about: .nothing)
            for reservation in page.reservations { client.shared.learn(reservation) }
            all += page.reservations
            guard page.more, !page.reservations.isEmpty, all.count < limit else { return Array(all.prefix(limit)) }
        }
    }
}

/// A user's prepaid balance.
public struct AccountService: Sendable {
    let client: UsherClient

    /// Adds to the balance.
    public func charge(_ amount: UInt64, _ settings: CallSettings = CallSettings()) async throws(UsherError) -> ChargeResponse {
        try await client.call(.charge, ChargeRequest(amount: amount), settings, about: .account)
    }

    /// What there is.
    public func balance(_ settings: CallSettings = CallSettings()) async throws(UsherError) -> UInt64 {
        let response: GetBalanceResponse = try await client.call(.getBalance, GetBalanceRequest(), settings, about: .account)
        return response.balance
    }

    /// What came and went, newest first.
    ///
    /// - Parameter limit: how many at most.
    public func transactions(limit: Int = .max, _ settings: CallSettings = CallSettings()) async throws(UsherError)
        -> [Transaction]
    {
        var all: [Transaction] = []
        while true {
            let page: ListTransactionsResponse = try await client.call(
                .listTransactions, ListTransactionsRequest(before: all.last?.id ?? 0), settings, about: .account)
            all += page.transactions
            guard page.more, !page.transactions.isEmpty, all.count < limit else { return Array(all.prefix(limit)) }
        }
    }
}

/// Purchases.
public struct PaymentService: Sendable {
    let client: UsherClient

    /// Pays a held reservation.
    public func pay(_ reservation: UInt64, _ settings: CallSettings = CallSettings()) async throws(UsherError) -> PayResponse {
        try await client.call(.pay, PayRequest(reservation: reservation), settings, about: .reservation(reservation))
    }

    /// The user's own, newest first.
    ///
    /// - Parameter limit: how many at most.
    public func list(limit: Int = .max, _ settings: CallSettings = CallSettings()) async throws(UsherError) -> [Payment] {
        var all: [Payment] = []
        while true {
            let page: ListPaymentsResponse = try await client.call(
                .listPayments, ListPaymentsRequest(before: all.last?.id ?? 0), settings, about: .nothing)
            all += page.payments
            guard page.more, !page.payments.isEmpty, all.count < limit else { return Array(all.prefix(limit)) }
        }
    }
}
