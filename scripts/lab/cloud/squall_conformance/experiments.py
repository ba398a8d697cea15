"""FIS: templates, and experiments that act on the lab, in their order, until they are done or stopped."""

from __future__ import annotations

import uuid
from typing import Any

from .harness import Cloud


def _template(cloud: Cloud, **changes: Any) -> dict[str, Any]:
    """Two actions in a row on one instance."""
    identifier = cloud.world["instances"][0]["id"]
    return {
        "clientToken": str(uuid.uuid4()),
        "description": "an instance reboots after a pause",
        "roleArn": cloud.world["iam"]["fis-role-arn"],
        "stopConditions": [{"source": "aws:cloudwatch:alarm", "value": cloud.world["alarms"]["squall-ok"]}],
        "targets": {
            "one": {
                "resourceType": "aws:ec2:instance",
                "resourceArns": [f"arn:aws:ec2:us-east-1:123456789012:instance/{identifier}"],
                "selectionMode": "ALL",
            }
        },
        "actions": {
            "pause": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1S"}},
            "reboot": {
                "actionId": "aws:ec2:reboot-instances",
                "targets": {"Instances": "one"},
                "startAfter": ["pause"],
            },
        },
        "tags": {"squall": "conformance"},
        **changes,
    }


def _made(cloud: Cloud, **changes: Any) -> str:
    return cloud.client("fis").create_experiment_template(**_template(cloud, **changes))["experimentTemplate"]["id"]


def _start(cloud: Cloud, template: str, **more: Any) -> dict[str, Any]:
    token = more.pop("clientToken", str(uuid.uuid4()))
    return cloud.client("fis").start_experiment(clientToken=token, experimentTemplateId=template, **more)["experiment"]


def _get(cloud: Cloud, identifier: str) -> dict[str, Any]:
    return cloud.client("fis").get_experiment(id=identifier)["experiment"]


def _ended(cloud: Cloud, identifier: str, wanted: str) -> dict[str, Any]:
    """The experiment once it has ended, which must be so."""
    ends = ("completed", "stopped", "failed", "cancelled")
    experiment = cloud.until(
        20, "the experiment ends", lambda: (found := _get(cloud, identifier))["state"]["status"] in ends and found
    )
    cloud.equal(experiment["state"]["status"], wanted, f"the end ({experiment['state']['reason']})")
    return experiment


def a_template_is_kept_as_given(cloud: Cloud) -> None:
    fis, wanted = cloud.client("fis"), _template(cloud)
    made = fis.create_experiment_template(**wanted)["experimentTemplate"]
    again = fis.create_experiment_template(**wanted)["experimentTemplate"]
    cloud.equal(again["id"], made["id"], "the same client token")
    found = fis.get_experiment_template(id=made["id"])["experimentTemplate"]
    for name in ("description", "actions", "targets", "stopConditions", "roleArn", "tags"):
        cloud.equal(found[name], wanted[name], name)
    changed = fis.update_experiment_template(id=made["id"], description="changed")["experimentTemplate"]
    cloud.equal(changed["description"], "changed", "the update")
    listed = fis.list_experiment_templates()["experimentTemplates"]
    cloud.true(made["id"] in [one["id"] for one in listed], "the list")
    other = {**wanted, "description": "other"}
    cloud.refused(lambda: fis.create_experiment_template(**other), "ConflictException", 409)
    fis.delete_experiment_template(id=made["id"])
    cloud.refused(lambda: fis.get_experiment_template(id=made["id"]), "ResourceNotFoundException", 404)


