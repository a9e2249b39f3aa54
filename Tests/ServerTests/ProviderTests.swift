import Client
import Crypto
import Foundation
import Reactor
import Server
import Testing
import UsherAPI
import Wire

/// Identities of a provider: what its keys signed, and nothing else.
@Suite(.timeLimit(.minutes(1)))
struct ProviderTests {
    /// A provider: a key, and the file that publishes it.
    private struct Provider {
        let key: Ed25519PrivateKey
        let file: String

        init() throws {
            key = try .generate()
            file = NSTemporaryDirectory() + "usher-jwks-\(UUID().uuidString).json"
            try publish([key])
        }

        func publish(_ keys: [Ed25519PrivateKey]) throws {
            try JWKS(keys.map { JWK($0.publicKey) }).json.write(toFile: file, atomically: true, encoding: .utf8)
        }

        /// A token; `seconds` until it ends, from now.
        func token(_ subject: String, seconds: Int = 600, more: String = "", signedBy other: Ed25519PrivateKey? = nil) throws
            -> String
        {
            let now = Int(Clock.wallMilliseconds() / 1_000)
            let claims = #"{"iss":"https://id.example","aud":"usher","sub":"\#(subject)","exp":\#(now + seconds)\#(more)}"#
            return try JWTSigner(key: other ?? key).signJWT(claims: Array(claims.utf8))
        }

        func token(_ user: Uuid, seconds: Int = 600, more: String = "") throws -> String {
            try token("\(user)", seconds: seconds, more: more)
        }
    }

    private static let operatorClaim = #","role":["fan","operator"]"#
    private static let backendClaim = #","role":"backend""#

    private func withProvider(
        _ change: (inout ServerSettings) -> Void = { _ in }, _ body: (TestSale, Provider) async throws -> Void
    ) async throws {
        let provider = try Provider()
        defer { try? FileManager.default.removeItem(atPath: provider.file) }
        try await withSale({
            $0.identityKeysFile = provider.file
            $0.identityIssuer = "https://id.example"
            $0.identityAudience = "usher"
            change(&$0)
        }) { try await body($0, provider) }
    }

    /// Puts a concert on sale, over the wire, as the provider's operator.
    private func putOn(_ id: String, _ sale: TestSale, _ provider: Provider, isOpen: Bool = true) async throws {
        let office = try await sale.rawCalls(hello: .hello(jwt: provider.token("boss", more: Self.operatorClaim)))
        var concert = ConcertSettings()
        concert.id = id
        concert.title = id
        concert.policy = AdmissionPolicy(maxActive: 100)
        var performance = PerformanceSettings()
        performance.id = "\(id)-1"
        performance.concert = id
        performance.startsMs = Clock.wallMilliseconds() + 86_400_000
        performance.seatCount = 10
        performance.prices = [PriceBand(firstSeat: 1, lastSeat: 10, price: 100)]
        office.send(.open(1, .putConcert, PutConcertRequest(settings: concert)))
        #expect(try await office.close(1).code == .ok)
        office.send(.open(2, .putPerformance, PutPerformanceRequest(settings: performance)))
        #expect(try await office.close(2).code == .ok)
        office.send(.open(3, isOpen ? .openLine : .openLobby, LineRequest(concert: id)))
        #expect(try await office.close(3).code == .ok)
    }

    private func bearer(_ token: String) -> [Metadata] {
        [Metadata(key: "authorization", value: Array("Bearer \(token)".utf8))]
    }

