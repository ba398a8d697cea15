"""The API of FIS: templates, experiments, actions, target types and the safety lever."""

from __future__ import annotations

import random
import string
import threading
from typing import Any

from ..clock import Clock
from ..errors import AWSError
from ..gate import Call
from ..services import ACCOUNT
from ..tagging import Tagging
from . import targets
from .catalogue import ACTIONS, TARGET_TYPES, seconds_of
from .engine import Engine, alarm_state
from .experiment import ENDED, Experiment, Step

# What an account may run at once.
ACTIVE_EXPERIMENTS = 5
_EDITABLE = (
    "description",
    "stopConditions",
    "targets",
    "actions",
    "roleArn",
    "logConfiguration",
    "experimentOptions",
    "experimentReportConfiguration",
)


def _new(prefix: str) -> str:
    return prefix + "".join(random.choices(string.ascii_letters + string.digits, k=15))


def _invalid(message: str) -> AWSError:
    return AWSError("ValidationException", message, 400)


def _missing(what: str, identifier: str) -> AWSError:
    return AWSError("ResourceNotFoundException", f"{what} {identifier} does not exist.", 404)


class FIS:
    """Templates and experiments of both regions."""

    def __init__(self, clock: Clock, engine: Engine, tagging: Tagging) -> None:
        self._clock = clock
        self._engine = engine
        self._tagging = tagging
        self._templates: dict[tuple[str, str], dict[str, Any]] = {}
        self._experiments: dict[tuple[str, str], Experiment] = {}
        # Client token → what was made with it.
        self._tokens: dict[tuple[str, str, str], tuple[Any, str]] = {}
        self._lever: dict[str, dict[str, str]] = {}
        self._lock = threading.RLock()

    def handlers(self) -> dict[str, Any]:
        return {
            "CreateExperimentTemplate": self.create_template,
            "GetExperimentTemplate": self.get_template,
            "UpdateExperimentTemplate": self.update_template,
            "DeleteExperimentTemplate": self.delete_template,
            "ListExperimentTemplates": self.list_templates,
            "StartExperiment": self.start,
            "GetExperiment": self.get,
            "StopExperiment": self.stop,
            "ListExperiments": self.list_experiments,
            "ListExperimentResolvedTargets": self.resolved_targets,
            "ListActions": lambda call: {"actions": [action.summary(call.region) for action in ACTIONS.values()]},
            "GetAction": self.get_action,
            "ListTargetResourceTypes": self.target_types,
            "GetTargetResourceType": self.target_type,
            "GetSafetyLever": self.safety_lever,
            "UpdateSafetyLeverState": self.update_safety_lever,
            "ListTagsForResource": self.tags_of,
        }

    def _check_template(self, template: dict[str, Any]) -> None:
        if len(template["description"]) > 512:
            raise _invalid("description is longer than 512 characters.")
        if not template["actions"]:
            raise _invalid("actions must not be empty.")
        if not template["stopConditions"]:
            raise _invalid("stopConditions must not be empty.")
        known = template.get("targets") or {}
        for name, target in known.items():
            targets.check(name, target)
        for condition in template["stopConditions"]:
            if condition["source"] == "aws:cloudwatch:alarm":
                if not condition.get("value", "").startswith("arn:aws:cloudwatch:"):
                    raise _invalid("A stop condition on an alarm needs the alarm's ARN.")
            elif condition["source"] != "none":
                raise _invalid(f"Invalid stop condition source {condition['source']}.")
        for name, action in template["actions"].items():
            self._check_action(name, action, template["actions"], known)

    @staticmethod
    def _check_action(name: str, action: dict[str, Any], actions: dict[str, Any], known: dict[str, Any]) -> None:
        definition = ACTIONS.get(action["actionId"])
        if definition is None:
            raise _invalid(f"Invalid actionId {action['actionId']} in action {name}.")
        given = action.get("parameters") or {}
        if unknown := [key for key in given if key not in definition.parameters]:
            raise _invalid(f"Action {name} has no parameter {unknown[0]}.")
        if lacking := [key for key, needed in definition.parameters.items() if needed and key not in given]:
            raise _invalid(f"Action {name} needs the parameter {lacking[0]}.")
        for key in ("duration", "startInstancesAfterDuration"):
            if key in given and seconds_of(given[key]) is None:
                raise _invalid(f"{given[key]} is no ISO 8601 duration (action {name}).")
        named = action.get("targets") or {}
        wanted = {definition.target[0]} if definition.target else set()
        if set(named) != wanted:
            raise _invalid(f"Action {name} takes the targets {sorted(wanted)}, not {sorted(named)}.")
        for target in named.values():
            if target not in known:
                raise _invalid(f"Action {name} names the target {target}, which is not defined.")
            if definition.target and known[target]["resourceType"] != definition.target[1]:
                raise _invalid(f"Target {target} is no {definition.target[1]} (action {name}).")
        if absent := [other for other in action.get("startAfter") or [] if other not in actions or other == name]:
            raise _invalid(f"Action {name} starts after {absent[0]}, which is no other action.")

    def _once(self, call: Call, made: Any, identifier: str) -> str | None:
        """The identifier that this client token gave before; the same token with other values is refused."""
        key = (call.region, call.operation, call["clientToken"])
        with self._lock:
            if key not in self._tokens:
                self._tokens[key] = (made, identifier)
                return None
            before, known = self._tokens[key]
        if before != made:
            raise AWSError("ConflictException", "The client token was used with other parameters.", 409)
        return known

    def create_template(self, call: Call) -> dict[str, Any]:
        template = {name: call.get(name) for name in (*_EDITABLE, "tags") if call.get(name) is not None}
        for name in ("description", "stopConditions", "actions", "roleArn"):
            if name not in template:
                raise _invalid(f"The parameter {name} is required.")
        self._check_template(template)
        identifier = _new("EXT")
        if known := self._once(call, template, identifier):
            return {"experimentTemplate": self._templates[call.region, known]}
        now = self._clock.now()
        options = {"accountTargeting": "single-account", "emptyTargetResolutionMode": "fail"}
        shown = {
            **template,
            "id": identifier,
            "arn": f"arn:aws:fis:{call.region}:{ACCOUNT}:experiment-template/{identifier}",
            "creationTime": now,
            "lastUpdateTime": now,
            "targets": template.get("targets", {}),
            "tags": template.get("tags", {}),
            "experimentOptions": {**options, **template.get("experimentOptions", {})},
            "targetAccountConfigurationsCount": 0,
        }
        self._templates[call.region, identifier] = shown
        return {"experimentTemplate": shown}

    def _template(self, call: Call, identifier: str) -> dict[str, Any]:
        template = self._templates.get((call.region, identifier))
        if template is None:
            raise _missing("Experiment template", identifier)
        return template

    def get_template(self, call: Call) -> dict[str, Any]:
        return {"experimentTemplate": self._template(call, call["id"])}

    def update_template(self, call: Call) -> dict[str, Any]:
        template = self._template(call, call["id"])
        changed = {**template, **{name: call.get(name) for name in _EDITABLE if call.get(name) is not None}}
        self._check_template(changed)
        changed["lastUpdateTime"] = self._clock.now()
        self._templates[call.region, call["id"]] = changed
        return {"experimentTemplate": changed}

    def delete_template(self, call: Call) -> dict[str, Any]:
        template = self._template(call, call["id"])
        del self._templates[call.region, call["id"]]
        return {"experimentTemplate": template}

    @staticmethod
    def _page(call: Call, name: str, items: list[Any]) -> dict[str, Any]:
        size, first = int(call.get("maxResults") or 100), int(call.get("nextToken") or 0)
        page: dict[str, Any] = {name: items[first : first + size]}
        if first + size < len(items):
            page["nextToken"] = str(first + size)
        return page

    def list_templates(self, call: Call) -> dict[str, Any]:
        return self._page(
            call, "experimentTemplates", [one for (region, _), one in self._templates.items() if region == call.region]
        )

    def start(self, call: Call) -> dict[str, Any]:
        template = self._template(call, call["experimentTemplateId"])
        mode = (call.get("experimentOptions") or {}).get("actionsMode", "run-all")
        identifier = _new("EXP")
        made = (template["id"], mode, call.get("tags"))
        with self._lock:
            if known := self._once(call, made, identifier):
                return {"experiment": self._experiments[call.region, known].describe()}
            try:
                self._check_start(call, template)
            except AWSError:
                del self._tokens[call.region, call.operation, call["clientToken"]]
                raise
            steps = {name: Step(dict(action)) for name, action in template["actions"].items()}
            experiment = Experiment(
                identifier, call.region, dict(template), mode, call.get("tags") or {}, self._clock.now(), steps
            )
            for name, target in template["targets"].items():
                experiment.resolved[name] = targets.resolve(target, call.region, self._tagging)
            self._experiments[call.region, identifier] = experiment
        described = experiment.describe()
        self._engine.start(experiment)
        return {"experiment": described}

    def _check_start(self, call: Call, template: dict[str, Any]) -> None:
        if self._lever.get(call.region, {}).get("status") == "engaged":
            text = "The experiment cannot start because the safety lever is engaged."
            raise AWSError("ConflictException", text, 409)
        active = [one for one in self._experiments.values() if one.status not in ENDED and one.region == call.region]
        if len(active) >= ACTIVE_EXPERIMENTS:
            text = f"The account has {len(active)} active experiments, which is the limit."
            raise AWSError("ServiceQuotaExceededException", text, 402)
        for condition in template["stopConditions"]:
            if condition["source"] == "aws:cloudwatch:alarm":
                state = alarm_state(condition["value"])
                if state is None:
                    raise _invalid(f"Alarm {condition['value']} does not exist.")
                if state == "ALARM":
                    text = f"Experiment cannot start because stop condition {condition['value']} is in ALARM."
                    raise AWSError("ConflictException", text, 409)

    def _experiment(self, call: Call, identifier: str) -> Experiment:
        experiment = self._experiments.get((call.region, identifier))
        if experiment is None:
            raise _missing("Experiment", identifier)
        return experiment

    def get(self, call: Call) -> dict[str, Any]:
        return {"experiment": self._experiment(call, call["id"]).describe()}

    def stop(self, call: Call) -> dict[str, Any]:
        experiment = self._experiment(call, call["id"])
        if experiment.status in ENDED:
            raise _invalid(f"Experiment {experiment.identifier} is {experiment.status} and cannot be stopped.")
        experiment.status, experiment.reason = "stopping", experiment.stop_reason
        experiment.stop.set()
        return {"experiment": experiment.describe()}

    def list_experiments(self, call: Call) -> dict[str, Any]:
        wanted = call.get("experimentTemplateId")
        found = [
            one.summary()
            for one in self._experiments.values()
            if one.region == call.region and wanted in (None, one.template["id"])
        ]
        return self._page(call, "experiments", found)

    def resolved_targets(self, call: Call) -> dict[str, Any]:
        experiment = self._experiment(call, call["experimentId"])
        found = [
            {
                "resourceType": experiment.template["targets"][name]["resourceType"],
                "targetName": name,
                "targetInformation": {"arn": arn},
            }
            for name, arns in experiment.resolved.items()
            if call.get("targetName", name) == name
            for arn in arns
        ]
        return self._page(call, "resolvedTargets", found)

    def get_action(self, call: Call) -> dict[str, Any]:
        if call["id"] not in ACTIONS:
            raise _missing("Action", call["id"])
        return {"action": ACTIONS[call["id"]].describe(call.region)}

    def target_types(self, call: Call) -> dict[str, Any]:
        kinds = [{"resourceType": kind, "description": text} for kind, text in TARGET_TYPES.items()]
        return {"targetResourceTypes": kinds}

    def target_type(self, call: Call) -> dict[str, Any]:
        kind = call["resourceType"]
        if kind not in TARGET_TYPES:
            raise _missing("Target resource type", kind)
        return {"targetResourceType": {"resourceType": kind, "description": TARGET_TYPES[kind], "parameters": {}}}

    def _lever_described(self, call: Call) -> dict[str, Any]:
        if call["id"] != "default":
            raise _missing("Safety lever", call["id"])
        state = self._lever.get(call.region, {"status": "disengaged", "reason": "Default"})
        arn = f"arn:aws:fis:{call.region}:{ACCOUNT}:safety-lever/default"
        return {"safetyLever": {"id": "default", "arn": arn, "state": state}}

    def safety_lever(self, call: Call) -> dict[str, Any]:
        return self._lever_described(call)

    def update_safety_lever(self, call: Call) -> dict[str, Any]:
        """Engaging it stops what runs, too."""
        self._lever_described(call)
        self._lever[call.region] = dict(call["state"])
        if call["state"]["status"] == "engaged":
            for experiment in self._experiments.values():
                if experiment.region == call.region and experiment.status not in ENDED:
                    experiment.stop_reason = "Experiment stopped by the safety lever."
                    experiment.stop.set()
        return self._lever_described(call)

    def tags_of(self, call: Call) -> dict[str, Any]:
        name = call["resourceArn"].rpartition("/")[2]
        if (call.region, name) in self._templates:
            return {"tags": self._templates[call.region, name]["tags"]}
        return {"tags": self._experiment(call, name).tags}
