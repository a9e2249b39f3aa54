import UsherAPI
import Wire

// What both sides ask of every frame they know.

/// What a kind of frame belongs to.
enum FrameScope {
    case connection, call
}

extension Frame {
    var kind: FrameKind { header.frameKind }

    /// Checks call id and END flag of a frame of a known kind; the call id, 0 for one of the connection.
    @discardableResult
    func check(_ scope: FrameScope) throws(ConnectionViolation) -> UInt32 {
        guard (header.callID == 0) == (scope == .connection) else { throw .callID(kind) }
        guard header.flags.contains(.end) == (kind == .close) else { throw .endFlag(kind) }
        return header.callID
    }

    func decoded<Body: WireMessage>(_ type: Body.Type) throws(ConnectionViolation) -> Body {
        do throws(WireError) {
            return try Body(decoding: body)
        } catch {
            throw .body(kind, error)
        }
    }
}

extension FrameReader {
    @_lifetime(copy self)
    mutating func nextFrame() throws(ConnectionViolation) -> Frame? {
        do throws(FrameError) {
            return try next()
        } catch {
            throw .framing(error)
        }
    }
}
