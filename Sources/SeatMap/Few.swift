/// A list that needs no allocation for up to one element: most people want one seat.
public struct Few<Element: Sendable & Hashable>: RandomAccessCollection, Hashable, Sendable, ExpressibleByArrayLiteral {
    private let first: Element?
    /// What comes after the first; an empty array owns no memory.
    private let rest: [Element]

    /// A list of one.
    public init(one element: Element) {
        first = element
        rest = []
    }

    /// The same elements in the same order.
    public init(_ elements: some Sequence<Element>) {
        var iterator = elements.makeIterator()
        first = iterator.next()
        var rest: [Element] = []
        while let element = iterator.next() { rest.append(element) }
        self.rest = rest
    }

    /// The same elements in the same order.
    public init(arrayLiteral elements: Element...) { self.init(elements) }

    /// 0.
    public var startIndex: Int { 0 }
    /// The number of elements.
    public var endIndex: Int { first == nil ? 0 : rest.count + 1 }

    /// The element at a position from 0 on.
    public subscript(position: Int) -> Element {
        precondition(position >= 0 && position < endIndex, "position out of bounds")
        return position == 0 ? first! : rest[position - 1]
    }
}
