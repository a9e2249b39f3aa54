import Foundation

// protobuf's JSON form, with the field names of the `.proto` files: the meanings in protocol/vectors. Numbers of 64
// bits are strings, bytes are base64, enums go by name.

/// A JSON value. Numbers stay text.
enum JSON: Decodable {
    case text(String)
    case number(UInt64)
    case bool(Bool)
    case array([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(UInt64.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }
}

extension ProtoRecord {
    /// What `json` says as a message of `type`.
    init(_ json: [String: JSON], type: String) {
        self.init(type: type)
        var unused = Set(json.keys)
        for field in ProtoSchema.usher.messages[type]! {
            guard let value = json[field.name] else { continue }
            unused.remove(field.name)
            let values = if field.isRepeated, case .array(let elements) = value { elements } else { [value] }
            entries.append(Entry(field: field, values: values.map { ProtoValue($0, field) }))
        }
        precondition(unused.isEmpty, "\(type) has no field \(unused)")
    }
}

extension ProtoValue {
    fileprivate init(_ json: JSON, _ field: ProtoField) {
        switch (field.kind, json) {
        case (.uint32, .number(let number)): self = .number(number)
        case (.uint64, .text(let digits)), (.fixed64, .text(let digits)): self = .number(UInt64(digits)!)
        case (.bool, .bool(let value)): self = .number(value ? 1 : 0)
        case (.string, .text(let text)): self = .bytes(Array(text.utf8))
        case (.bytes, .text(let text)): self = .bytes([UInt8](Data(base64Encoded: text)!))
        case (.enumeration(let name), .text(let value)):
            self = .number(UInt64(bitPattern: Int64(ProtoSchema.usher.enums[name]![value]!)))
        case (.enumeration, .number(let number)): self = .number(number)
        case (.message(let type), .object(let json)): self = .record(ProtoRecord(json, type: type))
        default: preconditionFailure("\(field.name) cannot be \(json)")
        }
    }
}