    @Test func `HELLO with anything but a good token of the provider is closed with 4508`() async throws {
        try await withProvider { sale, provider in
            let stranger = try Ed25519PrivateKey.generate()
            let good = try provider.token("ada")
            var changed = Array(good)
            changed[changed.count / 2] = changed[changed.count / 2] == "A" ? "B" : "A"
            let refused: [(name: String, hello: UsherFrame)] = [
                ("a bare UUID", .hello()), ("another key's", .hello(jwt: try provider.token("ada", signedBy: stranger))),
                ("one that was changed", .hello(jwt: String(changed))),
                ("no JWT", .hello(jwt: "ada")), ("an empty one", .hello(jwt: "")),
                ("an operator key", .hello(jwt: "operator:x")),
                ("one without a name", .hello(jwt: try provider.token(""))),
                ("one not yet valid", .hello(jwt: try provider.token("ada", more: #","nbf":9999999999"#))),
                ("the nil UUID's", .hello(jwt: try provider.token("00000000-0000-0000-0000-000000000000"))),
            ]
            for (name, hello) in refused {
                let (client, _) = try await sale.rawSocket()
                client.send(hello, .open(1, .listConcerts, ListConcertsRequest()))
                #expect(try await client.closeCode() == 4508, "\(name)")
                #expect(try await client.take("frames") { inbox, _ in inbox.frameCount } == 0, "\(name)")
            }
            let user = Uuid.test()
            let (client, _) = try await sale.rawSocket()
            client.send(.hello(jwt: try provider.token(user)))
            let welcome = try await client.welcome()
            #expect(welcome.user == user && !welcome.development && welcome.limits?.runningCalls == 32)
            // A name that is no UUID gets one, always the same.
            let ada = try await (sale.rawSocket().0, sale.rawSocket().0)
            ada.0.send(.hello(jwt: good))
            ada.1.send(.hello(jwt: try provider.token("ada", seconds: 300)))
            let users = try await (ada.0.welcome().user, ada.1.welcome().user)
            #expect(users.0 != nil && users.0 == users.1)
        }
    }

    @Test func `a token of another issuer or for another audience is refused`() async throws {
        try await withProvider({ $0.identityIssuer = "https://other.example" }) { sale, provider in
            let (client, _) = try await sale.rawSocket()
            client.send(.hello(jwt: try provider.token("ada")))
            #expect(try await client.closeCode() == 4508)
        }
        try await withProvider({ $0.identityAudience = "other" }) { sale, provider in
            let (client, _) = try await sale.rawSocket()
            client.send(.hello(jwt: try provider.token("ada")))
            #expect(try await client.closeCode() == 4508)
        }
    }

    @Test func `the operator's claim makes an operator, and only that claim`() async throws {
        try await withProvider { sale, provider in
            try await putOn("aurora", sale, provider)
            for more in ["", Self.backendClaim, #","role":"operators""#, #","roles":"operator""#] {
                let client = try await sale.rawCalls(hello: .hello(jwt: provider.token("eve", more: more)))
                client.send(.open(1, .pauseLine, LineRequest(concert: "aurora")))
                #expect(try await client.close(1).reason == "OPERATORS_ONLY", "\(more)")
            }
        }
    }

    @Test func `a backend acts for many users over one connection, each with a place of their own`() async throws {
        try await withProvider { sale, provider in
            try await putOn("aurora", sale, provider)
            let (backend, _) = try await sale.rawSocket()
            backend.send(.hello(jwt: try provider.token("shop", more: Self.backendClaim)))
            #expect(try await backend.welcome().limits?.runningCalls == 1_024)
            let users = (0..<40).map { _ in Uuid.test() }
            let bearers = try users.map { bearer(try provider.token($0)) }
            for (index, metadata) in bearers.enumerated() {
                backend.send(.open(UInt32(index + 1), .join, JoinRequest(concert: "aurora")) { $0.metadata = metadata })
            }
            var tokens: [String] = []
            var numbers: Set<UInt64> = []
            for index in users.indices {
                var update = try await backend.update(UInt32(index + 1))
                let token = update.queueToken
                numbers.insert(update.joinNumber)
                while update.state != .active { update = try await backend.update(UInt32(index + 1)) }
                tokens.append(token)
            }
            #expect(numbers == Set(1...40) && Set(tokens).count == 40)

            func call(_ id: UInt32, as user: Int, tokenOf owner: Int?) -> UsherFrame {
                .open(id, .hold, HoldRequest(performance: "aurora-1", seats: [UInt32(user + 1)])) {
                    $0.metadata =
                        bearers[user] + (owner.map { [Metadata(key: "queue-token", value: Array(tokens[$0].utf8))] } ?? [])
                }
            }
            backend.send(call(101, as: 0, tokenOf: 0), call(102, as: 1, tokenOf: 0), call(103, as: 2, tokenOf: nil))
            let held = try await backend.close(101)
            let reservation = try HoldResponse(decoding: held.payload).reservation
            #expect(held.code == .ok && reservation?.seats == [1])
            #expect(try await backend.close(102).reason == "TOKEN_INVALID")
            #expect(try await backend.close(103).reason == "TOKEN_MISSING")
            // The connection's own identity has joined nothing.
            backend.send(.open(104, .check, CheckRequest(concert: "aurora")))
            #expect(try await backend.close(104).reason == "UNKNOWN_TOKEN")
            backend.send(.open(105, .listReservations, ListReservationsRequest()) { $0.metadata = bearer("x.y.z") })
            #expect(try await backend.close(105).reason == "IDENTITY_INVALID")
            backend.send(
                .open(106, .listReservations, ListReservationsRequest()) {
                    $0.metadata = bearer((try? provider.token("ada", seconds: -120)) ?? "")
                })
            #expect(try await backend.close(106).reason == "IDENTITY_EXPIRED")
        }
    }

    @Test func `an identity that runs out refuses calls and keeps the place, until there is a new one`() async throws {
        try await withProvider { sale, provider in
            try await putOn("aurora", sale, provider, isOpen: false)
            let user = Uuid.test()
            let client = try await sale.rawCalls(hello: .hello(jwt: provider.token(user)))
            client.send(.open(1, .join, JoinRequest(concert: "aurora")))
            let number = try await client.update(1).joinNumber
            // Taken for a second or two more, by the leeway for clocks; then it has run out.
            client.send(.open(2, .authenticate, AuthenticateRequest(identity: .jwt(try provider.token(user, seconds: -58)))))
            #expect(try await client.close(2).code == .ok)
            var call: UInt32 = 3
            client.send(.open(call, .listReservations, ListReservationsRequest()))
            while try await client.close(call).code == .ok {
                try await Task.sleep(for: .milliseconds(100))
                call += 1
                client.send(.open(call, .listReservations, ListReservationsRequest()))
            }
            client.send(.open(100, .leave, LeaveRequest(concert: "aurora")))
            let refused = try await client.close(100)
            #expect(refused.code == .unauthenticated && refused.reason == "IDENTITY_EXPIRED")
            // The stream goes on: the place is kept.
            let office = try await sale.rawCalls(hello: .hello(jwt: provider.token("boss", more: Self.operatorClaim)))
            office.send(.open(1, .openLine, LineRequest(concert: "aurora")))
            var update = try await client.update(1)
            while update.state != .active { update = try await client.update(1) }
            #expect(update.joinNumber == number)
            client.send(.open(101, .authenticate, AuthenticateRequest(identity: .jwt(try provider.token(user)))))
            let known = try AuthenticateResponse(decoding: await client.close(101).payload)
            #expect(known.user == user && !known.isOperator && known.expiresMs > Clock.wallMilliseconds())
            client.send(.open(102, .listSeats, ListSeatsRequest(performance: "aurora-1")))
            #expect(try await client.close(102).code == .ok)
            // A connection does not change hands.
            client.send(.open(103, .authenticate, AuthenticateRequest(identity: .jwt(try provider.token("eve")))))
            #expect(try await client.close(103).reason == "NOT_YOURS")
            client.send(.open(104, .listSeats, ListSeatsRequest(performance: "aurora-1")))
            #expect(try await client.close(104).code == .ok)
        }
    }

    @Test func `tokens that ran out cost what false ones do, and end the connection like them`() async throws {
        try await withProvider { sale, provider in
            let old = try provider.token("ada", seconds: -120)
            let kinds: [(name: String, frame: (UInt32) -> UsherFrame)] = [
                ("Authenticate", { .open($0, .authenticate, AuthenticateRequest(identity: .jwt(old))) }),
                ("bearer", { .open($0, .listReservations, ListReservationsRequest()) { $0.metadata = bearer(old) } }),
            ]
            for (name, frame) in kinds {
                let client = try await sale.rawCalls(hello: .hello(jwt: provider.token("ada")))
                client.send((1...30).map(frame))
                for call in 1...UInt32(8) { #expect(try await client.close(call).reason == "IDENTITY_EXPIRED", "\(name)") }
                #expect(try await client.closeCode() == 4004, "\(name)")
            }
        }
    }

    @Test func `HELLO with a token that ran out is nobody's, until Authenticate brings a new one`() async throws {
        try await withProvider { sale, provider in
            let (client, _) = try await sale.rawSocket()
            client.send(.hello(jwt: try provider.token("ada", seconds: -120)))
            #expect(try await client.welcome().user == nil)
            client.send(.open(1, .listReservations, ListReservationsRequest()))
            #expect(try await client.close(1).code == .unauthenticated)
            client.send(.open(2, .authenticate, AuthenticateRequest(identity: .jwt(try provider.token("ada", seconds: -120)))))
            #expect(try await client.close(2).reason == "IDENTITY_EXPIRED")
            client.send(.open(3, .authenticate, AuthenticateRequest(identity: .jwt(try provider.token("ada")))))
            #expect(try await client.close(3).code == .ok)
            client.send(.open(4, .listReservations, ListReservationsRequest()))
            #expect(try await client.close(4).code == .ok)
        }
    }

    @Test func `keys are changed by two restarts: both hold in between, the old one no longer after`() async throws {
        let provider = try Provider()
        defer { try? FileManager.default.removeItem(atPath: provider.file) }
        let next = try Ed25519PrivateKey.generate()
        let tokens = [try provider.token("ada"), try provider.token("ada", signedBy: next)]
        var sale = try TestSale {
            $0.identityKeysFile = provider.file
            $0.identityIssuer = "https://id.example"
            $0.identityAudience = "usher"
        }
        defer { sale.stop() }
        for (keys, accepted) in [
            ([provider.key], [true, false]), ([provider.key, next], [true, true]), ([next], [false, true]),
        ] {
            try provider.publish(keys)
            sale = try sale.restarted(onSamePort: false)
            for (token, isAccepted) in zip(tokens, accepted) {
                let (client, _) = try await sale.rawSocket()
                client.send(.hello(jwt: token))
                if isAccepted {
                    #expect(try await client.welcome().user != nil)
                } else {
                    #expect(try await client.closeCode() == 4508)
                }
            }
        }
    }

    @Test func `a file of keys that is none, or is not there, is no start`() throws {
        let file = NSTemporaryDirectory() + "usher-jwks-\(UUID().uuidString).json"
        #expect(throws: (any Error).self) { try TestSale { $0.identityKeysFile = file } }
        try "{}".write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        #expect(throws: (any Error).self) { try TestSale { $0.identityKeysFile = file } }
    }

    // MARK: Settings of what needs a turn

    @Test func `the account needs one's turn, unless it is set otherwise`() async throws {
        for isNeeded in [true, false] {
            try await withSale({ $0.accountNeedsActiveToken = isNeeded }) { sale in
                let client = try await sale.client()
                let charge = await refusal { _ = try await client.accounts.charge(500) }
                let balance = await refusal { _ = try await client.accounts.balance() }
                #expect(charge == (isNeeded ? .tokenMissing : nil) && balance == (isNeeded ? .tokenMissing : nil))
                // One's own history needs only one's identity.
                #expect(try await client.accounts.transactions().count == (isNeeded ? 0 : 1))
            }
        }
    }

    @Test func `dates are for those whose turn it is, unless they are public; seats always are`() async throws {
        for isPublic in [true, false] {
            try await withSale({ $0.datesPublic = isPublic }) { sale in
                try await sale.putOn("aurora")
                let client = try await sale.rawCalls(nil)
                client.send(
                    .open(1, .listPerformances, ListPerformancesRequest(concert: "aurora")),
                    .open(2, .listSeats, ListSeatsRequest(performance: "aurora-1")),
                    .open(3, .listConcerts, ListConcertsRequest()))
                let dates = try await client.close(1)
                if isPublic {
                    let response = try ListPerformancesResponse(decoding: dates.payload)
                    #expect(
                        response.performances.map(\.id) == ["aurora-1"] && response.performances[0].seatsLeft == 10
                            && response.availability == .onSale)
                } else {
                    #expect(dates.code == .unauthenticated && dates.reason == "IDENTITY_MISSING")
                }
                #expect(try await client.close(2).code == .unauthenticated)
                #expect(try await client.close(3).code == .ok)
            }
        }
    }
}
