import Foundation
import Testing
import UsherAPI

/// protocol/errors.json and the enums say the same.
@Suite struct CatalogueTests {
    struct Catalogue: Decodable {
        struct Code: Decodable { var code: String, number: Int32, meaning: String }
        struct Entry: Decodable { var reason, code, retry, meaning: String, details: [String] }
        struct Range: Decodable { var first, last: UInt16, advice, meaning: String }
        struct Close: Decodable { var code: UInt16, name, advice, meaning: String }

        var retry: [String: String]
        var status_codes: [Code]
        var reasons: [Entry]
        var close_ranges: [Range]
        var close_codes: [Close]
    }

    let catalogue: Catalogue

    init() throws {
        let file = ProtoSchema.repository.appending(path: "protocol/errors.json")
        catalogue = try JSONDecoder().decode(Catalogue.self, from: Data(contentsOf: file))
    }

    @Test func `the status codes are those of the proto files`() {
        let codes = Dictionary(uniqueKeysWithValues: catalogue.status_codes.map { ($0.code, $0.number) })
        #expect(codes == ProtoSchema.usher.enums["StatusCode"]!)
    }

    @Test func `the reasons are the enum's, in its order`() {
        #expect(catalogue.reasons.map(\.reason) == Reason.allCases.map(\.rawValue))
    }

    @Test func `each reason has the code and the retry of the catalogue`() throws {
        for entry in catalogue.reasons {
            let reason = try #require(Reason(rawValue: entry.reason))
            #expect("\(reason.code)" == entry.code.camelCased, "\(entry.reason)")
            #expect(reason.retry.rawValue == entry.retry, "\(entry.reason)")
            #expect(catalogue.retry[entry.retry] != nil, "\(entry.reason)")
            #expect(!entry.meaning.isEmpty)
        }
    }

    @Test func `details are fields of ErrorDetails`() {
        let fields = Set(ProtoSchema.usher.messages["ErrorDetails"]!.map(\.name))
        for entry in catalogue.reasons {
            #expect(fields.isSuperset(of: entry.details), "\(entry.reason)")
        }
    }

    @Test func `a CLOSE made of a reason carries its word and its code`() {
        for reason in Reason.allCases {
            let close = Close(reason, "why", details: ErrorDetails(limit: 1))
            #expect(
                close
                    == Close(
                        code: reason.code, reason: reason.rawValue, message: "why", details: ErrorDetails(limit: 1)))
            #expect(close.knownReason == reason)
        }
        #expect(Close(code: .aborted, reason: "OF_THE_FUTURE").knownReason == nil)
    }

    @Test func `close codes are the constants', each with the advice of its range`() throws {
        let named: [String: CloseCode] = [
            "NORMAL": .normal, "GOING_AWAY": .goingAway, "PROTOCOL_ERROR": .protocolError,
            "UNSUPPORTED_DATA": .unsupportedData, "NO_STATUS": .noStatus, "ABNORMAL": .abnormal,
            "INVALID_PAYLOAD": .invalidPayload, "POLICY_VIOLATION": .policyViolation,
            "MESSAGE_TOO_BIG": .messageTooBig, "INTERNAL_ERROR": .internalError,
            "HELLO_TIMEOUT": .helloTimeout, "SILENT": .silent, "RATE_LIMITED": .rateLimited,
            "MALFORMED_FRAME": .malformedFrame, "MALFORMED_BODY": .malformedBody, "UNKNOWN_FRAME": .unknownFrame,
            "MISPLACED_FRAME": .misplacedFrame, "HELLO_EXPECTED": .helloExpected,
            "CALL_ID_NOT_GROWING": .callIDNotGrowing, "UNKNOWN_CALL": .unknownCall, "FRAME_TOO_LARGE": .frameTooLarge,
            "IDENTITY_REFUSED": .identityRefused, "SHUTTING_DOWN": .shuttingDown, "INSTANCE_FAILED": .instanceFailed,
            "REBALANCING": .rebalancing,
        ]
        #expect(Set(catalogue.close_codes.map(\.name)) == Set(named.keys))
        for close in catalogue.close_codes {
            let code = try #require(named[close.name])
            #expect(code.rawValue == close.code, "\(close.name)")
            #expect(code.advice.rawValue == close.advice, "\(close.name)")
        }
        #expect(Set(catalogue.close_codes.map(\.code)).count == catalogue.close_codes.count)
    }

    @Test func `ranges give their advice from the first code to the last`() {
        for range in catalogue.close_ranges {
            for code in [range.first, range.last] {
                #expect(CloseCode(rawValue: code).advice.rawValue == range.advice, "\(code)")
            }
        }
        let ranges = catalogue.close_ranges.map { [$0.first, $0.last] }
        #expect(ranges == [[1000, 1015], [4000, 4499], [4500, 4899], [4900, 4999]])
        #expect(CloseCode(rawValue: 3999).advice == .reconnectWithBackoff)
    }
}
