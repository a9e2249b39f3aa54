internal import CLinux
internal import Glibc

/// A POSIX thread with a name, that runs one closure to its end.
@safe public final class Thread: @unchecked Sendable {
    // Unchecked: the handle is written before the thread is shared, and `join` may be called once, by its owner.
    private let handle: pthread_t

    private init(handle: pthread_t) { self.handle = handle }

    /// Starts a thread.
    /// - Parameters:
    ///   - name: shown by `ps -L` and debuggers; the first 15 bytes count.
    ///   - body: runs on the new thread; what it captures goes with it.
    /// - Throws: `SystemError` when the system has no room for a thread.
    public static func start(name: String, _ body: sending @escaping () -> Void) throws(SystemError) -> Thread {
        let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
        var handle = pthread_t()
        let code = unsafe pthread_create(
            &handle, nil,
            { argument in
                // Retained once for this thread, which takes it over.
                let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                unsafe linux_name_this_thread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            unsafe start.release()
            throw SystemError("start thread \(name)", code: code)
        }
        return Thread(handle: handle)
    }

    /// Waits until the thread has ended. Call it exactly once; a thread never joined keeps its stack.
    public func join() {
        let code = pthread_join(handle, nil)
        precondition(code == 0, "a thread is joined once, and not by itself")
    }

    private final class Start {
        let name: String
        let body: () -> Void
        init(name: String, body: @escaping () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
