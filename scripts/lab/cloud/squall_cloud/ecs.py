"""ECS's StopTask, with the task's way to STOPPED, its stop code, and the service that replaces it."""

from __future__ import annotations

import copy
from typing import Any

from moto.ecs.models import ecs_backends
from moto.moto_api import state_manager
from moto.moto_api._internal import mock_random

from . import motobridge
from .clock import Clock
from .errors import AWSError
from .gate import Call
from .schedule import Schedule
from .services import ACCOUNT
from .settings import Settings

_STOPPING = ("DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED")
_STARTING = ("PENDING", "ACTIVATING", "RUNNING")


def settle_states() -> None:
    """Moto moves a task on whenever it is described; here only time and our own operations do."""
    state_manager.set_transition(model_name="ecs::task", transition={"progression": "manual", "times": 10**9})


class ECS:
    """Tasks are moto's; only what stops and replaces them is ours."""

    def __init__(self, clock: Clock, settings: Settings, schedule: Schedule) -> None:
        self._clock = clock
        self._settings = settings
        self._schedule = schedule

    def handlers(self) -> dict[str, Any]:
        return {"StopTask": self.stop_task, "DescribeTasks": self.describe_tasks}

    def _cluster(self, call: Call) -> str:
        name = str(call.get("cluster", "default")).rpartition("/")[2]
        if name not in ecs_backends[ACCOUNT][call.region].clusters:
            raise AWSError("ClusterNotFoundException", "Cluster not found.")
        return name

    def _tasks(self, region: str, cluster: str) -> dict[str, Any]:
        return ecs_backends[ACCOUNT][region].tasks.get(cluster, {})

    def stop_task(self, call: Call) -> dict[str, Any]:
        cluster, name = self._cluster(call), call["task"].rpartition("/")[2]
        tasks = self._tasks(call.region, cluster)
        task = next((task for task in tasks.values() if task.id == name), None)
        if task is None:
            raise AWSError("InvalidParameterException", "The referenced task was not found.")
        if task.desired_status == "RUNNING":
            with motobridge.lock:
                task.desired_status = "STOPPED"
                task.stop_code = "UserInitiated"
                task.stopped_reason = call.get("reason") or "Task stopped by user"
                task.stopping_at = self._clock.now()
            self._walk(task, _STOPPING)
            self._replace(call.region, cluster, task)
        return {"task": self._described(call.region, cluster, task)}

    def _described(self, region: str, cluster: str, task: Any) -> dict[str, Any]:
        page = motobridge.call("ecs", "DescribeTasks", region, cluster=cluster, tasks=[task.task_arn])
        return page["tasks"][0]

    def _walk(self, task: Any, states: tuple[str, ...]) -> None:
        """Through the states, evenly over the time of a task."""
        step = self._settings["ecs-task"] / len(states)
        for number, name in enumerate(states):
            self._schedule.after(step * number, lambda name=name: self._enter(task, name))

    def _enter(self, task: Any, name: str) -> None:
        with motobridge.lock:
            task.last_status = name
            if name == "STOPPED":
                task.stopped_at = self._clock.now()
                self._count(task)
            if name == "RUNNING":
                task.started_at = self._clock.now()
                self._count(task)

    def _service(self, task: Any) -> Any:
        name = task.group.partition("service:")[2]
        services = ecs_backends[ACCOUNT][task.region_name].services.values()
        return next((one for one in services if one.name == name and one.cluster_name == task.cluster_name), None)

    def _count(self, task: Any) -> None:
        """The service's counts, from its tasks."""
        service = self._service(task)
        if service is None:
            return
        tasks = [one for one in self._tasks(task.region_name, task.cluster_name).values() if one.group == task.group]
        service.running_count = sum(one.last_status == "RUNNING" for one in tasks)
        service.pending_count = sum(one.last_status in ("PROVISIONING", "PENDING", "ACTIVATING") for one in tasks)
        for deployment in service.deployments if hasattr(service, "deployments") else []:
            if isinstance(deployment, dict):
                deployment["runningCount"] = service.running_count
                deployment["pendingCount"] = service.pending_count

    def _replace(self, region: str, cluster: str, stopped: Any) -> None:
        """A service starts another task for one that stops."""
        if self._service(stopped) is None:
            return
        with motobridge.lock:
            task = copy.copy(stopped)
            task.id = str(mock_random.uuid4())
            task.desired_status = "RUNNING"
            task.last_status = "PROVISIONING"
            task.stopped_reason = ""
            for name in ("stop_code", "stopping_at", "stopped_at"):
                vars(task).pop(name, None)
            self._tasks(region, cluster)[task.task_arn] = task
            stopped.last_status = _STOPPING[0]
            self._count(stopped)
        step = self._settings["ecs-task"] / len(_STARTING)
        for number, name in enumerate(_STARTING, start=1):
            self._schedule.after(step * number, lambda name=name: self._enter(task, name))

    def describe_tasks(self, call: Call) -> Any:
        """Moto says nothing of tasks that do not exist; AWS lists them as failures."""
        cluster = self._cluster(call)
        known = {task.id for task in self._tasks(call.region, cluster).values()}
        names = [str(name) for name in call.get("tasks") or []]
        missing = [name for name in names if name.rpartition("/")[2] not in known]
        if not missing:
            return motobridge.forward(call.request)
        present = [name for name in names if name not in missing]
        tasks = []
        if present:
            parameters = {**call.parameters, "tasks": present}
            tasks = motobridge.call("ecs", "DescribeTasks", call.region, **parameters)["tasks"]
        front = f"arn:aws:ecs:{call.region}:{ACCOUNT}:task/{cluster}/"
        failures = [{"arn": name if ":" in name else front + name, "reason": "MISSING"} for name in missing]
        return {"tasks": tasks, "failures": failures}
