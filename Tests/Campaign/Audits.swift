import UsherAPI

@testable import Client

extension World {
    /// What a server remembers of each of the users.
    ///
    /// - Parameters:
    ///   - urls: which server is asked; nil: any.
    ///   - seen: how far it has to be.
    func audits(of users: [Uuid], at urls: [ServerURL]? = nil, seen: (epoch: Uuid, position: UInt64)? = nil) async throws
        -> [Uuid: Audit]
    {
        var options = World.options
        options.seen = seen
        return try await withThrowingTaskGroup(of: (Uuid, Audit).self) { group in
            var left = users[...]
            func next() {
                guard let user = left.popFirst() else { return }
                group.addTask { [self, options] in
                    let client = try await connect(.user(user), at: urls, options: options)
                    defer { client.close() }
                    return (
                        user,
                        Audit(
                            transactions: try await client.accounts.transactions().reversed(),
                            payments: try await client.payments.list().reversed(),
                            reservations: try await client.reservations.list().reversed())
                    )
                }
            }
            for _ in 0..<8 { next() }
            var audits: [Uuid: Audit] = [:]
            while let (user, audit) = try await group.next() {
                audits[user] = audit
                next()
            }
            return audits
        }
    }
}
