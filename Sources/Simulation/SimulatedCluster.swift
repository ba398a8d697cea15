internal import Basics
internal import Contracts

/// A database cluster with one primary, standbys and a control plane that fails over; what is true of it is known.
///
/// Lazy: nothing runs by itself, `advance` carries out everything that was due since the last look, in order of time.
struct SimulatedCluster: Sendable {
    /// How this cluster behaves; drawn from the seed.
    struct Character: Sendable {
        var failsOver = true
        var detection = Span.seconds(5)
        var promotion = Span.seconds(1)
        /// Until clients are led to a new primary.
        var reroute = Span.milliseconds(500)
        var startup = Span.seconds(2)
        /// How long a replaced primary goes on believing; zero: it is fenced at once.
        var demotion = Span.zero
        var lag = Span.milliseconds(20)
        var isSynchronous = false
        /// One acknowledgement in so many is lost on its way; nil: none.
        var losesAcknowledgement: Int?
    }

    let character: Character
    var nodes: [ClusterNode]
    /// The node of the newest timeline.
    var current = 0
    /// The node that clients are led to.
    var endpoint = 0
    var writes: [ClusterWrite] = []
    var truth: ClusterTruth
    private(set) var now: Instant
    /// Since when the current primary cannot be reached by the others.
    var lostSince: Instant?
    private var detectsAt: Instant?
    private var promotesAt: Instant?
    private var candidate: Int?
    private var reroutesAt: Instant?
    private var acknowledgements = 0

    init(_ names: [Label], _ character: Character, at now: Instant) {
        self.character = character
        self.now = now
        nodes = names.enumerated().map { ClusterNode(name: $1, role: $0 == 0 ? .primary : .standby) }
        truth = ClusterTruth()
    }

    // MARK: Time

    /// Carries out everything that is due until `instant`.
    mutating func advance(to instant: Instant) {
        while let next = nextDue(), next <= instant {
            now = max(now, next)
            carryOutControl()
            carryOutWrites()
            settle()
        }
        now = max(now, instant)
    }

    private func nextDue() -> Instant? {
        var next = Int64.max
        func consider(_ instant: Instant?) {
            if let instant { next = min(next, instant.nanoseconds) }
        }
        consider(detectsAt)
        consider(promotesAt)
        consider(reroutesAt)
        for index in nodes.indices {
            if nodes[index].isAlive, !nodes[index].isFrozen { consider(nodes[index].readyAt) }
            if nodes[index].isServing { consider(nodes[index].demotesAt) }
        }
        for index in writes.indices { next = min(next, writes[index].next.nanoseconds) }
        return next == .max ? nil : Instant(nanoseconds: next)
    }

    // MARK: The control plane

    private mutating func carryOutControl() {
        for index in nodes.indices where nodes[index].isAlive {
            if let ready = nodes[index].readyAt, ready <= now, !nodes[index].isFrozen { become(ready: index) }
            if nodes[index].isServing, let end = nodes[index].demotesAt, end <= now { demote(index) }
        }
        if let detectsAt, detectsAt <= now {
            self.detectsAt = nil
            if nodes[current].isServing { lostSince = nil } else { seek() }
        }
        if let at = promotesAt, at <= now { promote() }
        if let at = reroutesAt, at <= now {
            reroutesAt = nil
            endpoint = current
        }
    }

    private mutating func become(ready index: Int) {
        nodes[index].readyAt = nil
        // Started again on an old timeline: fenced, or it believes for a while that it still is the primary.
        if index != current, nodes[index].role == .primary, character.demotion == .zero { nodes[index].role = .standby }
        changed()
    }

    private mutating func retire(_ index: Int) {
        if nodes[index].demotesAt == nil { nodes[index].demotesAt = now + character.demotion }
    }

    private mutating func demote(_ index: Int) {
        nodes[index].demotesAt = nil
        nodes[index].role = .standby
        for write in writes.indices where writes[write].node == index { fail(write, ClusterReason.shutdown) }
    }