def a_template_that_cannot_run_is_refused(cloud: Cloud) -> None:
    fis = cloud.client("fis")
    wait = {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1S"}}
    target = _template(cloud)["targets"]["one"]
    for changes in (
        {"actions": {"x": {**wait, "actionId": "aws:fis:nothing"}}},
        {"actions": {"x": {**wait, "parameters": {}}}},
        {"actions": {"x": {**wait, "parameters": {"duration": "10 s"}}}},
        {"actions": {"x": {**wait, "startAfter": ["none"]}}},
        {"actions": {"x": {"actionId": "aws:ec2:reboot-instances", "targets": {"Instances": "none"}}}},
        {"stopConditions": []},
        {"stopConditions": [{"source": "nonsense"}]},
        {"targets": {"one": {**target, "selectionMode": "SOME"}}},
        {"targets": {"one": {**target, "resourceArns": target["resourceArns"] * 6}}},
        {"description": "x" * 513},
    ):
        wrong = _template(cloud, **changes)
        cloud.refused(lambda wrong=wrong: fis.create_experiment_template(**wrong), "ValidationException", 400)


def an_experiment_walks_its_actions(cloud: Cloud) -> None:
    template = _made(cloud)
    token = str(uuid.uuid4())
    started = _start(cloud, template, clientToken=token, tags={"run": "1"})
    cloud.equal(started["state"]["status"], "pending", "the first state")
    identifier = started["id"]
    cloud.equal(_start(cloud, template, clientToken=token, tags={"run": "1"})["id"], identifier, "the same token")

    def pausing() -> bool:
        actions = _get(cloud, identifier)["actions"]
        states = (actions["pause"]["state"]["status"], actions["reboot"]["state"]["status"])
        return states == ("running", "pending")

    cloud.until(5, "the first action runs, the second waits", pausing)
    cloud.equal(_get(cloud, identifier)["state"]["status"], "running", "the experiment")
    calls = len(cloud.lab("GET", "calls"))
    experiment = _ended(cloud, identifier, "completed")
    actions = experiment["actions"]
    cloud.true(actions["pause"]["endTime"] <= actions["reboot"]["startTime"], "the order")
    cloud.true((actions["pause"]["endTime"] - actions["pause"]["startTime"]).total_seconds() >= 0.9, "the pause")
    cloud.true(calls and experiment["tags"] == {"run": "1"}, "tags")
    status = cloud.client("ec2").describe_instance_status(InstanceIds=[cloud.world["instances"][0]["id"]])
    cloud.equal(status["InstanceStatuses"][0]["InstanceStatus"]["Status"], "initializing", "it really rebooted")
    resolved = cloud.client("fis").list_experiment_resolved_targets(experimentId=identifier)["resolvedTargets"]
    cloud.equal((resolved[0]["targetName"], len(resolved)), ("one", 1), "the resolved targets")
    listed = cloud.client("fis").list_experiments(experimentTemplateId=template)["experiments"]
    cloud.equal([one["id"] for one in listed], [identifier], "the list")
    stopped = {"id": identifier}
    cloud.refused(lambda: cloud.client("fis").stop_experiment(**stopped), "ValidationException", 400)


def a_dry_run_only_resolves(cloud: Cloud) -> None:
    tagged = {"resourceType": "aws:ec2:instance", "resourceTags": {"squall.role": "web"}, "selectionMode": "ALL"}
    template = _made(cloud, targets={"one": tagged})
    identifier = _start(cloud, template, experimentOptions={"actionsMode": "skip-all"})["id"]
    experiment = _ended(cloud, identifier, "completed")
    cloud.equal({one["state"]["status"] for one in experiment["actions"].values()}, {"skipped"}, "the actions")
    resolved = cloud.client("fis").list_experiment_resolved_targets(experimentId=identifier)["resolvedTargets"]
    cloud.equal(len(resolved), 2, "the resolved targets")
    none = {**tagged, "resourceTags": {"squall.role": "none"}}
    empty = _start(cloud, _made(cloud, targets={"one": none}))["id"]
    experiment = _ended(cloud, empty, "failed")
    cloud.equal(experiment["state"]["error"]["code"], "TargetResolutionFailed", "the error")


def an_experiment_is_stopped(cloud: Cloud) -> None:
    long = {"pause": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1H"}}}
    template = _made(cloud, actions=long, targets={})
    identifier = _start(cloud, template)["id"]
    cloud.until(
        5, "the action runs", lambda: _get(cloud, identifier)["actions"]["pause"]["state"]["status"] == "running"
    )
    answer = cloud.client("fis").stop_experiment(id=identifier)["experiment"]
    cloud.equal(answer["state"]["status"], "stopping", "the answer")
    experiment = _ended(cloud, identifier, "stopped")
    cloud.equal(experiment["actions"]["pause"]["state"]["status"], "stopped", "the action")
    cloudwatch = cloud.client("cloudwatch")
    identifier = _start(cloud, template)["id"]
    cloud.until(5, "running", lambda: _get(cloud, identifier)["state"]["status"] == "running")
    cloudwatch.set_alarm_state(AlarmName="squall-ok", StateValue="ALARM", StateReason="drill")
    try:
        experiment = _ended(cloud, identifier, "stopped")
        cloud.true("stop condition" in experiment["state"]["reason"], experiment["state"]["reason"])
        cloud.refused(lambda: _start(cloud, template), "ConflictException", 409)
    finally:
        cloudwatch.set_alarm_state(AlarmName="squall-ok", StateValue="OK", StateReason="drill")
    fis = cloud.client("fis")
    fis.update_safety_lever_state(id="default", state={"status": "engaged", "reason": "drill"})
    cloud.equal(fis.get_safety_lever(id="default")["safetyLever"]["state"]["status"], "engaged", "the lever")
    cloud.refused(lambda: _start(cloud, template), "ConflictException", 409)
    fis.update_safety_lever_state(id="default", state={"status": "disengaged", "reason": "drill"})


def actions_act_on_the_lab(cloud: Cloud) -> None:
    cloud.lab("POST", "settings", {"instance": 0.3, "failover": 0.6, "ssm-command": 0.4})
    instance = "arn:aws:ec2:us-east-1:123456789012:instance/" + cloud.world["instances"][1]["id"]
    cluster = cloud.world["rds"]["global-cluster"]["primary-arn"]
    parameters = {"documentArn": "arn:aws:ssm:us-east-1::document/AWS-RunShellScript", "duration": "PT1M"}
    identifier = _start(
        cloud,
        _made(
            cloud,
            targets={
                "instance": {"resourceType": "aws:ec2:instance", "resourceArns": [instance], "selectionMode": "ALL"},
                "cluster": {"resourceType": "aws:rds:cluster", "resourceArns": [cluster], "selectionMode": "ALL"},
            },
            actions={
                "run": {
                    "actionId": "aws:ssm:send-command",
                    "targets": {"Instances": "instance"},
                    "parameters": parameters,
                },
                "stop": {
                    "actionId": "aws:ec2:stop-instances",
                    "targets": {"Instances": "instance"},
                    "parameters": {"startInstancesAfterDuration": "PT1S"},
                    "startAfter": ["run"],
                },
                "failover": {"actionId": "aws:rds:failover-db-cluster", "targets": {"Clusters": "cluster"}},
            },
        ),
    )["id"]
    ec2 = cloud.client("ec2")

    def state() -> str:
        found = ec2.describe_instances(InstanceIds=[cloud.world["instances"][1]["id"]])["Reservations"]
        return found[0]["Instances"][0]["State"]["Name"]

    def status() -> str:
        found = cloud.client("rds").describe_db_clusters(DBClusterIdentifier="squall-global-east")
        return found["DBClusters"][0]["Status"]

    cloud.until(5, "the cluster fails over", lambda: status() == "failing-over")
    cloud.until(5, "the instance stops", lambda: state() in ("stopping", "stopped"))
    _ended(cloud, identifier, "completed")
    cloud.until(5, "the instance runs again", lambda: state() == "running")


def what_fis_offers_is_listed(cloud: Cloud) -> None:
    fis = cloud.client("fis")
    names = {one["id"] for one in fis.list_actions()["actions"]}
    cloud.true({"aws:fis:wait", "aws:ec2:stop-instances", "aws:rds:failover-db-cluster"} <= names, f"{names}")
    action = fis.get_action(id="aws:fis:wait")["action"]
    cloud.equal(action["parameters"]["duration"]["required"], True, "a parameter")
    cloud.refused(lambda: fis.get_action(id="aws:fis:nothing"), "ResourceNotFoundException", 404)
    kinds = {one["resourceType"] for one in fis.list_target_resource_types()["targetResourceTypes"]}
    cloud.true("aws:rds:cluster" in kinds, f"{kinds}")
    kind = fis.get_target_resource_type(resourceType="aws:rds:cluster")["targetResourceType"]
    cloud.equal(kind["resourceType"], "aws:rds:cluster", "a type")
    cloud.refused(lambda: fis.get_experiment(id="EXPnone"), "ResourceNotFoundException", 404)
    missing = {"clientToken": "x", "experimentTemplateId": "EXTnone"}
    cloud.refused(lambda: fis.start_experiment(**missing), "ResourceNotFoundException", 404)
    long = {"pause": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1H"}}}
    template = _made(cloud, actions=long, targets={})
    running = [_start(cloud, template)["id"] for _ in range(5)]
    cloud.refused(lambda: _start(cloud, template), "ServiceQuotaExceededException", 402)
    for identifier in running:
        fis.stop_experiment(id=identifier)
    for identifier in running:
        _ended(cloud, identifier, "stopped")


CHECKS = (
    a_template_is_kept_as_given,
    a_template_that_cannot_run_is_refused,
    an_experiment_walks_its_actions,
    a_dry_run_only_resolves,
    an_experiment_is_stopped,
    actions_act_on_the_lab,
    what_fis_offers_is_listed,
)
