internal import UsherAPI

/// One command of a shopper, under one request id, however often it is sent: what a client remembers of it until it knows what
/// became of it, and what it was told.
final class Deed {
    /// What one copy was told.
    struct Answer {
        let ruling: Ruling
        let position: UInt64
        let at: UInt64
        /// Refused before the journal heard of it.
        let isFromDoor: Bool

        /// Whether a repeat would hear the same.
        fileprivate var isForGood: Bool {
            guard case .refused(let reason) = ruling else { return true }
            return reason.retry == .never || reason.retry == .newRequestID
        }
    }

    let number: Int
    let user: Uuid
    let id: Uuid
    let method: Method
    let request: [UInt8]
    /// For people.
    let what: String
    var firstSentAt: UInt64?
    /// To say with the next copy.
    var attempts: UInt32 = 0
    /// Copies that are on their way or being handled.
    var copies = 0
    /// A copy was lost or given up, so that only the journal can say.
    var isUncertain = false
    var answers: [Answer] = []
    var retryAt: UInt64 = 0

    init(number: Int, user: Uuid, id: Uuid, method: Method, request: [UInt8], what: String) {
        self.number = number
        self.user = user
        self.id = id
        self.method = method
        self.request = request
        self.what = what
    }

    /// What became of it, as far as its shopper can know. A refusal that is not remembered under the id says only what became of
    /// that copy: while another is under way, or was lost, the command may yet be carried out.
    var outcome: Ruling? {
        for answer in answers where answer.ruling.isDone { return answer.ruling }
        for answer in answers where !answer.isFromDoor && answer.isForGood { return answer.ruling }
        return isUncertain || copies > 0 ? nil : answers.last?.ruling
    }

    var isDone: Bool { answers.contains { $0.ruling.isDone } }
    /// Whether nothing more will come. (A Join's copy is its stream, which goes on.)
    var isAtRest: Bool { (copies == 0 || method == .join) && outcome != nil }
    var needsCopy: Bool { copies == 0 && outcome == nil }
}