    private mutating func seek() {
        guard character.failsOver, promotesAt == nil else { return }
        candidate = nodes.indices.first { $0 != current && nodes[$0].isServing && nodes[$0].role == .standby }
        if candidate != nil { promotesAt = now + character.promotion }
    }

    private mutating func promote() {
        promotesAt = nil
        guard let chosen = candidate, nodes[chosen].isServing, nodes[chosen].role == .standby else {
            // Its primary is back, or somebody else must be found.
            if nodes[current].isServing { lostSince = nil } else { seek() }
            return
        }
        let replicatedUntil = min(now, lostSince ?? now)
        nodes[chosen].log = nodes[current].log.filter { $0.at + character.lag <= replicatedUntil }
        nodes[chosen].role = .primary
        let former = current
        current = chosen
        lostSince = nil
        reroutesAt = now + character.reroute
        truth.promotions.append(now)
        if nodes[former].role == .primary, nodes[former].isServing { retire(former) }
    }

    /// What follows at once from a node's new condition.
    mutating func changed() {
        for index in nodes.indices where index != current && nodes[index].claimsPrimary && nodes[index].isServing {
            retire(index)
        }
        if nodes[current].isServing {
            if promotesAt == nil {
                detectsAt = nil
                lostSince = nil
            }
        } else {
            if lostSince == nil {
                lostSince = now
                detectsAt = now + character.detection
            } else if detectsAt == nil {
                seek()
            }
        }
        settle()
    }

    private mutating func settle() {
        // A primary that must wait for its standbys, and is no longer theirs, answers no write.
        let isHeard = !character.isSynchronous || (endpoint == current && lostSince == nil)
        for index in nodes.indices where !nodes[index].claimsPrimary { nodes[index].isSeen = false }
        let serving = nodes[endpoint].isServing && nodes[endpoint].role == .primary && isHeard
        truth.note(isServing: serving, primaries: nodes.count(where: \.isKnowable), at: now)
    }

    // MARK: Writes

    mutating func begin(_ sequence: Int64, due: Instant, timeout: Span, leg: Span) {
        let isLate = now >= due + timeout
        var write = ClusterWrite(
            sequence: sequence, due: due, sent: isLate ? nil : now, timesOut: due + timeout, node: endpoint, leg: leg,
            stage: isLate ? .done : .travelling(arrives: now + leg))
        if isLate { write.outcome = (.failed, now, "unsent") }
        writes.append(write)
    }

    private mutating func carryOutWrites() {
        for index in writes.indices where writes[index].next <= now {
            switch writes[index].stage {
            case .travelling(let arrives) where arrives <= now: arrive(index)
            case .executing(let commits) where commits <= now: commit(index)
            case .acknowledging(let arrives) where arrives <= now: acknowledge(index)
            case .travelling, .held, .executing, .acknowledging, .done: break
            }
            if writes[index].outcome == nil, writes[index].timesOut <= now {
                writes[index].outcome = (.unknown, writes[index].timesOut, ClusterReason.timeout)
            }
        }
    }

    private mutating func arrive(_ index: Int) {
        let node = nodes[writes[index].node]
        if node.isCut {
            writes[index].stage = .done
        } else if !node.isAlive || node.readyAt != nil {
            conclude(index, .failed, ClusterReason.refused)
        } else if node.isFrozen {
            writes[index].stage = .held
        } else if node.role == .standby {
            conclude(index, .failed, ClusterReason.readOnly)
        } else {
            writes[index].stage = .executing(commits: now + writes[index].leg)
        }
    }

    private mutating func commit(_ index: Int) {
        let owner = writes[index].node
        if nodes[owner].isFrozen {
            writes[index].stage = .held
            return
        }
        nodes[owner].log.append(ClusterNode.Entry(sequence: writes[index].sequence, at: now))
        let wait = character.isSynchronous ? character.lag : .zero
        writes[index].stage = .acknowledging(arrives: now + writes[index].leg + wait)
    }

