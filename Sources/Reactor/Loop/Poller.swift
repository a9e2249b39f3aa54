internal import CLinux
internal import Glibc

/// What an event may belong to.
enum EventSource {
    case connection(Connection)
    case listener(Listener)
    case waker
}

/// Names a registration: the slot in the low half, the slot's generation in the high half. It travels in epoll's user data,
/// so an event left over from a closed descriptor finds another generation and reaches nobody.
struct Registration: Equatable {
    var value: UInt64
    var slot: Int { Int(truncatingIfNeeded: value & 0xffff_ffff) }
    var generation: UInt32 { UInt32(truncatingIfNeeded: value >> 32) }
}

/// Level-triggered epoll(7) and the table of what is registered.
@safe struct Poller: ~Copyable {
    static let readable = EPOLLIN.rawValue
    static let writable = EPOLLOUT.rawValue
    /// Always reported, whether asked for or not.
    static let broken = EPOLLERR.rawValue | EPOLLHUP.rawValue

    private struct Slot {
        var generation: UInt32 = 0
        var source: EventSource?
    }

    private let epoll: Descriptor
    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    private let events: UnsafeMutableBufferPointer<epoll_event>

    init(eventsPerTurn: Int) throws(SystemError) {
        epoll = try Descriptor(epoll_create1(Int32(EPOLL_CLOEXEC)), from: "epoll_create1")
        unsafe events = .allocate(capacity: eventsPerTurn)
        unsafe events.initialize(repeating: epoll_event())
    }

    deinit { unsafe events.deallocate() }

    /// Registers a descriptor for these events.
    mutating func add(_ descriptor: Int32, _ interest: UInt32, _ source: EventSource) throws(SystemError) -> Registration {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = Int(free)
        } else {
            slot = slots.count
            slots.append(Slot())
        }
        let registration = Registration(value: UInt64(slots[slot].generation) << 32 | UInt64(slot))
        guard control(EPOLL_CTL_ADD, descriptor, interest, registration) else {
            let code = errno
            freeSlots.append(UInt32(slot))
            throw SystemError("epoll_ctl", code: code)
        }
        slots[slot].source = source
        return registration
    }

    /// Changes what a registered descriptor waits for.
    func modify(_ descriptor: Int32, _ interest: UInt32, _ registration: Registration) {
        let changed = control(EPOLL_CTL_MOD, descriptor, interest, registration)
        precondition(changed, "a registered descriptor can be modified")
    }

    /// Forgets a registration; the caller closes the descriptor, which takes it out of epoll.
    mutating func remove(_ registration: Registration) {
        slots[registration.slot].source = nil
        slots[registration.slot].generation &+= 1
        freeSlots.append(UInt32(registration.slot))
    }

    /// Forgets a registration whose descriptor stays open.
    mutating func forget(_ descriptor: Int32, _ registration: Registration) {
        _ = control(EPOLL_CTL_DEL, descriptor, 0, registration)
        remove(registration)
    }

    /// Whom an event belongs to; nil when it is stale.
    func source(of registration: Registration) -> EventSource? {
        let slot = slots[registration.slot]
        return slot.generation == registration.generation ? slot.source : nil
    }

    /// Waits for events. Returns how many there are, at most `eventsPerTurn`; epoll hands out the rest in turn.
    func wait(upTo milliseconds: Int32) -> Int {
        let count = unsafe epoll_wait(epoll.raw, events.baseAddress!, Int32(events.count), milliseconds)
        // EINTR is the only failure that a valid epoll descriptor can have.
        return max(0, Int(count))
    }

    func event(_ index: Int) -> (registration: Registration, flags: UInt32) {
        let event = unsafe events[index]
        return unsafe (Registration(value: event.data.u64), event.events)
    }

    /// All that is registered, for shutting down.
    var sources: [EventSource] { slots.compactMap(\.source) }

    private func control(_ operation: Int32, _ descriptor: Int32, _ interest: UInt32, _ registration: Registration) -> Bool {
        var event = unsafe epoll_event(events: interest, data: epoll_data_t(u64: registration.value))
        return unsafe epoll_ctl(epoll.raw, operation, descriptor, &event) == 0
    }
}
