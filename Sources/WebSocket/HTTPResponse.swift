/// The statuses that are answered here.
public enum HTTPStatus: Int, Sendable {
    case switchingProtocols = 101
    case ok = 200
    case badRequest = 400
    case forbidden = 403
    case notFound = 404
    case methodNotAllowed = 405
    case requestTimeout = 408
    case upgradeRequired = 426
    case headerFieldsTooLarge = 431
    case serviceUnavailable = 503
    case versionNotSupported = 505

    /// The reason phrase of RFC 9110 section 15 and RFC 6585.
    public var phrase: String {
        switch self {
        case .switchingProtocols: "Switching Protocols"
        case .ok: "OK"
        case .badRequest: "Bad Request"
        case .forbidden: "Forbidden"
        case .notFound: "Not Found"
        case .methodNotAllowed: "Method Not Allowed"
        case .requestTimeout: "Request Timeout"
        case .upgradeRequired: "Upgrade Required"
        case .headerFieldsTooLarge: "Request Header Fields Too Large"
        case .serviceUnavailable: "Service Unavailable"
        case .versionNotSupported: "HTTP Version Not Supported"
        }
    }
}

/// A request that is answered with an error status; the connection is closed after it.
public protocol HTTPRefusal: Error, Sendable, Equatable {
    var status: HTTPStatus { get }
    /// What was wrong, and what is allowed.
    var sentence: String { get }
    /// Fields that the status demands.
    var fields: [(name: String, value: String)] { get }
}

extension HTTPRefusal {
    public var fields: [(name: String, value: String)] { [] }

    /// The whole response.
    ///
    /// - Parameter includesBody: false for the answer to HEAD.
    public func response(includesBody: Bool = true) -> [UInt8] {
        HTTPResponse.encode(
            status, fields: [("Content-Type", "text/plain; charset=utf-8")] + fields, body: Array("\(sentence)\n".utf8),
            includesBody: includesBody)
    }
}

/// Makes HTTP/1.1 responses.
public enum HTTPResponse {
    /// A whole response with its Content-Length, after which the connection is closed.
    ///
    /// - Parameter includesBody: false for the answer to HEAD, which tells the length only.
    public static func encode(
        _ status: HTTPStatus, fields: [(name: String, value: String)] = [], body: [UInt8] = [], includesBody: Bool = true
    ) -> [UInt8] {
        // RFC 9110 section 7.8: who sends Upgrade names it in Connection.
        let connection = fields.contains { $0.name == "Upgrade" } ? "close, Upgrade" : "close"
        let length = [("Content-Length", "\(body.count)"), ("Connection", connection)]
        return head("HTTP/1.1 \(status.rawValue) \(status.phrase)", fields + length) + (includesBody ? body : [])
    }

    /// A start line and fields. What would end a line early is our own bug.
    static func head(_ startLine: String, _ fields: [(name: String, value: String)]) -> [UInt8] {
        var text = startLine + "\r\n"
        for (name, value) in fields {
            precondition(!name.isEmpty && name.utf8.allSatisfy(\.isTokenCharacter))
            precondition(value.utf8.allSatisfy { $0 >= .space && $0 != .delete || $0 == .tab })
            text += "\(name): \(value)\r\n"
        }
        return Array((text + "\r\n").utf8)
    }
}
