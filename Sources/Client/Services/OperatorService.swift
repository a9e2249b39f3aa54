public import UsherAPI
internal import Wire

extension UsherClient {
    /// What only operators may do.
    public var operators: OperatorService { OperatorService(client: self) }
}

/// Running a sale. Every call needs an operator's identity.
public struct OperatorService: Sendable {
    let client: UsherClient

    /// Creates a concert, or changes an existing one.
    public func putConcert(_ settings: ConcertSettings, _ call: CallSettings = CallSettings()) async throws(UsherError)
        -> Concert
    {
        try await command(.putConcert, PutConcertRequest(settings: settings), call)
    }

    /// Creates a performance, or changes its date and prices.
    public func putPerformance(
        _ settings: PerformanceSettings, _ call: CallSettings = CallSettings()
    ) async throws(UsherError) -> Concert {
        try await command(.putPerformance, PutPerformanceRequest(settings: settings), call)
    }

    /// Changes who is admitted and when.
    public func setPolicy(
        _ policy: AdmissionPolicy, of concert: String, _ call: CallSettings = CallSettings()
    ) async throws(UsherError) -> Concert {
        try await command(.setPolicy, SetPolicyRequest(concert: concert, policy: policy), call)
    }

    /// What can be done to a line.
    public enum LineChange: String, Sendable, CaseIterable {
        case lobby, open, pause, resume, drain, close

        var method: Method {
            switch self {
            case .lobby: .openLobby
            case .open: .openLine
            case .pause: .pauseLine
            case .resume: .resumeLine
            case .drain: .drainLine
            case .close: .closeLine
            }
        }
    }

    /// Opens, pauses, … a concert's line.
    public func change(
        _ change: LineChange, of concert: String, _ call: CallSettings = CallSettings()
    ) async throws(UsherError) -> Concert {
        try await command(change.method, LineRequest(concert: concert), call)
    }

    /// Tells everybody who waits.
    public func sendNotice(
        _ text: String, to concert: String, _ call: CallSettings = CallSettings()
    ) async throws(UsherError) -> Concert {
        try await command(.sendNotice, SendNoticeRequest(concert: concert, text: text), call)
    }

    /// Live numbers.
    ///
    /// - Parameter concert: empty for all.
    public func stats(_ concert: String = "", _ call: CallSettings = CallSettings()) async throws(UsherError) -> StatsResponse {
        try await client.call(.stats, StatsRequest(concert: concert), call, about: .nothing)
    }

    /// Live numbers as they change.
    public func watchStats(_ concert: String = "", _ call: CallSettings = CallSettings()) -> Pushes<StatsResponse> {
        client.stream(
            .watchStats, StatsRequest(concert: concert), call, about: .nothing,
            UsherClient.StreamKind<StatsResponse, StatsResponse>(shape: { .state }, element: { $0.payload }))
    }

    private func command(_ method: Method, _ request: some WireMessage, _ call: CallSettings) async throws(UsherError)
        -> Concert
    {
        let response: OperatorResponse = try await client.call(method, request, call, about: .nothing)
        return response.concert ?? Concert()
    }
}
