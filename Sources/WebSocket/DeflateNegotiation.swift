// The negotiation of permessage-deflate, RFC 7692 section 7.1, for an endpoint that keeps no compression
// state between messages:
//
//   parameter                    in an offer                        in our response
//   server_no_context_takeover   taken up, offered or not           always
//   client_no_context_takeover   taken up, offered or not           always
//   server_max_window_bits=8–15  limits what we send                the same value, if it was offered
//   client_max_window_bits[=8–15] not needed: we inflate any window  never
//
// An offer with an unknown, repeated or ill-valued parameter is declined, and the next one looked at.

enum DeflateNegotiation {
    static let name = "permessage-deflate"
    /// What our client offers. It leaves client_max_window_bits out, so that a server cannot ask for less.
    static let clientOffer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

    /// The server's side: takes the first acceptable offer.
    ///
    /// - Returns: what was agreed, and the value of the response's Sec-WebSocket-Extensions; nil for no compression.
    static func accept(_ offers: [WebSocketExtension]) -> (agreement: DeflateAgreement, response: String)? {
        for offer in offers where offer.name == name {
            guard let parameters = Parameters(offer, isOffer: true) else { continue }
            guard let bits = parameters.serverMaxWindowBits else { return (DeflateAgreement(sendWindowBits: 15), clientOffer) }
            return (DeflateAgreement(sendWindowBits: bits), "\(clientOffer); server_max_window_bits=\(bits)")
        }
        return nil
    }

    /// The client's side: checks the response to `clientOffer`.
    ///
    /// - Returns: what was agreed; nil if the response is not a valid answer to our offer.
    static func check(_ response: WebSocketExtension) -> DeflateAgreement? {
        // Without server_no_context_takeover the server has not accepted the offer (section 7.1.1.1).
        guard response.name == name, let parameters = Parameters(response, isOffer: false),
            parameters.serverNoContextTakeover, !parameters.hasClientMaxWindowBits
        else { return nil }
        return DeflateAgreement(sendWindowBits: 15)
    }

    private struct Parameters {
        var serverNoContextTakeover = false
        var clientNoContextTakeover = false
        var serverMaxWindowBits: UInt8?
        var hasClientMaxWindowBits = false

        /// Nil if a parameter is unknown, repeated or has a value that it must not have.
        init?(_ extension: WebSocketExtension, isOffer: Bool) {
            for parameter in `extension`.parameters {
                switch parameter.name {
                case "server_no_context_takeover":
                    guard !serverNoContextTakeover, parameter.value == nil else { return nil }
                    serverNoContextTakeover = true
                case "client_no_context_takeover":
                    guard !clientNoContextTakeover, parameter.value == nil else { return nil }
                    clientNoContextTakeover = true
                case "server_max_window_bits":
                    guard serverMaxWindowBits == nil, let bits = Self.windowBits(parameter.value) else { return nil }
                    serverMaxWindowBits = bits
                case "client_max_window_bits":
                    // In an offer the value may be missing: the client then only says that it knows the parameter.
                    guard !hasClientMaxWindowBits, isOffer && parameter.value == nil || Self.windowBits(parameter.value) != nil
                    else { return nil }
                    hasClientMaxWindowBits = true
                default:
                    return nil
                }
            }
        }

        /// A decimal number from 8 to 15 without leading zeros.
        private static func windowBits(_ value: String?) -> UInt8? {
            (8...15).first { "\($0)" == value }
        }
    }
}
