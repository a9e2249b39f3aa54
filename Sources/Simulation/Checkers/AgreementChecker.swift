/// All instances have the same digest at the same position, and it is the witness's.
final class AgreementChecker {
    private var digests: [UInt64] = []
    var found: (String) -> Void = { _ in }

    func witnessed(_ digest: UInt64) { digests.append(digest) }

    func differs(_ position: UInt64, _ digest: UInt64) -> Bool {
        position >= 1 && position <= UInt64(digests.count) && digests[Int(position) - 1] != digest
    }

    func applied(_ position: UInt64, _ digest: UInt64, by name: String) {
        guard position >= 1, position <= UInt64(digests.count) else {
            return found("\(name) applies #\(position), which is not there")
        }
        if digests[Int(position) - 1] != digest { found("\(name) differs at #\(position)") }
    }
}