    private mutating func acknowledge(_ index: Int) {
        let owner = writes[index].node
        writes[index].stage = .done
        // A standby that did not confirm holds the answer back: a lost primary acknowledges nothing more.
        let isConfirmed = !character.isSynchronous || owner == current && lostSince == nil
        guard isConfirmed, !nodes[owner].isCut, !nodes[owner].isFrozen else { return }
        truth.acknowledged.append(writes[index].sequence)
        acknowledgements += 1
        if let every = character.losesAcknowledgement, acknowledgements % every == 0 { return }
        conclude(index, .ok, .none)
    }

    private mutating func conclude(_ index: Int, _ outcome: Outcome, _ reason: Label) {
        writes[index].stage = .done
        if writes[index].outcome == nil { writes[index].outcome = (outcome, now, reason) }
    }

    /// The connection broke: the write may stand or not.
    private mutating func fail(_ index: Int, _ reason: Label) {
        switch writes[index].stage {
        case .held, .executing, .acknowledging: conclude(index, .unknown, reason)
        case .travelling, .done: break
        }
    }
}

extension SimulatedCluster {
    /// Takes over what became of the node's container; call `advance` first.
    mutating func update(_ index: Int, isAlive: Bool, isFrozen: Bool, isCut: Bool) {
        let before = nodes[index]
        guard before.isAlive != isAlive || before.isFrozen != isFrozen || before.isCut != isCut else { return }
        nodes[index].isAlive = isAlive
        nodes[index].isFrozen = isFrozen
        nodes[index].isCut = isCut
        if before.isAlive, !isAlive {
            nodes[index].readyAt = nil
            nodes[index].demotesAt = nil
            for write in writes.indices where writes[write].node == index { fail(write, ClusterReason.lost) }
        }
        if !before.isAlive, isAlive { nodes[index].readyAt = now + character.startup }
        if before.isFrozen, !isFrozen { resumeHeld(index) }
        changed()
    }

    /// The process was replaced by a new one between two looks.
    mutating func restarted(_ index: Int) {
        update(index, isAlive: false, isFrozen: false, isCut: nodes[index].isCut)
        update(index, isAlive: true, isFrozen: false, isCut: nodes[index].isCut)
    }

    private mutating func resumeHeld(_ index: Int) {
        for write in writes.indices where writes[write].node == index {
            guard case .held = writes[write].stage else { continue }
            let isPrimary = nodes[index].role == .primary
            if isPrimary {
                writes[write].stage = .executing(commits: now + writes[write].leg)
            } else {
                conclude(write, .failed, ClusterReason.readOnly)
            }
        }
    }

    /// The writes whose outcome the client has learned since the last call; those to which nothing can happen any more
    /// are forgotten.
    mutating func finished() -> [(write: ClusterWrite, node: Label)] {
        var found: [(write: ClusterWrite, node: Label)] = []
        for index in writes.indices where writes[index].outcome != nil && !writes[index].isReported {
            writes[index].isReported = true
            found.append((writes[index], nodes[writes[index].node].name))
        }
        writes.removeAll { write in
            if case .done = write.stage { write.isReported } else { false }
        }
        return found
    }

    /// What one look at a node says.
    mutating func look(at index: Int) -> (state: Label, detail: Label, isPrompt: Bool) {
        let node = nodes[index]
        if node.isCut || (node.isAlive && node.isFrozen) {
            return (StateSample.unreachable, ClusterReason.timeout, false)
        }
        if !node.isAlive || node.readyAt != nil { return (StateSample.unreachable, ClusterReason.refused, true) }
        nodes[index].isSeen = node.role == .primary
        return (node.role == .primary ? StateSample.primary : StateSample.replica, .none, true)
    }
}
