import Calls
import Foundation
import Testing
import WebSocket

@testable import Reactor
@testable import Server

/// The numbers of docs/threat-model.md.
@Suite struct `limits of the threat model` {
    private static var values: [String: String] {
        let listener = ListenerLimits()
        let loop = LoopLimits()
        let visitor = CallLimits.visitor
        let numbers: [(name: String, value: any BinaryInteger)] = [
            ("ServerSettings.connectionsMax", ServerSettings().connectionsMax),
            ("ListenerLimits.silentMax", listener.silentMax),
            ("ListenerLimits.silentGraceMilliseconds", listener.silentGraceMilliseconds),
            ("ListenerLimits.helloBytesMax", listener.helloBytesMax),
            ("ListenerLimits.handshakesMax", listener.handshakesMax),
            ("ListenerLimits.exhaustedPauseMilliseconds", listener.exhaustedPauseMilliseconds),
            ("TLSSession.ownMessagesMax", TLSSession.ownMessagesMax),
            ("LoopLimits.handshakesPerTurn", loop.handshakesPerTurn), ("LoopLimits.receiveBytesMax", loop.receiveBytesMax),
            ("LoopLimits.lingerMilliseconds", loop.lingerMilliseconds),
            ("ListeningPort.sendBufferBytes", ListeningPort.sendBufferBytes),
            ("HTTPHeadReader.bytesMax", HTTPHeadReader.bytesMax), ("HTTPHeadReader.fieldsMax", HTTPHeadReader.fieldsMax),
            ("CallLimits.handshakeMilliseconds", visitor.handshakeMilliseconds),
            ("CallLimits.upgradeMilliseconds", visitor.upgradeMilliseconds),
            ("CallLimits.helloMilliseconds", visitor.helloMilliseconds),
            ("CallLimits.pingMilliseconds", visitor.pingMilliseconds), ("CallLimits.messageBytes", visitor.messageBytes),
            ("CallLimits.messageFragments", visitor.messageFragments), ("CallLimits.frameBytes", visitor.frameBytes),
            ("CallLimits.metadataBytes", visitor.metadataBytes), ("CallLimits.runningCalls", visitor.runningCalls),
            ("CallLimits.backend.runningCalls", CallLimits.backend.runningCalls),
            ("CallLimits.outputBytes", visitor.outputBytes), ("CallLimits.tokenStreams", visitor.tokenStreams),
            ("CallLimits.resumeChanges", visitor.resumeChanges), ("CallLimits.requestIDs", visitor.requestIDs),
            ("Gateway.pendingMax", Gateway.pendingMax), ("Gateway.bearersMax", Gateway.bearersMax),
            ("QueueTokens.rememberedMax", QueueTokens.rememberedMax),
            ("QueueTokens.passLifetimeMilliseconds", QueueTokens.passLifetimeMilliseconds),
        ]
        let rates: [(String, RateLimit)] = [
            ("CallLimits.opens", visitor.opens), ("CallLimits.refusals", visitor.refusals),
            ("CallLimits.cancels", visitor.cancels), ("CallLimits.pings", visitor.pings),
            ("CallLimits.falseProofs", visitor.falseProofs), ("CallLimits.bytes", visitor.bytes),
        ]
        let texts =
            numbers.map { ($0.name, grouped(Int("\($0.value)") ?? -1)) }
            + rates.map { ($0.0, "\(grouped(Int($0.1.perSecond)))/s, \(grouped(Int($0.1.burst))) at once") }
        return Dictionary(uniqueKeysWithValues: texts)
    }

    /// With a comma before each three digits.
    private static func grouped(_ number: Int) -> String {
        let digits = Array("\(number)")
        return digits.indices.map { ($0 > 0 && (digits.count - $0) % 3 == 0 ? "," : "") + "\(digits[$0])" }.joined()
    }

    @Test func `each number of the page is the code's, and none is missing`() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../docs/threat-model.md")
        let page = try String(contentsOf: file, encoding: .utf8)
        var told: [String: String] = [:]
        for match in page.matches(of: /\| `(\w+\.[\w.]+)` \| ([^|]+) \|/) { told[String(match.1)] = String(match.2) }
        #expect(told == Self.values)
    }
}
