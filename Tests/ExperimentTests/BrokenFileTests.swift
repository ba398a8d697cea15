import Testing

@testable import Experiment

/// Each broken file with the exact place and words of all its findings.
@Suite struct BrokenFileTests {
    @Test func reportsEveryErrorOfAFileAtOnce() {
        expectFindings(
            """
            titel: A typing error
            #< unknown key 'titel' | did you mean 'title'?
            tags: [dr]
            runbook: runbooks/missing.md
            #        ^ there is no runbook 'runbooks/missing.md' | looked beside x.yaml, in the current folder and upwards
            probes:
              orders: {type: fake.ledgr, dsn: x}
              #              ^ unknown kind of probe 'fake.ledgr' | did you mean 'fake.ledger'?
              second: {type: fake.ledger, dsn: x, rate: 200, timout: 1s}
              #                                         ^ expected a rate with its unit, for example 200/s, found '200'
              #                                              ^ unknown key 'timout' | did you mean 'timeout'?
            method:
              - {name: kill, fault: fake.kill, target: prmary, duration: 30}
              #                                        ^ no target is named 'prmary' | did you mean 'primary'?
              #                                                          ^ expected a duration with its unit, for example 250ms, 30s or 2m, found '30'
            targets:
              primary: {docker: {labels: {role: database}}}
            criteria:
              rto: {probe: ordres, max: 30s}
              #            ^ no probe is named 'ordres' | did you mean 'orders'?
              split-brian: {probe: orders, max: 0s}
            # ^ unknown criterion 'split-brian' | did you mean 'split-brain'?
            """)
    }

    @Test func refusesTargetsThatSayTooLittleOrTooMuch() {
        expectFindings(
            """
            title: t
            probes:
              value: {type: fake.value}
              roles: {type: fake.roles, nodes: {a: b}}
            targets:
              empty: {}
              #      ^ the target 'empty' does not say where it is found | write docker: {…} or from: <probe>, is: <state>
              text: database
              #     ^ the target 'text' is a mapping, found 'database'
              both: {from: roles, is: primary, docker: {}}
              #                                ^ a target has one source: 'from' or 'docker'
              wrong: {from: value, is: primary}
              #             ^ the probe 'value' (fake.value) reports no states to find a target by | probes that do: fake.roles
              stateless: {from: roles}
              #          ^ missing 'is': the state that makes a node of 'roles' the target | for example is: primary
              typo: {dcoker: {labels: {a: b}}}
              #      ^ unknown key 'dcoker' | did you mean 'docker'?
              inner: {docker: {lables: {a: b}}}
              #                ^ unknown key 'lables' | did you mean 'labels'?
              fixed: {docker: {}, mode: fixed}
              #      ^ mode 'fixed' needs a value: a whole number of at least 1
              share: {docker: {}, mode: fixed-percent, value: 3}
              #                                               ^ mode 'fixed-percent' needs a percentage above 0%, for example 50%, found '3'
              one: {docker: {}, mode: one, value: 1}
              #                                   ^ mode 'one' takes no value
              none: {docker: {}, mode: random}
              #                        ^ 'random' is not one of all, one, fixed, fixed-percent, random-max-percent
              twice: {docker: {mode: one}, mode: all}
              #                ^ 'mode' is given twice
              bad name: {docker: {}}
            # ^ 'bad name' cannot be a name | use letters, digits, '_', '-' and '.', and begin with a letter
            method: []
            criteria: {recovery: {}}
            """)
    }

