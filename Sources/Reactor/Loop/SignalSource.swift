internal import CLinux
internal import Glibc

/// Signals as events of a loop: signalfd(2), so no handler runs at an arbitrary moment.
public final class SignalSource {
    private let descriptor: Descriptor
    private let handle: (Int32) -> Void
    private var registration: Registration?

    /// Blocks signals in this thread and in those it starts later. Call it first in `main`, for signals are delivered to any
    /// thread that does not block them.
    public static func block(_ signals: [Int32]) {
        let code = unsafe linux_block_signals(signals, Int32(signals.count))
        precondition(code == 0, "these are signals")
    }

    fileprivate init(_ signals: [Int32], _ handle: @escaping (Int32) -> Void) throws(SystemError) {
        descriptor = try Descriptor(unsafe linux_signal_descriptor(signals, Int32(signals.count)), from: "signalfd")
        self.handle = handle
    }

    fileprivate func register(in loop: EventLoop) throws(SystemError) {
        registration = try loop.poller.add(descriptor.raw, Poller.readable, .signals(self))
    }

    func deliver() {
        var info = signalfd_siginfo()
        while unsafe read(descriptor.raw, &info, MemoryLayout<signalfd_siginfo>.size) == MemoryLayout<signalfd_siginfo>.size {
            handle(Int32(bitPattern: info.ssi_signo))
        }
    }
}

extension EventLoop {
    /// Calls `handle` on the loop for each of these signals, which `SignalSource.block` has blocked before in every thread.
    public func onSignals(_ signals: [Int32], _ handle: @escaping (Int32) -> Void) throws(SystemError) {
        try SignalSource(signals, handle).register(in: self)
    }
}
