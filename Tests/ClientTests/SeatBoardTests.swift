import Client
import Testing
import UsherAPI

@testable import usher

struct SeatBoardTests {
    static func seats(_ numbers: ClosedRange<UInt32>, price: UInt64 = 10, state: SeatState = .available) -> [Seat] {
        numbers.map { Seat(number: $0, price: price, state: state) }
    }

    @Test func `a snapshot in parts and the changes after it make one board`() {
        var board = SeatBoard(performance: "p")
        board.apply(
            SeatChange(
                list: SeatList(performance: "p", seats: Self.seats(1...30), seatsLeft: 50, availability: .onSale, nextSeat: 31),
                sequence: 5, reset: true))
        #expect(!board.isComplete)
        board.apply(
            SeatChange(list: SeatList(performance: "p", seats: Self.seats(31...50), seatsLeft: 50), sequence: 5, reset: false))
        #expect(board.isComplete)
        board.apply(
            SeatChange(list: SeatList(seats: [Seat(number: 7, state: .held)], seatsLeft: 49), sequence: 6, reset: false))
        #expect(board.isComplete)
        #expect(board.seats.count == 50)
        #expect(board.seats.map(\.number) == Array(1...50))
        #expect(board[7] == Seat(number: 7, price: 10, state: .held))
        #expect(board[51] == nil)
        #expect(board.seatsLeft == 49)
    }

    @Test func `a reset forgets what was known`() {
        var board = SeatBoard(performance: "p")
        board.apply(SeatList(performance: "p", seats: Self.seats(1...5), seatsLeft: 5))
        board.apply(SeatChange(list: SeatList(performance: "p", seats: Self.seats(1...2)), sequence: 9, reset: true))
        #expect(board.seats.count == 2)
    }

    @Test func `the map says everything without colour`() {
        var board = SeatBoard(performance: "p")
        var seats = Self.seats(1...12, price: 9000)
        seats[2].state = .held
        seats[3].state = .sold
        seats[11].price = 4500
        board.apply(SeatList(performance: "p", seats: seats, seatsLeft: 10))
        let lines = SeatDrawing(board: board, own: [12], style: .plain).lines()
        #expect(
            lines.dropFirst() == [
                "   1  [ 1] [ 2] ( 3)  --  [ 5]   [ 6] [ 7] [ 8] [ 9] [10]",
                "  11  [11] <12>",
                "",
                "[nn] 10 available   (nn) 1 held    --  1 sold   <nn> yours",
                "prices   1–11: 9,000   12: 4,500",
            ])
        #expect(lines[0].contains("STAGE"))
        #expect(!lines.joined().contains("\u{1B}"))
    }

    @Test func `colours only repeat what the brackets say`() {
        var board = SeatBoard(performance: "p")
        board.apply(SeatList(performance: "p", seats: Self.seats(1...25), seatsLeft: 25))
        let plain = SeatDrawing(board: board, style: .plain).lines()
        let coloured = SeatDrawing(board: board, style: Style(hasColour: true)).lines()
        #expect(coloured != plain)
        #expect(coloured.map { $0.replacing(/\u{1B}\[[0-9]*m/, with: "") } == plain)
    }

    @Test func `a large house is cut, and says so`() {
        var board = SeatBoard(performance: "p")
        board.apply(SeatList(performance: "p", seats: Self.seats(1...1000), seatsLeft: 1000))
        let lines = SeatDrawing(board: board, style: .plain).lines(rowsMax: 20)
        #expect(lines.count == 1 + 20 + 1 + 3)
        #expect(lines[21] == "  … and 80 more rows")
        #expect(lines[1].hasPrefix("     1  [   1]"))
    }
}
