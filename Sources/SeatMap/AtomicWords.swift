import Synchronization

/// A fixed number of 64-bit atomic words on cache lines that nothing else shares.
///
/// The one place of this module with a pointer: allocated once, initialised whole, freed with the owner, every index checked.
@safe struct AtomicWords: ~Copyable, @unchecked Sendable {
    // Sendable: the pointer never changes, and what it points to is atomics only.
    private let words: UnsafeMutableBufferPointer<Atomic<UInt64>>

    /// Two lines of 64 bytes, since x86's adjacent-line prefetch and some ARM cores move pairs.
    static let lineByteCount = 128

    /// So many words of zero.
    init(count: Int) {
        precondition(count > 0)
        let byteCount = (count * MemoryLayout<UInt64>.size + Self.lineByteCount - 1) / Self.lineByteCount * Self.lineByteCount
        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: Self.lineByteCount)
        // The memory is new, large enough, and aligned more strictly than an atomic word needs (8).
        let first = unsafe memory.bindMemory(to: Atomic<UInt64>.self, capacity: count)
        for index in 0..<count { unsafe (first + index).initialize(to: Atomic(0)) }
        unsafe words = UnsafeMutableBufferPointer(start: first, count: count)
    }

    deinit {
        unsafe words.deinitialize()
        unsafe UnsafeMutableRawPointer(words.baseAddress!).deallocate()
    }

    var count: Int { unsafe words.count }

    /// The word, with everything its writer did before (acquiring: pairs with the releases below).
    func load(_ index: Int) -> UInt64 { unsafe words[checked(index)].load(ordering: .acquiring) }

    /// Writes the word for its only writer (releasing: pairs with `load`).
    func store(_ value: UInt64, at index: Int) { unsafe words[checked(index)].store(value, ordering: .releasing) }

    /// Replaces `expected` by `desired`; returns what was found, which equals `expected` exactly if it was replaced.
    ///
    /// Acquiring and releasing on success, acquiring on failure: pairs with `load` and with other exchanges.
    func compareExchange(_ index: Int, expected: UInt64, desired: UInt64) -> UInt64 {
        unsafe words[checked(index)].compareExchange(
            expected: expected, desired: desired, successOrdering: .acquiringAndReleasing, failureOrdering: .acquiring
        ).original
    }

    /// The buffer pointer checks its bounds in debug builds only; this check stays.
    private func checked(_ index: Int) -> Int {
        precondition(index >= 0 && index < count, "no such word")
        return index
    }
}
