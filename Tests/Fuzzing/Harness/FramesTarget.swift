import UsherAPI
import Wire

@testable import Calls

// The frame codec: one WebSocket message is split into frames, and the bodies of OPEN, MESSAGE and CLOSE are read in place.
//
//   body limit (two bytes), then the message
//
// Held: the frames put together again are the message's bytes up to the fault; a fault names the first byte of its frame;
// what is read in place is what the messages read, refusals included; packing whole frames never cuts one.

extension FuzzTarget {
    static let frames = FuzzTarget("frames", bytesMax: 4096) { bytes throws(Finding) in
        var script = Script(bytes)
        let bodyBytesMax = script.word()
        let message = script.remainder()
        var rebuilt: [UInt8] = []
        var ends: [Int] = []
        var fault: FrameError?
        var reader = FrameReader(message.rawSpan, bodyBytesMax: bodyBytesMax)
        do throws(FrameError) {
            while let frame = try reader.next() {
                frame.header.append(to: &rebuilt)
                rebuilt += [UInt8](copying: frame.body)
                ends.append(rebuilt.count)
            }
        } catch {
            fault = error
        }
        try demand(message.starts(with: rebuilt), "other frames were read")
        if let fault {
            try check(fault, behind: rebuilt.count, of: message, bodyBytesMax)
        } else {
            try demandEqual(rebuilt.count, message.count, "bytes read")
        }
        var again = FrameReader(rebuilt.rawSpan, bodyBytesMax: bodyBytesMax)
        while let frame = try? again.next() { try checkViews([UInt8](copying: frame.body)) }
        try checkPacking(rebuilt, ends, bytesMax: bodyBytesMax)
    }
}

private func check(
    _ fault: FrameError, behind start: Int, of message: [UInt8], _ bodyBytesMax: Int
) throws(Finding) {
    let left = message.count - start
    switch fault {
    case .empty: try demandEqual(message.count, 0, "an empty message")
    case .truncatedHeader(let at):
        try demandEqual(at, start, "place")
        try demand((1..<FrameHeader.byteCount).contains(left), "\(left) bytes are left")
    case .bodyPastEnd(let at), .reservedFlag(let at): try demandEqual(at, start, "place")
    case .tooLarge(let at, let byteCount):
        try demandEqual(at, start, "place")
        try demand(byteCount > bodyBytesMax, "\(byteCount) bytes are not too many")
    }
}

/// What a view saw, in the shape of what the message says.
private func seenOpen(_ body: RawSpan) throws(WireError) -> (open: Open, metadataBytes: Int, token: [UInt8]?) {
    let view = try OpenView(body)
    let open = Open(
        method: String(utf8: view.method) ?? "not UTF-8", timeoutMs: view.timeoutMs, requestId: view.requestID,
        attempts: view.attempts, credit: view.credit, lastSequence: view.lastSequence, position: view.position,
        request: [UInt8](copying: view.request))
    var token: [UInt8]?
    if let value = view.metadata("queue-token") { token = [UInt8](copying: value) }
    return (open, view.metadataByteCount, token)
}

private func seenMessage(_ body: RawSpan) throws(WireError) -> Message {
    let view = try MessageView(body)
    return Message(
        sequence: view.sequence, position: view.position, reset: view.reset, payload: [UInt8](copying: view.payload))
}

private func seenClose(_ body: RawSpan) throws(WireError) -> Close {
    let view = try CloseView(body)
    return Close(
        code: view.status.code, reason: view.status.reason, message: view.status.message, details: view.status.details,
        trailers: view.trailers, position: view.position, payload: [UInt8](copying: view.payload))
}

/// Any body may be that of any kind.
private func checkViews(_ body: [UInt8]) throws(Finding) {
    let open = Result { () throws(WireError) in try Open(decoding: body) }
    let seen = Result { () throws(WireError) in try seenOpen(body.rawSpan) }
    switch (open, seen) {
    case (.success(var open), .success(let seen)):
        try demandEqual(
            seen.metadataBytes, open.metadata.reduce(0) { $0 + $1.key.utf8.count + $1.value.count }, "bytes of metadata")
        try demandEqual(seen.token, open.metadata.last { $0.key == "queue-token" }?.value, "metadata")
        open.metadata = []
        try demandEqual(seen.open, open, "OPEN")
    case (.failure(let one), .failure(let other)): try demandEqual(other, one, "OPEN")
    default: throw Finding("OPEN: \(seen) is not \(open)")
    }
    let message = Result { () throws(WireError) in try Message(decoding: body) }
    try demandEqual(Result { () throws(WireError) in try seenMessage(body.rawSpan) }, message, "MESSAGE")
    let close = Result { () throws(WireError) in try Close(decoding: body) }
    try demandEqual(Result { () throws(WireError) in try seenClose(body.rawSpan) }, close, "CLOSE")
}

/// Frames are put into as few messages as the limit allows, and none is cut or lost.
private func checkPacking(_ frames: [UInt8], _ ends: [Int], bytesMax: Int) throws(Finding) {
    let bytesMax = bytesMax + FrameHeader.byteCount
    var start = 0
    while start < frames.count {
        let count = frames.rawSpan.extracting(droppingFirst: start).wholeFrames(within: bytesMax)
        try demand(count > 0 && count <= bytesMax, "\(count) bytes of frames, \(bytesMax) allowed")
        try demand(ends.contains(start + count), "a frame is cut at \(start + count)")
        let next = ends.first { $0 > start + count }
        try demand(next == nil || next! - start > bytesMax, "there was room for one more")
        start += count
    }
}
