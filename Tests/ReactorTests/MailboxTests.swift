import Glibc
import Synchronization
import Testing

@testable import Reactor

struct MailboxTests {
    @Test func `a full mailbox refuses, and takes again once drained`() {
        let mailbox = Mailbox<Int>(capacity: 2)
        #expect(mailbox.send(1))
        #expect(mailbox.send(2))
        #expect(!mailbox.send(3))
        var batch: [Int] = []
        #expect(mailbox.drain(into: &batch))
        #expect(batch == [1, 2])
        #expect(mailbox.send(3))
    }

    @Test func `only the first sender after the consumer fell asleep writes the eventfd`() throws {
        let waker = try Waker()
        let mailbox = Mailbox<Int>(capacity: 10)
        mailbox.attach(to: waker)
        _ = mailbox.send(1)
        #expect(waker.wakeUpCount == 0, "an awake consumer costs no system call")
        waker.fallAsleep()
        for element in 2...5 { _ = mailbox.send(element) }
        #expect(waker.wakeUpCount == 1)
    }

    @Test(arguments: [1, 4]) func `a loop gets all of several producers, each in order`(producerCount: Int) throws {
        let perProducer = 20_000
        let mailbox = Mailbox<(producer: Int, number: Int)>(capacity: 100)
        // Only so that it ends: a second, but a minute under ThreadSanitizer.
        let patience = Clock.monotonicMilliseconds() + 120_000
        let threads = try (0..<producerCount).map { producer in
            try Reactor.Thread.start(name: "producer") {
                for number in 0..<perProducer {
                    while !mailbox.send((producer, number)), Clock.monotonicMilliseconds() < patience { usleep(20) }
                }
            }
        }
        let loop = try EventLoop()
        var next = [Int](repeating: 0, count: producerCount)
        var inOrder = true
        var batchMax = 0
        loop.attach(mailbox) { batch in
            batchMax = max(batchMax, batch.count)
            for (producer, number) in batch {
                inOrder = inOrder && next[producer] == number
                next[producer] = number + 1
            }
        }
        while next.reduce(0, +) < producerCount * perProducer, Clock.monotonicMilliseconds() < patience { loop.turn(upTo: 100) }
        #expect(next == [Int](repeating: perProducer, count: producerCount))
        #expect(inOrder)
        #expect(batchMax <= 100)
        for thread in threads { thread.join() }
    }

    @Test func `a plain thread waits, is woken, and answers into a loop's mailbox`() throws {
        let questions = Mailbox<Int>(capacity: 8)
        let answers = Mailbox<Int>(capacity: 8)
        let waker = try Waker()
        questions.attach(to: waker)
        let thread = try Reactor.Thread.start(name: "sequencer") {
            var batch: [Int] = []
            var done = false
            while !done {
                guard questions.wait(upTo: 60_000), questions.drain(into: &batch) else { continue }
                for question in batch {
                    if question < 0 { done = true } else { _ = answers.send(question * 2) }
                }
                batch.removeAll(keepingCapacity: true)
            }
        }
        let loop = try EventLoop()
        var sum = 0
        var asked = 0
        var answered = 0
        func ask() {
            while asked < 2000, asked - answered < answers.capacity, questions.send(asked) { asked += 1 }
        }
        loop.attach(answers) { batch in
            sum += batch.reduce(0, +)
            answered += batch.count
            ask()
        }
        ask()
        let expected = 2000 * 1999
        let patience = Clock.monotonicMilliseconds() + 20_000
        while sum < expected, Clock.monotonicMilliseconds() < patience { loop.turn(upTo: 100) }
        #expect(sum == expected)
        while !questions.send(-1) { sched_yield() }
        thread.join()
    }

    @Test func `a wait without mail ends at its time`() throws {
        let waker = try Waker()
        let mailbox = Mailbox<Int>(capacity: 1)
        mailbox.attach(to: waker)
        #expect(!mailbox.wait(upTo: 1))
    }
}
