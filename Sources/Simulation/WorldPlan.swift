internal import Basics
internal import Contracts
internal import Experiment

/// Everything that a seed decides beforehand: the cluster, the weather, the experiment, and what is done to the tool.
struct WorldPlan {
    /// What happens to the tool, beside the weather.
    enum Trouble: String, Sendable, CaseIterable {
        case none
        case controllerKilled
        case medicKilled
        case bothKilled
        case controllerFrozen
        case reboot
        case diskFull
        case signals
    }

    let seed: UInt64
    let nodes: [String]
    let others = ["web-1"]
    let experiment: Experiment
    let hold: Span
    var character = SimulatedCluster.Character()
    var weather: Weather
    var probes = ProbeCharacter()
    var trouble = Trouble.none
    /// Whether containers' processes are visible to the machine that the controller runs on.
    let isLocal: Bool
    /// A container that somebody removes in the middle of the run.
    var removal: (at: Span, container: String)?
    /// When the weather is fair for good, unless something is denied.
    private(set) var clearsAt = Span.zero
    /// For what happens to the tool, once it runs.
    var draw: Draw

    static let start = Instant(nanoseconds: 1_000_000_000_000)

    init(seed: UInt64) {
        self.seed = seed
        draw = Draw(seed: seed &* 0x9E37_79B9_7F4A_7C15 ^ 0x5EED)
        nodes = draw.chance(60) ? ["pg-1", "pg-2"] : ["pg-1", "pg-2", "pg-3"]
        let drawn = SimulatedExperiment(seed: draw.seed(), nodes: nodes, others: others)
        experiment = drawn.experiment
        hold = drawn.hold
        weather = Weather(generator: SeededGenerator(seed: draw.seed()))
        isLocal = draw.chance(60)
        drawCharacter()
        drawTrouble()
        drawWeather()
    }

    private mutating func drawCharacter() {
        character.failsOver = draw.chance(85)
        character.detection = draw.span(.seconds(1), .seconds(20))
        character.promotion = draw.span(.milliseconds(200), .seconds(4))
        character.reroute = draw.span(.milliseconds(10), .seconds(3))
        character.startup = draw.span(.milliseconds(200), .seconds(6))
        character.demotion = draw.chance(50) ? .zero : draw.span(.seconds(5), .seconds(20))
        character.lag = draw.chance(50) ? draw.span(.milliseconds(1), .milliseconds(50)) : draw.span(.zero, .seconds(4))
        character.isSynchronous = draw.chance(30)
        // A client gives up later than a synchronous commit takes, or it would never be served.
        if character.isSynchronous { character.lag = min(character.lag, .milliseconds(200)) }
        if draw.chance(10) { character.losesAcknowledgement = draw.number(5..<60) }
        probes.looksEvery = draw.chance(50) ? .seconds(1) : .seconds(2)
        probes.timeout = draw.span(.milliseconds(1_500), .seconds(5))
        probes.leg = draw.chance(80) ? .milliseconds(20) : .milliseconds(300)
    }

    private mutating func drawTrouble() {
        switch draw.number(0..<100) {
        case ..<44: trouble = .none
        case ..<58: trouble = .controllerKilled
        case ..<64: trouble = .medicKilled
        case ..<72: trouble = .bothKilled
        case ..<80: trouble = .controllerFrozen
        case ..<87: trouble = .reboot
        case ..<92: trouble = .diskFull
        default: trouble = .signals
        }
    }

    private mutating func drawWeather() {
        // A slow engine is rare: the freezer is looked at each millisecond until it answers.
        let usual: [Span] = [.milliseconds(1), .milliseconds(5), .milliseconds(40)]
        weather.latency = draw.chance(10) ? .milliseconds(400) : draw.pick(usual) ?? .zero
        guard draw.chance(45) else { return }
        if draw.chance(50) { weather.failsEvery = UInt64(draw.number(4..<60)) }
        if draw.chance(25) {
            let from = draw.span(.zero, .seconds(280))
            let length = draw.chance(70) ? draw.span(.milliseconds(500), .seconds(20)) : draw.span(.zero, .minutes(6))
            weather.outages = [InstantRange(Self.start + from, Self.start + from + length)]
            clearsAt = from + length
        }
        if draw.chance(30), let verb = draw.pick(Weather.Verb.allCases.filter { $0 != .read }) {
            let until = draw.span(.seconds(5), .minutes(7))
            weather.lies = [verb: Self.start + until]
            clearsAt = max(clearsAt, until)
        }
        if draw.chance(8), let verb = draw.pick([Weather.Verb.unpause, .start, .unrule]) { weather.denied = [verb] }
        if draw.chance(12), let container = draw.pick(others + nodes) {
            removal = (draw.span(.seconds(5), .seconds(250)), container)
        }
    }
}
