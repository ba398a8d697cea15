/// The starter file that `squall init` writes: small, commented, and valid as it is.
package enum ExperimentTemplate {
    /// The text for an experiment on one container with a health check over HTTP.
    package static let text = """
        # An experiment for Squall. Check it with:   squall validate FILE
        # See what it would do, before it does it:   squall plan FILE
        # Run it:                                    squall run FILE
        # What else can be written here:             squall explain container.pause   and   squall list
        title: The service survives ten seconds without one of its containers
        description: >-
          Say here why this matters and what the system must do, for whoever reads the report.
        tags: [example]

        # Variables. ${name} is filled in anywhere below; --var name=value wins over the environment and the default.
        configuration:
          url: {type: env, key: TARGET_HOST, default: "http://127.0.0.1:8080/health"}
          container: {type: env, key: TARGET_CONTAINER, default: web-1}

        # Secrets are revealed only where probes and faults use them; they are never printed, journalled or reported.
        # secrets:
        #   password: {type: file, path: secrets/password}

        # What faults may act on. Also by labels: {..}, regex, image or compose-service, and mode: one|all|fixed|...
        targets:
          web: {docker: {names: ["${container}"]}}

        # What is measured during the whole run.
        probes:
          health: {type: http.check, url: "${url}", rate: 20/s, timeout: 1s}

        # What must hold before the first fault, and again after the heal.
        steady-state-hypothesis:
          title: the service answers
          for: 5s
          probes:
            - {probe: health, tolerance: {success: ">= 99%", p95: "<= 500ms"}}

        # The faults, in order. A step starts when the one before it is confirmed; start-after and delay change that.
        method:
          - {name: pause, fault: container.pause, target: web, duration: 10s}

        # What the run is judged by.
        criteria:
          rto: {probe: health, max: 20s}
          # From the fault on. 50 % of 60 s is an outage budget of 30 s: it must be able to hold the RTO.
          availability: {probe: health, min: 50%, window: 60s}
          recovery: {within: 1m}

        # What ends the run early and heals at once.
        stop-conditions:
          - {probe: health, when: "success < 1%", for: 30s}

        # What the run may touch at most, and what it must never touch.
        limits: {max-targets: 1, max-duration: 5m, protect: {labels: {squall.protect: "true"}}}

        """
}
