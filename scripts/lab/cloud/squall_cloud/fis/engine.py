"""Carries experiments out: each action in its order, over the lab's own operations, until all is done or stopped."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from ..clock import Clock
from ..errors import AWSError
from ..services import ACCOUNT
from ..settings import Settings
from .catalogue import seconds_of
from .experiment import ENDED, Experiment, Step

# Calls an operation of the lab: service, operation, region, parameters.
Invoke = Callable[[str, str, str, dict[str, Any]], dict[str, Any]]


def alarm_state(arn: str) -> str | None:
    """The state of an alarm of moto's; None if there is none."""
    region, name = arn.split(":")[3], arn.rpartition(":")[2]
    alarm = cloudwatch_backends[ACCOUNT][region].alarms.get(name)
    return alarm.state_value if alarm else None


class Stopped(Exception):
    """The experiment was stopped while an action ran."""


class Engine:
    """One thread for an experiment and one for each of its actions."""

    def __init__(self, clock: Clock, settings: Settings, invoke: Invoke) -> None:
        self._clock = clock
        self._settings = settings
        self._invoke = invoke

    def start(self, experiment: Experiment) -> None:
        threading.Thread(target=self._run, args=(experiment,), name=experiment.identifier, daemon=True).start()

    def _wait(self, experiment: Experiment, seconds: float) -> None:
        """Sleeps, or raises as soon as the experiment is stopped."""
        if experiment.stop.wait(seconds):
            raise Stopped

    def _enter(self, thing: Experiment | Step, status: str, reason: str) -> None:
        thing.status, thing.reason = status, reason
        now = self._clock.now()
        if status in ("running", "initiating") and thing.start is None:
            thing.start = now
        if status in ENDED or status == "skipped":
            thing.end = now

    def _run(self, experiment: Experiment) -> None:
        try:
            self._wait(experiment, self._settings["fis-step"])
            self._enter(experiment, "initiating", "Experiment is initiating.")
            self._wait(experiment, self._settings["fis-step"])
            if self._no_targets(experiment):
                return
            self._enter(experiment, "running", "Experiment is running.")
        except Stopped:
            self._finish(experiment)
            return
        if experiment.actions_mode == "skip-all":
            for step in experiment.steps.values():
                self._enter(step, "skipped", "Action was skipped because actionsMode is skip-all.")
            self._finish(experiment)
            return
        watcher = threading.Thread(target=self._watch, args=(experiment,), daemon=True)
        watcher.start()
        threads = [
            threading.Thread(target=self._step, args=(experiment, name, step), daemon=True)
            for name, step in experiment.steps.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._finish(experiment)

    def _no_targets(self, experiment: Experiment) -> bool:
        """An empty target fails the experiment, unless the template says that it is skipped."""
        options = experiment.template.get("experimentOptions") or {}
        empty = [name for name, arns in experiment.resolved.items() if not arns]
        if not empty or options.get("emptyTargetResolutionMode") == "skip":
            return False
        code = "TargetResolutionFailed"
        experiment.error = {"accountId": ACCOUNT, "code": code, "location": f"targets.{empty[0]}"}
        for step in experiment.steps.values():
            self._enter(step, "cancelled", "Action was cancelled.")
        self._enter(experiment, "failed", f"Target resolution returned empty set for target {empty[0]}")
        return True

    def _watch(self, experiment: Experiment) -> None:
        """Stop conditions, while it runs."""
        alarms = [
            one["value"] for one in experiment.template["stopConditions"] if one["source"] == "aws:cloudwatch:alarm"
        ]
        while experiment.status == "running" and not experiment.stop.wait(0.1):
            for arn in alarms:
                if alarm_state(arn) == "ALARM":
                    experiment.stop_reason = f"Experiment halted by stop condition: {arn}"
                    experiment.stop.set()

    def _finish(self, experiment: Experiment) -> None:
        failed = [name for name, step in experiment.steps.items() if step.status == "failed"]
        if experiment.stop.is_set() and not failed:
            self._enter(experiment, "stopping", experiment.stop_reason)
            for step in experiment.steps.values():
                if step.status in ("pending", "initiating"):
                    self._enter(step, "cancelled", "Action was cancelled.")
            threading.Event().wait(self._settings["fis-step"])
            self._enter(experiment, "stopped", experiment.stop_reason)
        elif failed:
            self._enter(experiment, "failed", f"Action {failed[0]} failed: {experiment.steps[failed[0]].reason}")
        else:
            self._enter(experiment, "completed", "Experiment completed.")

    def _step(self, experiment: Experiment, name: str, step: Step) -> None:
        try:
            while True:
                before = [experiment.steps[other].status for other in step.definition.get("startAfter") or []]
                if any(status in ("failed", "cancelled", "stopped") for status in before):
                    self._enter(step, "cancelled", "An action that this one follows did not complete.")
                    return
                if all(status in ("completed", "skipped") for status in before):
                    break
                self._wait(experiment, 0.05)
            arns = self._targets(experiment, step)
            if arns is not None and not arns:
                self._enter(step, "skipped", "Action was skipped because its target is empty.")
                return
            self._enter(step, "initiating", "Action is initiating.")
            self._wait(experiment, self._settings["fis-step"])
            self._enter(step, "running", "Action is running.")
            self._act(experiment, step, arns or [])
            self._enter(step, "completed", "Action was completed.")
        except Stopped:
            if step.status in ("pending", "initiating"):
                self._enter(step, "cancelled", "Action was cancelled.")
            else:
                self._enter(step, "stopping", "Action is stopping.")
                self._enter(step, "stopped", "Action was stopped.")
        except AWSError as problem:
            self._enter(step, "failed", f"{problem.code}: {problem.message}")
            experiment.stop_reason = f"Action {name} failed."
            experiment.stop.set()

    @staticmethod
    def _targets(experiment: Experiment, step: Step) -> list[str] | None:
        names = list((step.definition.get("targets") or {}).values())
        return [arn for name in names for arn in experiment.resolved[name]] if names else None

    def _act(self, experiment: Experiment, step: Step, arns: list[str]) -> None:
        parameters = step.definition.get("parameters") or {}
        action, region = step.definition["actionId"], experiment.region
        identifiers = [arn.rpartition("/")[2] for arn in arns]
        if action == "aws:ec2:stop-instances":
            self._stop_instances(experiment, parameters, identifiers)
        elif action == "aws:ec2:reboot-instances":
            self._invoke("ec2", "RebootInstances", region, {"InstanceIds": identifiers})
        elif action == "aws:ec2:terminate-instances":
            self._invoke("ec2", "TerminateInstances", region, {"InstanceIds": identifiers})
        elif action == "aws:rds:failover-db-cluster":
            for arn in arns:
                self._invoke("rds", "FailoverDBCluster", region, {"DBClusterIdentifier": arn})
        elif action == "aws:rds:reboot-db-instances":
            forced = str(parameters.get("forceFailover", "false")).lower() == "true"
            for arn in arns:
                self._invoke("rds", "RebootDBInstance", region, {"DBInstanceIdentifier": arn, "ForceFailover": forced})
        elif action == "aws:ecs:stop-task":
            for arn in arns:
                wanted = {"cluster": arn.split("/")[1], "task": arn, "reason": experiment.arn}
                self._invoke("ecs", "StopTask", region, wanted)
        elif action == "aws:ssm:send-command":
            self._send_command(experiment, parameters, identifiers)
        elif action == "aws:cloudwatch:assert-alarm-state":
            self._assert_alarms(parameters)
        else:
            self._wait(experiment, seconds_of(parameters["duration"]) or 0)

    def _stop_instances(self, experiment: Experiment, parameters: dict[str, str], identifiers: list[str]) -> None:
        """With a duration the instances are started again, also when the experiment is stopped before."""
        self._invoke("ec2", "StopInstances", experiment.region, {"InstanceIds": identifiers})
        length = seconds_of(parameters.get("startInstancesAfterDuration", ""))
        if length is None:
            return
        try:
            self._wait(experiment, length)
        finally:
            # An instance that is still stopping cannot be started.
            threading.Event().wait(self._settings["instance"] if length < self._settings["instance"] else 0)
            threading.Event().wait(0.1)
            try:
                self._invoke("ec2", "StartInstances", experiment.region, {"InstanceIds": identifiers})
            except AWSError:
                threading.Event().wait(self._settings["instance"])
                self._invoke("ec2", "StartInstances", experiment.region, {"InstanceIds": identifiers})

    def _send_command(self, experiment: Experiment, parameters: dict[str, str], identifiers: list[str]) -> None:
        document = parameters["documentArn"].rpartition("/")[2]
        wanted: dict[str, Any] = {"DocumentName": document, "InstanceIds": identifiers}
        given = json.loads(parameters.get("documentParameters", "{}"))
        wanted["Parameters"] = {key: value if isinstance(value, list) else [str(value)] for key, value in given.items()}
        command = self._invoke("ssm", "SendCommand", experiment.region, wanted)["Command"]["CommandId"]
        while True:
            found = self._invoke("ssm", "ListCommands", experiment.region, {"CommandId": command})["Commands"][0]
            if found["Status"] == "Success":
                return
            if found["Status"] in ("Failed", "TimedOut", "Cancelled"):
                raise AWSError("SSMCommandFailed", f"The command {command} ended as {found['Status']}.")
            try:
                self._wait(experiment, 0.1)
            except Stopped:
                self._invoke("ssm", "CancelCommand", experiment.region, {"CommandId": command})
                raise

    @staticmethod
    def _assert_alarms(parameters: dict[str, str]) -> None:
        allowed = [state.strip() for state in parameters["alarmStates"].split(",")]
        for arn in parameters["alarmArns"].split(","):
            if alarm_state(arn.strip()) not in allowed:
                raise AWSError("AlarmStateAssertionFailed", f"Alarm {arn} is not in state {', '.join(allowed)}.")
