package import Contracts

extension HTTPCheckProbe {
    package static let manual = Manual(
        summary: "Sends HTTP requests at a fixed rate and looks at status, headers, body and JSON.",
        details: """
            Request k is due at t0 + k/rate, whatever became of those before it; latency is counted from then. The client \
            may hold max(1000, rate × timeout) requests in flight; one that is due beyond that counts as failed and never \
            sent. `connections: kept` uses open connections again, `fresh` looks the name up and connects for each \
            request, `both` takes turns: requests with an even number are `kept`, the others `fresh`, so that each of the \
            two paths gets half the rate.

            An answer is ok when its status is one of `status` (200, 2xx, "< 500"), each `header` holds, the `body` holds \
            the text or matches `regex` (POSIX extended), and at each `json` path the comparison holds. The path is names, \
            indices and quoted names: `data.items[0].id`, `nodes["pg-1"].lag`.

            Outcomes: a request of which nothing was sent has failed. A GET, HEAD or OPTIONS without the expected answer \
            has failed. A write whose answer is lost, late, a 408, a 5xx or a 2xx with the wrong content is unknown, \
            because it may stand; one that was answered with another 3xx or 4xx has failed. `${secret}` in url, headers \
            and request-body is revealed only when a request is made.
            """,
        example: """
            probes:
              storefront:
                type: http.check
                url: https://shop.example/health
                rate: 20/s
                timeout: 1s
                status: 200
                json: {status: ok, "queue.depth": "< 100"}
                connections: both
            """)
}
