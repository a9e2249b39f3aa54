internal import Reactor

/// A thread with an event loop, for clients. One is enough for a process; `UsherClient` takes the shared one unless told
/// otherwise.
public final class ClientLoop: Sendable {
    typealias Job = @Sendable (ClientHub) -> Void

    private let mailbox: Mailbox<Job>

    /// Jobs that may wait for the loop: far more than programs have calls, and a bound all the same.
    private static let jobsMax = 65_536

    /// Starts the thread. It lives as long as the process.
    ///
    /// - Throws: `UsherError.connection` when the system has no room for it.
    public init() throws(UsherError) {
        let mailbox = Mailbox<Job>(capacity: Self.jobsMax)
        self.mailbox = mailbox
        do throws(SystemError) {
            let loop = try EventLoop()
            _ = try Thread.start(name: "usher-client") {
                let hub = ClientHub(loop: loop)
                loop.attach(mailbox) { jobs in
                    for job in jobs { job(hub) }
                }
                loop.run()
            }
        } catch {
            throw .connection("The system has no room for a client (\(error)). Raise the limits of this process (ulimit -n).")
        }
    }

    private static let sharedResult = Result<ClientLoop, UsherError> { () throws(UsherError) in try ClientLoop() }

    /// The process's own.
    public static func shared() throws(UsherError) -> ClientLoop { try sharedResult.get() }

    /// Runs the job on the loop, after those given before.
    ///
    /// - Returns: false when too many wait; it will not run then.
    func post(_ job: @escaping Job) -> Bool { mailbox.send(job) }
}
