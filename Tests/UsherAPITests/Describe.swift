import Wire

// What a message says, by reflection: property names and values, defaults left out, in order of declaration. Equal to
// `ProtoRecord.text` when the properties bear the names of the fields, in the fields' order.

func describe(_ message: any WireMessage) -> String {
    "{"
        + Mirror(reflecting: message).children.compactMap { child -> String? in
            guard let text = describe(value: child.value) else { return nil }
            // A oneof stands under its case's name, not under the property's.
            return text.hasPrefix("|") ? String(text.dropFirst()) : child.label! + ":" + text
        }.joined(separator: ",") + "}"
}

/// Nil for a default value.
private func describe(value: Any) -> String? {
    switch value {
    case let number as UInt32: number == 0 ? nil : String(number)
    case let number as UInt64: number == 0 ? nil : String(number)
    case let bool as Bool: bool ? "1" : nil
    case let text as String: text.isEmpty ? nil : element(text)
    case let bytes as [UInt8]: bytes.isEmpty ? nil : element(bytes)
    case let value as any WireEnum: value.rawValue == 0 ? nil : element(value)
    case let values as [any Sendable]: values.isEmpty ? nil : "[" + values.map { element($0) }.joined(separator: ",") + "]"
    case let message as any WireMessage: describe(message)
    default: describe(optional: value)
    }
}

private func describe(optional value: Any) -> String? {
    let mirror = Mirror(reflecting: value)
    precondition(mirror.displayStyle == .optional, "no field has the type \(type(of: value))")
    guard let (_, wrapped) = mirror.children.first else { return nil }
    if let message = wrapped as? any WireMessage { return describe(message) }
    let (label, payload) = Mirror(reflecting: wrapped).children.first!
    return "|" + label! + ":" + element(payload)
}

private func element(_ value: Any) -> String {
    switch value {
    case let number as UInt32: String(number)
    case let number as UInt64: String(number)
    case let text as String: "'" + [UInt8](text.utf8).hex + "'"
    case let bytes as [UInt8]: "'" + bytes.hex + "'"
    case let value as any WireEnum: String(value.rawValue)
    case let message as any WireMessage: describe(message)
    default: preconditionFailure("no element has the type \(type(of: value))")
    }
}
