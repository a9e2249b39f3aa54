/// Which web pages may connect. A browser sends the page's Origin; anything else may leave it out, and then it is no page
/// (cross-site WebSocket hijacking needs a browser). Compared by scheme, host and port, never by parts of a name.
struct OriginList: Sendable {
    private let allowed: Set<String>
    private let allowsAll: Bool

    /// - Parameter origins: such as `https://tickets.example`; `*` allows every page; none: only pages of the server itself.
    init(_ origins: [String]) {
        allowsAll = origins.contains("*")
        allowed = Set(origins.map(Self.normalised))
    }

    /// - Parameter host: the request's own Host, under which this server's pages are.
    func allow(_ origin: String?, host: String) -> Bool {
        guard let origin, !allowsAll else { return true }
        let normalised = Self.normalised(origin)
        return allowed.contains(normalised) || (allowed.isEmpty && normalised == Self.normalised("https://" + host))
    }

    /// Lower case, without the port that goes without saying.
    private static func normalised(_ origin: String) -> String {
        var text = origin.lowercased()
        if text.hasSuffix("/") { text.removeLast() }
        if text.hasPrefix("https://"), text.hasSuffix(":443") { text.removeLast(4) }
        if text.hasPrefix("http://"), text.hasSuffix(":80") { text.removeLast(3) }
        return text
    }
}
