import Calls
import Client
import Foundation
import UsherAPI

/// Why a command could not do what it was asked, with what to do next.
struct Failure: Error, Equatable {
    var status: ExitStatus
    var message: String
    /// The server's reason word, if it was the server.
    var reason = ""
    var asJSON = false

    init(_ status: ExitStatus, _ message: String, reason: String = "") {
        self.status = status
        self.message = message
        self.reason = reason
    }

    /// From the client library.
    ///
    /// - Parameter command: what was under way and can be repeated, if it changes anything.
    init(_ error: UsherError, again command: String? = nil) {
        let again = command.map { "To know, and without it happening twice: \($0) (and the same options)" }
        switch error {
        case .connection(let sentence): self.init(.unreachable, sentence)
        case .cancelled, .closed:
            let maybe = again.map { " The command may have been carried out. \($0)" } ?? ""
            self.init(.interrupted, "Interrupted.\(maybe)")
        case .refused(let status):
            let isUnknown = status.details?.mayHaveHappened == true || error.reason == .outcomeUnknown
            let next = isUnknown ? again : error.reason.flatMap { Self.nextStep($0, status.details) }
            let message = [error.description, next].compactMap { $0 }.joined(separator: " ")
            self.init(Self.exitStatus(error.reason), message, reason: status.reason)
        }
    }

    static func exitStatus(_ reason: Reason?) -> ExitStatus {
        switch reason {
        case .tokenWaiting, .tokenMissing, .tokenEnded, .unknownToken: .notYourTurn
        default: .refused
        }
    }

    /// What to type next.
    static func nextStep(_ reason: Reason, _ details: ErrorDetails?) -> String? {
        switch reason {
        case .tokenMissing, .unknownToken: "(usher join CONCERT)"
        case .tokenWaiting: "Keep usher join running; it tells when it is your turn."
        case .tokenEnded: "(usher join CONCERT)"
        case .tokenInvalid: "(usher join CONCERT)"
        case .seatTaken, .seatContended, .unknownSeat: "What is free: usher seats PERFORMANCE"
        case .soldOut: "Holds that run out: usher seats PERFORMANCE --watch"
        case .insufficientBalance: "(usher charge \(details?.missingAmount ?? 0))"
        case .unknownConcert: "What there is: usher concerts"
        case .unknownPerformance: "What there is: usher dates CONCERT"
        case .unknownReservation, .reservationNotHeld: "Yours: usher history"
        case .operatorsOnly: "Name the server's data folder with --data, or give an operator's JWT with --jwt-file."
        case .identityMissing, .identityInvalid, .identityExpired:
            "On a development server say --user NAME; elsewhere give a fresh JWT with --jwt-file."
        case .lineScheduled:
            details.flatMap { $0.opensMs > 0 ? "It opens \(Format.time($0.opensMs))." : nil }
        default: nil
        }
    }

    /// Prints it: a sentence, or with `--json` an object, to standard error.
    func tell() {
        if asJSON {
            printToError(
                Json.object([
                    ("error", .string(reason.isEmpty ? "\(status)" : reason)), ("message", .string(message)),
                    ("exit_status", .number(UInt64(status.rawValue))),
                ]).description)
        } else if !message.isEmpty {
            printToError(message)
        }
    }
}

func printToError(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}