    @Test func refusesStepsThatDoNotFitTheirFault() {
        expectFindings(
            """
            title: t
            targets:
              a: {docker: {}}
            method:
              - {fault: fake.kill}
              # ^ missing 'target': fake.kill acts on one | name one that is declared under targets
              - {fault: fake.kill, between: {a: a, b: a}}
              #                             ^ fake.kill acts on a target, not between two | write target: <name>
              - {fault: fake.cut, target: a, depth: 1}
              #                           ^ fake.cut acts between two sides
              - {fault: fake.cut, between: {a: a}, depth: 10}
              #                            ^ missing 'b': the name of a target
              #                                           ^ expected a whole number, 1 to 9, found '10'
              - {fault: fake.shout, target: a}
              #                             ^ fake.shout takes no target | remove it
              - {fault: fake.lag, target: a, delay: 100ms}
              #                                     ^ missing 'delay': How late. | 'delay' beside 'fault' belongs to the step; write with: {delay: …}
              - {fault: fake.kil, target: a}
              #         ^ unknown fault 'fake.kil' | did you mean 'fake.kill'?
              - {falt: fake.kill, target: a}
              #  ^ unknown key 'falt' | did you mean 'fault'?
              - {fault: fake.kill, traget: a}
              #                    ^ unknown key 'traget' | did you mean 'target'?
              - {fault: fake.kill, target: a, signal: SIGKIL}
              #                                       ^ 'SIGKIL' is not one of SIGKILL, SIGTERM | did you mean 'SIGKILL'?
              - {fault: fake.kill, target: a, share: 0.5}
              #                                      ^ expected a percentage from 0% to 100%, for example 99.9%, found '0.5'
              - {name: x}
              # ^ a step names its 'fault', or a fault 'plan'
            criteria: {recovery: {}}
            """)
    }

    @Test func refusesStepNamesAndOrdersThatCannotBe() {
        expectFindings(
            """
            title: t
            method:
              - {name: one, fault: fake.shout, start-after: two}
              #                                             ^ these steps wait for each other: one → two → one | a step without start-after waits for the step before it
              - {name: two, fault: fake.shout}
              - {name: three, fault: fake.shout, start-after: [one, two]}
            criteria: {recovery: {}}
            """)
        expectFindings(
            """
            title: t
            method:
              - {name: one, fault: fake.shout, start-after: [tow, nine]}
              #                                              ^ no step is named 'tow' | did you mean 'two'?
              #                                                   ^ no step is named 'nine' | steps: fake.shout, one, two
              - {name: two, fault: fake.shout}
              - {name: two, fault: fake.shout}
              #        ^ two steps are named 'two' | the first is at x.yaml:6:12
              - {name: a b, fault: fake.shout}
              #        ^ expected a name of letters, digits, '_', '-' and '.', found 'a b'
              - fake.shout
              # ^ a step is a mapping with 'fault' or 'plan', found 'fake.shout'
              - {fault: fake.shout, plan: plans/region.yaml}
              #                           ^ a step has 'fault' or 'plan', not both
            criteria: {recovery: {}}
            """)
    }

    @Test func refusesDurationsThatCannotBe() {
        expectFindings(
            """
            title: t
            targets: {a: {docker: {}}}
            method:
              - {fault: fake.kill, target: a, duration: 0s}
              #                                         ^ a fault that lasts 0s does nothing
              - {fault: fake.kill, target: a, duration: 10m}
              #                                         ^ the fault would last 10m, and the whole run may last 5m | shorten it, or raise limits: {max-duration: …}
              - {fault: fake.cut, between: {a: a, b: a}, depth: 1}
              #                                      ^ both sides are 'a'
            limits: {max-duration: 5m}
            criteria: {recovery: {}}
            """)
    }

    @Test(arguments: [
        ("duration: 30", "a bare number has no unit: write 30s, or 30ms if milliseconds are meant"),
        ("share: 0.5", "a bare number has no unit: write 50%"), ("share: 50", "a bare number has no unit: write 50%"),
        ("share: half", nil),
    ])
    func saysHowToWriteABareNumber(parameter: String, hint: String?) {
        let text = "title: t\ntargets: {a: {docker: {}}}\nmethod: [{fault: fake.kill, target: a, \(parameter)}]\n"
        #expect(load(text).diagnostics.all.first { $0.severity == .error }?.notes == hint.map { [$0] } ?? [])
    }

