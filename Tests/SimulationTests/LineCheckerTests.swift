import BoxOffice
import Testing
import UsherAPI

@testable import Simulation

struct LineCheckerTests {
    @Test(
        arguments: [
            ([2], true), ([1, 2], true), ([2, 3, 2], false), ([3, 2], false), ([2, 0], false),
        ] as [([UInt32], Bool)])
    func `a third person under a cap of two is noticed, unless the same entry had a wider cap`(caps: [UInt32], isNoticed: Bool)
    {
        var checker = LineChecker()
        var changes = (1...3).map { LineChange.joined(line: 0, joinNumber: $0, token: $0) }
        changes += (1...3).map { LineChange.admitted(line: 0, place: $0, token: $0) }
        let problems = checker.problems(
            changes, at: 1_000, policies: caps.map { AdmissionPolicy(maxActive: $0) }, grids: (0, 0))
        #expect(problems.isEmpty != isNoticed, "\(problems)")
    }
}
