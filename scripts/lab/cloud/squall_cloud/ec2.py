"""EC2's instance operations: with the states between, and the refusals that moto does not know."""

from __future__ import annotations

import re
from typing import Any

from moto.ec2.models import ec2_backends

from . import motobridge
from .errors import AWSError
from .gate import Call, refuse_dry_run
from .schedule import Schedule
from .services import ACCOUNT
from .settings import Settings

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
_IDENTIFIER = re.compile(r"i-([0-9a-f]{8}|[0-9a-f]{17})")


def state(name: str) -> dict[str, Any]:
    return {"Code": CODES[name], "Name": name}


def instances(region: str) -> list[Any]:
    """Moto's instances of a region, terminated ones included."""
    return [one for group in ec2_backends[ACCOUNT][region].reservations.values() for one in group.instances]


class EC2:
    """Stop, start, reboot, terminate and the instances' checks; the rest is moto's."""

    def __init__(self, settings: Settings, schedule: Schedule) -> None:
        self._settings = settings
        self._schedule = schedule
        # Instances whose checks are not done yet.
        self._initializing: set[str] = set()

    def handlers(self) -> dict[str, Any]:
        return {
            "StopInstances": self.stop,
            "StartInstances": self.start,
            "RebootInstances": self.reboot,
            "TerminateInstances": self.terminate,
            "DescribeInstances": self.describe,
            "DescribeInstanceStatus": self.describe_status,
        }

    @staticmethod
    def _check_identifiers(identifiers: list[str]) -> None:
        for identifier in identifiers:
            if not _IDENTIFIER.fullmatch(identifier):
                raise AWSError("InvalidInstanceID.Malformed", f'Invalid id: "{identifier}"')

    def _named(self, call: Call) -> list[Any]:
        identifiers = call.get("InstanceIds") or []
        if not identifiers:
            raise AWSError("MissingParameter", "The request must contain the parameter InstanceId")
        self._check_identifiers(identifiers)
        known = {instance.id: instance for instance in instances(call.region)}
        missing = [identifier for identifier in identifiers if identifier not in known]
        if missing:
            noun, verb = ("ID", "does") if len(missing) == 1 else ("IDs", "do")
            text = f"The instance {noun} '{', '.join(missing)}' {verb} not exist"
            raise AWSError("InvalidInstanceID.NotFound", text)
        return [known[identifier] for identifier in identifiers]

    def _begin(self, call: Call, forbidden: tuple[str, ...], verb: str) -> list[Any]:
        """The instances of the call, after all that AWS checks: form, existence, DryRun, state."""
        found = self._named(call)
        refuse_dry_run(call)
        for instance in found:
            if instance.state in forbidden:
                text = f"The instance '{instance.id}' is not in a state from which it can be {verb}."
                raise AWSError("IncorrectInstanceState", text)
        return found

    def _set(self, instance: Any, name: str) -> None:
        with motobridge.lock:
            instance._state.name = name
            instance._state.code = CODES[name]

    def _move(self, found: list[Any], between: str, finish: Any, done: tuple[str, ...]) -> list[dict[str, Any]]:
        """Brings the instances into the state between, and later to the end; those that are there already stay."""
        changes = []
        for instance in found:
            previous = instance.state
            if previous not in done:
                self._set(instance, between)
                self._schedule.after(self._settings["instance"], lambda one=instance: finish(one, between))
            current = previous if previous in done else between
            changes.append(
                {"InstanceId": instance.id, "CurrentState": state(current), "PreviousState": state(previous)}
            )
        return changes

    @staticmethod
    def _protected(instance: Any, verb: str, attribute: str) -> AWSError:
        advice = f"Modify its '{attribute}' instance attribute and try again."
        return AWSError("OperationNotPermitted", f"The instance '{instance.id}' may not be {verb}. {advice}")

    def stop(self, call: Call) -> dict[str, Any]:
        found = self._begin(call, ("terminated", "shutting-down", "pending"), "stopped")
        for instance in found:
            if instance.disable_api_stop:
                raise self._protected(instance, "stopped", "disableApiStop")

        def finish(instance: Any, between: str) -> None:
            with motobridge.lock:
                if instance.state == between:
                    instance.stop()

        return {"StoppingInstances": self._move(found, "stopping", finish, ("stopped", "stopping"))}

    def start(self, call: Call) -> dict[str, Any]:
        found = self._begin(call, ("terminated", "shutting-down", "stopping"), "started")

        def finish(instance: Any, between: str) -> None:
            with motobridge.lock:
                if instance.state == between:
                    instance.start()
            self._checks(instance)

        return {"StartingInstances": self._move(found, "pending", finish, ("running", "pending"))}

    def terminate(self, call: Call) -> dict[str, Any]:
        found = self._begin(call, (), "terminated")
        for instance in found:
            if instance.disable_api_termination:
                raise self._protected(instance, "terminated", "disableApiTermination")

        def finish(instance: Any, between: str) -> None:
            with motobridge.lock:
                if instance.state == between:
                    instance.terminate()

        return {"TerminatingInstances": self._move(found, "shutting-down", finish, ("terminated", "shutting-down"))}

    def reboot(self, call: Call) -> dict[str, Any]:
        """The state stays running; only the checks tell that something happened."""
        for instance in self._begin(
            call, ("terminated", "shutting-down", "stopped", "stopping", "pending"), "rebooted"
        ):
            self._checks(instance)
        return {}

    def _checks(self, instance: Any) -> None:
        self._initializing.add(instance.id)
        self._schedule.after(self._settings["instance-checks"], lambda: self._initializing.discard(instance.id))

    def describe(self, call: Call) -> Any:
        """Moto's answer; before that the check that moto leaves out."""
        self._check_identifiers(call.get("InstanceIds") or [])
        refuse_dry_run(call)
        return motobridge.forward(call.request)

    def describe_status(self, call: Call) -> dict[str, Any]:
        identifiers = call.get("InstanceIds") or []
        found = self._named(call) if identifiers else instances(call.region)
        filters = {item["Name"]: item.get("Values", []) for item in call.get("Filters") or []}
        shown = []
        for instance in found:
            if instance.state != "running" and not call.get("IncludeAllInstances"):
                continue
            if instance.state not in filters.get("instance-state-name", [instance.state]):
                continue
            zone = instance.placement.zone
            if zone not in filters.get("availability-zone", [zone]):
                continue
            shown.append(self._status(instance, zone))
        return {"InstanceStatuses": shown}

    def _status(self, instance: Any, zone: str) -> dict[str, Any]:
        health = "initializing" if instance.id in self._initializing else "ok"
        if instance.state != "running":
            health = "not-applicable"
        word = {"ok": "passed", "initializing": "initializing", "not-applicable": "insufficient-data"}[health]
        summary = {"Status": health, "Details": [{"Name": "reachability", "Status": word}]}
        return {
            "InstanceId": instance.id,
            "AvailabilityZone": zone,
            "InstanceState": state(instance.state),
            "InstanceStatus": summary,
            "SystemStatus": summary,
        }
