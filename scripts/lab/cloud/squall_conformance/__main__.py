"""Runs every check against one endpoint and says how many passed, or which failed and why."""

from __future__ import annotations

import argparse
import sys

from . import commands, databases, experiments, machines, routing, signatures, spoiled
from .harness import Cloud

MODULES = (signatures, databases, machines, routing, experiments, spoiled, commands)


def main() -> None:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("--endpoint", required=True, help="the cloud, for example http://127.0.0.1:4566")
    parser.add_argument("--filter", default="", help="only checks whose name holds this")
    arguments = parser.parse_args()
    cloud = Cloud(arguments.endpoint)
    for module in MODULES:
        checks = [check for check in module.CHECKS if arguments.filter in f"{module.__name__}.{check.__name__}"]
        # Each file begins with the first world, and its checks follow on each other.
        if checks:
            cloud.reset()
        for check in checks:
            cloud.run(check)
            cloud.lab("DELETE", "rules")
    cloud.reset()
    for failure in cloud.failures:
        print(f"failed: {failure}", file=sys.stderr)
    print(f"{cloud.passed} checks passed" + (f", {len(cloud.failures)} functions failed" if cloud.failures else ""))
    sys.exit(1 if cloud.failures or not cloud.passed else 0)


main()
