/// A property that an input has shown not to hold.
public struct Finding: Error, CustomStringConvertible {
    /// What should have been, and what was.
    public let description: String

    /// A finding in these words.
    public init(_ description: String) { self.description = description }
}

/// Goes on only if the property holds.
func demand(_ holds: Bool, _ otherwise: @autoclosure () -> String) throws(Finding) {
    guard holds else { throw Finding(otherwise()) }
}

/// Goes on only if both are the same.
func demandEqual<Value: Equatable>(
    _ left: Value, _ right: Value, _ what: @autoclosure () -> String
) throws(Finding) {
    guard left == right else { throw Finding("\(what()): \(left) is not \(right)") }
}

/// The value; a finding if making it throws.
func demanded<Value: ~Copyable, Failure: Error>(
    _ what: @autoclosure () -> String, _ make: () throws(Failure) -> Value
) throws(Finding) -> Value {
    do {
        return try make()
    } catch {
        throw Finding("\(what()): \(error)")
    }
}
