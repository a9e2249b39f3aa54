import Calls
import Client
import Foundation
import Testing
import UsherAPI

@testable import usher

struct OutputTests {
    @Test func `JSON is one line that any reader takes, keys in order`() throws {
        let json = Json.object([
            ("b", .string("quote \" slash \\ line\n tab\t bell\u{7} ünïcödé 🎟")),
            ("a", .array([.number(.max), .signed(-1), .bool(true), .null])),
        ])
        #expect(!json.description.contains("\n"))
        #expect(json.description.hasPrefix(#"{"b":"quote \" slash \\ line\n tab\t bell\u0007 "#))
        let read = try #require(try JSONSerialization.jsonObject(with: Data(json.description.utf8)) as? [String: Any])
        #expect(read["b"] as? String == "quote \" slash \\ line\n tab\t bell\u{7} ünïcödé 🎟")
    }

    @Test func `an update is printed under the protocol's names`() {
        let update = LineUpdate(
            state: .waiting, position: 3, behind: 0, estimate: Estimate(lowMs: 1, highMs: 2), lineState: .open, joinNumber: 9)
        #expect(
            Json(update).description
                == #"{"state":"WAITING","position":3,"behind":0,"estimate":{"low_ms":1,"high_ms":2},"line_state":"OPEN","join_number":9}"#
        )
    }

    @Test func `words are those of the proto files`() {
        #expect(Availability.soldOut.word == "SOLD_OUT")
        #expect(LineState.lobby.word == "LOBBY")
        #expect(SeatState.unrecognized(9).word == "9")
        #expect(TransactionKind.refund.word == "REFUND")
    }

    @Test(arguments: [
        (UInt64(0), "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (.max, "18,446,744,073,709,551,615"),
    ])
    func `money has its thousands separated`(amount: UInt64, text: String) {
        #expect(Format.money(amount) == text)
    }

    @Test(arguments: [
        (UInt64(999), "0 s"), (59_999, "59 s"), (60_000, "1 min 00 s"), (298_000, "4 min 58 s"), (7_500_000, "2 h 05 min"),
        (273_600_000, "3 d 4 h"),
    ])
    func `durations are rounded down`(milliseconds: UInt64, text: String) {
        #expect(Format.duration(milliseconds) == text)
    }

    @Test(arguments: [(UInt64(0), "0:00"), (1, "0:01"), (59_000, "0:59"), (300_000, "5:00"), (3_898_000, "1:04:58")])
    func `a countdown reaches zero only at the end`(milliseconds: UInt64, text: String) {
        #expect(Format.clock(milliseconds) == text)
    }

    @Test(arguments: [([UInt32(1)], "1"), ([1, 2], "1, 2"), ([1, 2, 3], "1–3"), ([1, 3, 4, 5, 9], "1, 3–5, 9"), ([], "")])
    func `runs of seats are drawn together`(seats: [UInt32], text: String) {
        #expect(Format.seats(seats) == text)
    }

    @Test func `columns are as wide as they need, without blanks at the end`() {
        #expect(
            Format.table([["A", "NUMBER", "C"], ["long", "7", ""]], numeric: [1]) == ["A     NUMBER  C", "long       7"])
    }

    @Test(arguments: [
        (Reason.tokenWaiting, usher.ExitStatus.notYourTurn), (.tokenMissing, .notYourTurn), (.seatTaken, .refused),
        (.tokenEnded, .notYourTurn),
        (.operatorsOnly, .refused),
    ])
    func `the exit status tells scripts what to do`(reason: Reason, status: usher.ExitStatus) {
        let failure = Failure(.refused(Status(reason, "A sentence.")))
        #expect(failure.status == status)
        #expect(failure.reason == reason.rawValue)
        #expect(failure.message.hasPrefix("A sentence."))
    }

    @Test func `a command whose end is not known is told how to be repeated`() {
        let command = "usher charge 7 --request-id x"
        for error in [
            UsherError.refused(Status(.deadlinePassed, "Late.", details: ErrorDetails(mayHaveHappened: true))),
            .refused(Status(.outcomeUnknown, "Who knows.")), .cancelled,
        ] {
            #expect(Failure(error, again: command).message.contains(command), "\(error)")
            #expect(!Failure(error).message.contains("Optional"), "\(error)")
        }
        #expect(!Failure(.refused(Status(.deadlinePassed, "Late.")), again: command).message.contains(command))
        #expect(!Failure(.refused(Status(.seatTaken, "Taken.")), again: command).message.contains(command))
    }

    @Test func `a server's folders are those that it is told itself`() {
        let container = ["USHER_DATA": "/var/lib/usher", "USHER_DEVELOPMENT_FOLDER": "/var/lib/usher-development"]
        func folders(_ said: String?, _ environment: [String: String]) -> [String] {
            let folders = ServerFolders(said: said, environment)
            return [folders.data, folders.development]
        }
        #expect(folders(nil, [:]) == ["usher-data", "usher-data"])
        #expect(folders(nil, container) == ["/var/lib/usher", "/var/lib/usher-development"])
        #expect(folders("here", container) == ["here", "here"])
    }

    @Test func `exit statuses are documented and stable`() {
        #expect(usher.ExitStatus.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 6])
        #expect(Failure(.connection("x")).status == .unreachable)
        #expect(Failure(.cancelled).status == .interrupted)
        for status in usher.ExitStatus.allCases {
            #expect(usher.ExitStatus.table.contains("  \(status.rawValue)  \(status.meaning)"))
        }
    }

    @Test func `CSV quotes what needs it`() {
        #expect(
            SaleExport.csv(["a", "b"], [["x,y", "say \"hi\""], ["plain", "two\nlines"]])
                == "a,b\r\n\"x,y\",\"say \"\"hi\"\"\"\r\nplain,\"two\nlines\"\r\n")
    }
}
