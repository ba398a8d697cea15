import Basics
import Testing

@Suite struct SignalTests {
    @Test(
        arguments: [
            ("SIGKILL", 9), ("KILL", 9), ("sigterm", 15), ("15", 15), ("SIGSTOP", 19), ("CONT", 18), ("64", 64),
        ] as [(String, Int32)])
    func readsANameOrANumber(text: String, number: Int32) {
        #expect(Signal(parsing: text)?.number == number)
    }

    @Test(arguments: ["", "SIG", "SIGNOPE", "0", "65", "-9", "9 ", "SIGSIGKILL"])
    func refusesWhatIsNoSignal(text: String) {
        #expect(Signal(parsing: text) == nil)
    }

    @Test func printsTheNameThatPeopleKnow() {
        #expect(Signal.stop.description == "SIGSTOP")
        #expect(Signal(number: 40)?.description == "signal 40")
    }
}
