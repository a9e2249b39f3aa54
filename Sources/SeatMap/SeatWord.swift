// One seat of one performance, in 64 bits. This is the whole of what is shared between threads about a seat.
//
//   63 62 61                            30 29                           0
//  ┌─────┬────────────────────────────────┬──────────────────────────────┐
//  │state│ holder (HELD, SOLD)            │ version, + 1 at every change │
//  │  2  │ claimant (CLAIMED)          32 │ (mod 2^30)                30 │
//  └─────┴────────────────────────────────┴──────────────────────────────┘
//   0 AVAILABLE  holder is 0             claimant = loop 8 | ticket 24
//   1 CLAIMED
//   2 HELD                 publish (sequencer)
//   3 SOLD         ┌───────────────────────────────────┐
//                  │        ┌────── publish ──────┐    ▼
//             ┌────┴────┐ claim ┌─────────┐ publish ┌──────┐ publish ┌──────┐
//             │AVAILABLE│──────▶│ CLAIMED │────────▶│ HELD │────────▶│ SOLD │
//             │         │◀──────│         │         │      │         │      │
//             └─────────┘ undo, └─────────┘         └──────┘         └──────┘
//                  ▲      settle                        │                │
//                  └──────────────── publish ───────────┴────────────────┘
//
// Loops make the two moves between AVAILABLE and CLAIMED, and the sequencer's settle makes the second of them; every other move is
// the sequencer's publish alone, which goes straight from any state to any other of the three it knows. Who claims, and in which
// memory order words are read and changed, is argued at the head of SeatShard.swift.

/// What the world may know of a seat. A claim is not among it: it reads as available.
public enum SeatState: UInt8, Sendable, CaseIterable {
    case available, held, sold
}

/// Who claims: a loop and the number it gives the call.
public struct ClaimID: Hashable, Sendable {
    /// Loop in the upper 8 bits, ticket in the lower 24.
    let bits: UInt32

    /// A claim of this loop. Of the ticket the lower 24 bits count: a loop counts up and wraps around.
    ///
    /// - Precondition: `0 ≤ loop < 256`.
    public init(loop: Int, ticket: UInt32) {
        precondition((0..<256).contains(loop), "a claimant has 8 bits for its loop")
        bits = UInt32(loop) << 24 | ticket & 0xFF_FFFF
    }

    init(bits: UInt32) { self.bits = bits }

    /// The loop, 0…255.
    public var loop: Int { Int(bits >> 24) }
    /// The ticket, 24 bits.
    public var ticket: UInt32 { bits & 0xFF_FFFF }
}

/// A seat's word as it was at one moment.
public struct SeatWord: Hashable, Sendable {
    /// The 64 bits drawn at the head of this file.
    let bits: UInt64

    /// The four states inside; `SeatState` is what leaves the module.
    enum Tag: UInt64 {
        case available, claimed, held, sold
    }

    static let versionMask: UInt64 = 1 << 30 - 1

    init(bits: UInt64) { self.bits = bits }

    init(_ tag: Tag, _ owner: UInt32, version: UInt64) {
        bits = tag.rawValue << 62 | UInt64(owner) << 30 | version & Self.versionMask
    }

    var tag: Tag {
        // Two bits have four values, all of them cases.
        Tag(rawValue: bits >> 62)!
    }

    var owner: UInt32 { UInt32(truncatingIfNeeded: bits >> 30) }

    /// Available (claimed or not), held or sold.
    public var state: SeatState {
        switch tag {
        case .available, .claimed: .available
        case .held: .held
        case .sold: .sold
        }
    }

    /// Who is just claiming the seat, if anyone.
    public var claimant: ClaimID? { tag == .claimed ? ClaimID(bits: owner) : nil }

    /// Whoever `publish` named, for a seat held or sold.
    public var holder: UInt32? { state == .available ? nil : owner }

    /// Grows by one, modulo 2^30, with every change of the word.
    public var version: UInt32 { UInt32(bits & Self.versionMask) }

    /// The word after a change.
    func next(_ tag: Tag, _ owner: UInt32) -> SeatWord { SeatWord(tag, owner, version: bits &+ 1) }
}
