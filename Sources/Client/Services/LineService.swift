internal import Calls
public import UsherAPI

extension UsherClient {
    /// The line of each concert.
    public var line: LineService { LineService(client: self) }
}

/// Taking a place, hearing about it, giving it up.
public struct LineService: Sendable {
    let client: UsherClient

    /// Takes a place in a concert's line, or goes on with the one the user has, and tells of every change: the present
    /// state first. Ends well after the token has ended.
    ///
    /// The place lasts as long as this stream is open, and for the line's grace after that. After a lost connection the
    /// same place is taken up again, and the first element then is complete once more.
    public func join(_ concert: String, _ settings: CallSettings = CallSettings()) -> Pushes<LineUpdate> {
        let shared = client.shared
        return client.stream(
            .join, JoinRequest(concert: concert), settings, about: .concert(concert),
            UsherClient.StreamKind<LineUpdate, LineUpdate>(
                shape: { .state },
                element: { message in
                    shared.learn(message.payload, concert: concert)
                    return message.payload
                }))
    }

    /// Where the user stands now; counts as being there for 30 s.
    public func check(_ concert: String, _ settings: CallSettings = CallSettings()) async throws(UsherError) -> LineUpdate {
        let update: LineUpdate = try await client.call(
            .check, CheckRequest(concert: concert), settings, about: .concert(concert))
        client.shared.learn(update, concert: concert)
        return update
    }

    /// Gives the place up.
    public func leave(_ concert: String, _ settings: CallSettings = CallSettings()) async throws(UsherError) {
        let _: LeaveResponse = try await client.call(.leave, LeaveRequest(concert: concert), settings, about: .concert(concert))
        client.shared.set(token: nil, of: concert)
    }
}