    @Test func refusesConditionsThatTheProbeCannotAnswer() {
        expectFindings(
            """
            title: t
            probes:
              orders: {type: fake.ledger, dsn: x, rate: 1/s}
              roles: {type: fake.roles, nodes: {a: b}}
              value: {type: fake.value}
            steady-state-hypothesis:
              for: 10
              #    ^ expected a duration with its unit, for example 250ms, 30s or 2m, found '10'
              probes:
                - {probe: roles, tolerance: {primaries: 1%, sucess: ">= 1%"}}
                #                                       ^ 'primaries' is compared with a plain number, for example 1; found '1%'
                #                                           ^ 'roles' (fake.roles) has no metric 'sucess' | it has primaries, state
                - {probe: orders, tolerance: {success: ">= 0.999", p95: "<= fast"}}
                #                                      ^ 'success' is compared with a percentage, for example >= 99.9%; found '0.999'
                #                                                       ^ expected a value or a comparison, for example 200, >= 99.9% or <= 100ms, found '<= fast'
                - {probe: value, tolerance: {lag: "<= 1s", lga: 5}}
                #                                          ^ 'value' (fake.value) has no metric 'lga' | did you mean 'lag'?
                - {probe: order, tolerance: {success: "> 1%"}}
                #         ^ no probe is named 'order' | did you mean 'orders'?
            method: []
            stop-conditions:
              - {probe: orders, when: "success < 1"}
              #                       ^ 'success' is compared with a percentage, for example >= 99.9%; found '1'
              - {probe: orders, when: success}
              #                       ^ expected a metric and a comparison, for example success < 1%, found 'success'
              - {when: "p95 > 1s", for: 5m}
              # ^ missing 'probe': the name of a probe
            criteria: {recovery: {}}
            """)
    }

    @Test func refusesCriteriaThatCannotBeJudged() {
        expectFindings(
            """
            title: t
            probes:
              orders: {type: fake.ledger, dsn: x, rate: 1/s}
              roles: {type: fake.roles, nodes: {a: b}}
            method:
              - {name: shout, fault: fake.shout}
            criteria:
              rpo: {probe: roles}
              #            ^ rpo needs operations (requests with outcome and latency) and read-backs (which writes are still there), which 'roles' (fake.roles) does not record | kinds of probes that do: fake.ledger
              split-brain: {max: 0s}
              #            ^ missing 'probe': split-brain judges what a probe recorded
              recovery: {probe: orders, within: 5}
              #                 ^ recovery judges no probe | remove 'probe'
              #                                 ^ expected a duration with its unit, for example 250ms, 30s or 2m, found '5'
              rto:
                - {probe: orders, max: 1s, after: shuot}
                #                                 ^ no step is named 'shuot' | did you mean 'shout'?
                - {probe: orders, maxx: 1s}
                #                 ^ unknown key 'maxx' | did you mean 'max'?
                - {probe: orders, max: 1s, name: same}
                - {probe: orders, max: 2s, name: same}
                #                                ^ two criteria are named 'same' | the first is at x.yaml:20:38
            """)
    }

    @Test func refusesLimitsThatCannotHoldTogether() {
        expectFindings(
            """
            title: t
            probes:
              orders: {type: fake.ledger, dsn: x, rate: 1/s}
              others: {type: fake.ledger, dsn: x, rate: 1/s}
            method: []
            criteria:
              rto: {probe: orders, max: 30s}
              availability:
                - {probe: orders, min: 70%, window: 2m}
                - {probe: orders, min: 80%, window: 2m}
                # ^ 'rto' and 'availability-2' cannot hold together: 80% of 2m leaves an outage budget of 24s, less than the 30s that 'rto' allows | an outage of 30s leaves (2m - 30s) / 2m = 75%
                - {probe: orders, min: 100%, window: 1h}
                # ^ 'rto' and 'availability-3' cannot hold together: 100% of 1h0m leaves an outage budget of 0s, less than the 30s that 'rto' allows
                - {probe: others, min: 99%, window: 1m}
                - {probe: orders, min: 99%}
            """)
    }

    @Test func warnsOfWhatIsProbablyForgotten() {
        expectFindings(
            """
            title: t
            #< warning: no criteria: the run can only end inconclusive
            targets:
              unused: {docker: {}}
            # ^ warning: the target 'unused' is used by no step
            configuration: {region: west}
            #               ^ warning: the variable 'region' is used nowhere
            secrets: {password: {type: file, path: secrets/pg}}
            #         ^ warning: the secret 'password' is used nowhere
            method: []
            """)
    }
}
