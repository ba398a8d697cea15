"""RDS: Aurora's failover with its states and events, the global pair, reboots, stop and start."""

from __future__ import annotations

import time
from typing import Any

from .harness import Cloud


def _cluster(cloud: Cloud, name: str = "app", region: str = "us-east-1") -> dict[str, Any]:
    found = cloud.client("rds", region).describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    cloud.true(len(found) == 1 and found[0]["DBClusterIdentifier"] == name, f"cluster {name} is not described")
    return found[0]


def _writers(cluster: dict[str, Any]) -> list[str]:
    return [one["DBInstanceIdentifier"] for one in cluster["DBClusterMembers"] if one["IsClusterWriter"]]


def _messages(cloud: Cloud, kind: str, source: str, region: str = "us-east-1") -> list[str]:
    events = cloud.client("rds", region).describe_events(SourceType=kind, SourceIdentifier=source)["Events"]
    return [event["Message"] for event in events]


def _settled(cloud: Cloud, name: str = "app") -> dict[str, Any]:
    """The cluster once it is available with a writer and with readers that may follow it."""

    def look() -> Any:
        cluster = _cluster(cloud, name)
        instances = cloud.client("rds").describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": [name]}])
        healthy = all(one["DBInstanceStatus"] == "available" for one in instances["DBInstances"])
        return cluster if cluster["Status"] == "available" and _writers(cluster) and healthy else None

    return cloud.until(60, f"cluster {name} is available with all of its instances", look)


def a_cluster_shows_its_members(cloud: Cloud) -> None:
    cluster = _settled(cloud)
    cloud.equal(cluster["Engine"], "aurora-postgresql", "the engine")
    cloud.equal(
        [one["DBInstanceIdentifier"] for one in cluster["DBClusterMembers"]], ["pg-1", "pg-2", "pg-3"], "members"
    )
    cloud.equal(len(_writers(cluster)), 1, "the number of writers")
    cloud.equal(f"{cluster['Endpoint']}:{cluster['Port']}", cloud.world["rds"]["endpoints"]["writer"], "the endpoint")
    cloud.equal(cluster["MultiAZ"], True, "MultiAZ")
    rds = cloud.client("rds")
    by_arn = rds.describe_db_clusters(DBClusterIdentifier=cluster["DBClusterArn"])["DBClusters"]
    cloud.equal(by_arn[0]["DBClusterIdentifier"], "app", "the cluster by its ARN")
    cloud.equal(
        rds.describe_db_clusters(DBClusterIdentifier="APP")["DBClusters"][0]["DBClusterIdentifier"], "app", "APP"
    )
    names = {one["DBClusterIdentifier"] for one in rds.describe_db_clusters()["DBClusters"]}
    cloud.true({"app", "squall-global-east"} <= names and "squall-global-west" not in names, f"clusters {names}")
    instance = rds.describe_db_instances(DBInstanceIdentifier="pg-2")["DBInstances"][0]
    cloud.equal((instance["DBClusterIdentifier"], instance["DBInstanceStatus"]), ("app", "available"), "pg-2")
    cloud.true(instance["Endpoint"]["Port"] > 0 and instance["AvailabilityZone"].startswith("us-east-1"), "its place")
    cloud.refused(lambda: rds.describe_db_clusters(DBClusterIdentifier="none"), "DBClusterNotFoundFault", 404)
    cloud.refused(lambda: rds.describe_db_instances(DBInstanceIdentifier="none"), "DBInstanceNotFound", 404)


def a_failover_goes_through_its_states(cloud: Cloud) -> None:
    cluster, rds = _settled(cloud), cloud.client("rds")
    old = _writers(cluster)[0]
    target = next(one["DBInstanceIdentifier"] for one in cluster["DBClusterMembers"] if not one["IsClusterWriter"])
    before = len(_messages(cloud, "db-cluster", "app"))
    started = time.monotonic()
    accepted = rds.failover_db_cluster(DBClusterIdentifier="app", TargetDBInstanceIdentifier=target)["DBCluster"]
    cloud.equal(_writers(accepted), [old], "the writer in the answer")
    again = cloud.refused(lambda: rds.failover_db_cluster(DBClusterIdentifier="app"), "InvalidDBClusterStateFault", 400)
    cloud.true("available" in again["Error"]["Message"], "the refusal's sentence")
    cloud.until(10, "failing-over is shown", lambda: _cluster(cloud)["Status"] == "failing-over")
    cloud.until(40, "the new writer is shown", lambda: _writers(_cluster(cloud)) == [target])
    cloud.until(40, "it is available again", lambda: _cluster(cloud)["Status"] == "available")
    print(f"failover of app: {time.monotonic() - started:.2f} s")
    messages = _messages(cloud, "db-cluster", "app")[before:]
    cloud.true(messages[0].endswith(f"AZ failover to DB instance: {target}"), f"events {messages}")
    cloud.equal(messages[-1], f"Completed failover to DB instance: {target}", "the last event")
    promoted = "A new writer was promoted. Restarting database as a reader."
    cloud.true(promoted in _messages(cloud, "db-instance", old), "the old writer's event")
    _settled(cloud)


def a_failover_is_refused_where_it_cannot_be(cloud: Cloud) -> None:
    rds, writer = cloud.client("rds"), _writers(_settled(cloud))[0]

    def fail_over(name: str, target: str | None = None) -> Any:
        more = {"TargetDBInstanceIdentifier": target} if target else {}
        return lambda: rds.failover_db_cluster(DBClusterIdentifier=name, **more)

    cloud.refused(fail_over("none"), "DBClusterNotFoundFault", 404)
    cloud.refused(fail_over("app", "squall-global-east-2"), "InvalidParameterValue", 400)
    cloud.refused(fail_over("app", writer), "InvalidDBClusterStateFault", 400)
    cloud.equal(_cluster(cloud)["Status"], "available", "the status after refusals")


def a_failover_goes_wrong_as_a_test_wants(cloud: Cloud) -> None:
    """The scripted pair's first half, so that real nodes are spared."""
    name, rds = "squall-global-east", cloud.client("rds")
    writer = _writers(_settled(cloud, name))[0]
    reader = next(one for one in (f"{name}-1", f"{name}-2") if one != writer)
    cloud.lab("POST", "settings", {"aurora-failover": "never"})
    rds.failover_db_cluster(DBClusterIdentifier=name)
    time.sleep(0.4)
    cloud.equal((_cluster(cloud, name)["Status"], _messages(cloud, "db-cluster", name)), ("available", []), "never")
    cloud.lab("POST", "settings", {"aurora-failover": "refused", "failover": 0.6})
    rds.failover_db_cluster(DBClusterIdentifier=name, TargetDBInstanceIdentifier=reader)
    cloud.until(5, "failing-over", lambda: _cluster(cloud, name)["Status"] == "failing-over")
    cloud.until(5, "available", lambda: _cluster(cloud, name)["Status"] == "available")
    cloud.equal(_writers(_cluster(cloud, name)), [writer], "the writer after a refused failover")
    failed = "Cluster failover failed, check the health of your cluster instances and try again."
    cloud.equal(_messages(cloud, "db-cluster", name)[-1], failed, "the event of a failed failover")
    cloud.lab("POST", "settings", {"aurora-failover": "normal", "two-writers": True})
    rds.failover_db_cluster(DBClusterIdentifier=name)
    cloud.until(5, "two writers are shown", lambda: len(_writers(_cluster(cloud, name))) == 2)
    cloud.until(5, "available", lambda: _cluster(cloud, name)["Status"] == "available")
    cloud.lab("POST", "settings", {"two-writers": False})


def a_cluster_stops_and_starts(cloud: Cloud) -> None:
    name, rds = "squall-global-east", cloud.client("rds")
    _settled(cloud, name)
    cloud.lab("POST", "settings", {"cluster": 0.5})
    cloud.refused(lambda: rds.start_db_cluster(DBClusterIdentifier=name), "InvalidDBClusterStateFault", 400)
    cloud.equal(rds.stop_db_cluster(DBClusterIdentifier=name)["DBCluster"]["Status"], "stopping", "stop")
    cloud.refused(lambda: rds.stop_db_cluster(DBClusterIdentifier=name), "InvalidDBClusterStateFault", 400)
    cloud.until(5, "stopped", lambda: _cluster(cloud, name)["Status"] == "stopped")
    cloud.refused(lambda: rds.failover_db_cluster(DBClusterIdentifier=name), "InvalidDBClusterStateFault", 400)
    cloud.equal(rds.start_db_cluster(DBClusterIdentifier=name)["DBCluster"]["Status"], "starting", "start")
    cloud.until(5, "available", lambda: _cluster(cloud, name)["Status"] == "available")
    cloud.equal(rds.reboot_db_cluster(DBClusterIdentifier=name)["DBCluster"]["Status"], "rebooting", "reboot")
    cloud.until(5, "available", lambda: _cluster(cloud, name)["Status"] == "available")
    for operation in (rds.stop_db_cluster, rds.start_db_cluster, rds.reboot_db_cluster):
        cloud.refused(lambda call=operation: call(DBClusterIdentifier="none"), "DBClusterNotFoundFault", 404)


def an_instance_reboots(cloud: Cloud) -> None:
    rds = cloud.client("rds")

    def instance(name: str) -> dict[str, Any]:
        return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]

    name = "squall-global-east-2"
    cloud.equal(rds.reboot_db_instance(DBInstanceIdentifier=name)["DBInstance"]["DBInstanceStatus"], "rebooting", name)
    cloud.until(5, "available", lambda: instance(name)["DBInstanceStatus"] == "available")
    forced = {"DBInstanceIdentifier": name, "ForceFailover": True}
    cloud.refused(lambda: rds.reboot_db_instance(**forced), "InvalidParameterCombination", 400)
    cloud.refused(lambda: rds.reboot_db_instance(DBInstanceIdentifier="none"), "DBInstanceNotFound", 404)
    before = instance("ledger")
    zones = (before["AvailabilityZone"], before["SecondaryAvailabilityZone"])
    rds.reboot_db_instance(DBInstanceIdentifier="ledger", ForceFailover=True)
    cloud.refused(lambda: rds.reboot_db_instance(DBInstanceIdentifier="ledger"), "InvalidDBInstanceState", 400)
    cloud.until(5, "available", lambda: instance("ledger")["DBInstanceStatus"] == "available")
    after = instance("ledger")
    cloud.equal((after["SecondaryAvailabilityZone"], after["AvailabilityZone"]), zones, "the zones are swapped")
    messages = _messages(cloud, "db-instance", "ledger")
    cloud.equal(messages[0], "Multi-AZ instance failover started.", "RDS-EVENT-0013")
    cloud.equal(messages[-1], "Multi-AZ instance failover completed", "RDS-EVENT-0049")


def _global(cloud: Cloud, region: str = "us-east-1") -> dict[str, Any]:
    found = cloud.client("rds", region).describe_global_clusters(GlobalClusterIdentifier="squall-global")
    return found["GlobalClusters"][0]


def _primary(database: dict[str, Any]) -> str:
    return next(one["DBClusterArn"] for one in database["GlobalClusterMembers"] if one["IsWriter"])


def a_global_switchover_moves_the_writer(cloud: Cloud) -> None:
    arns = cloud.world["rds"]["global-cluster"]
    cloud.lab("POST", "settings", {"global-failover": 1.0})
    cloud.equal(_primary(_global(cloud)), arns["primary-arn"], "the primary")
    rds = cloud.client("rds", "us-west-2")
    wanted = {"GlobalClusterIdentifier": "squall-global", "TargetDbClusterIdentifier": arns["secondary-arn"]}
    answer = rds.switchover_global_cluster(**wanted)["GlobalCluster"]
    cloud.equal(answer["FailoverState"]["ToDbClusterArn"], arns["secondary-arn"], "where it goes")
    cloud.equal(answer["FailoverState"]["IsDataLossAllowed"], False, "data loss")
    cloud.refused(lambda: rds.switchover_global_cluster(**wanted), "InvalidGlobalClusterStateFault", 400)
    cloud.until(5, "switching-over", lambda: _global(cloud).get("FailoverState", {}).get("Status") == "switching-over")
    cloud.until(5, "west writes", lambda: _primary(_global(cloud, "us-west-2")) == arns["secondary-arn"])
    cloud.until(5, "available", lambda: _global(cloud)["Status"] == "available")
    cloud.true("FailoverState" not in _global(cloud), "FailoverState stays")
    messages = _messages(cloud, "db-cluster", "squall-global-west", "us-west-2")
    cloud.true(
        any("promoted" in text for text in messages) and any("finished" in text for text in messages), f"{messages}"
    )
    cloud.refused(lambda: rds.switchover_global_cluster(**wanted), "InvalidDBClusterStateFault", 400)


def a_global_failover_may_lose_data(cloud: Cloud) -> None:
    arns = cloud.world["rds"]["global-cluster"]
    cloud.lab("POST", "settings", {"global-failover": 1.0})
    rds = cloud.client("rds")
    old = _primary(_global(cloud))
    new = next(arn for arn in (arns["primary-arn"], arns["secondary-arn"]) if arn != old)
    wanted = {"GlobalClusterIdentifier": "squall-global", "TargetDbClusterIdentifier": new}
    both = {**wanted, "AllowDataLoss": True, "Switchover": True}
    cloud.refused(lambda: rds.failover_global_cluster(**both), "InvalidParameterCombination", 400)
    answer = rds.failover_global_cluster(**wanted, AllowDataLoss=True)["GlobalCluster"]
    cloud.equal(answer["FailoverState"]["IsDataLossAllowed"], True, "data loss")
    cloud.until(5, "failing-over", lambda: _global(cloud).get("FailoverState", {}).get("Status") == "failing-over")
    cloud.until(5, "the new one writes", lambda: _primary(_global(cloud)) == new)

    def synchronization() -> str:
        member = next(one for one in _global(cloud)["GlobalClusterMembers"] if one["DBClusterArn"] == old)
        return member.get("SynchronizationStatus", "")

    cloud.until(5, "the old one resynchronises", lambda: synchronization() == "pending-resync")
    cloud.until(5, "it is connected", lambda: synchronization() == "connected")
    cloud.until(5, "available", lambda: _global(cloud)["Status"] == "available")
    unknown = {**wanted, "GlobalClusterIdentifier": "none"}
    cloud.refused(lambda: rds.failover_global_cluster(**unknown), "GlobalClusterNotFoundFault", 404)
    missing = {**wanted, "TargetDbClusterIdentifier": new + "x"}
    cloud.refused(lambda: rds.failover_global_cluster(**missing), "DBClusterNotFoundFault", 404)
    none = {"GlobalClusterIdentifier": "none"}
    cloud.refused(lambda: rds.describe_global_clusters(**none), "GlobalClusterNotFoundFault", 404)


def a_cluster_that_a_client_makes_behaves_too(cloud: Cloud) -> None:
    """Moto's own cluster, with the states that moto leaves out."""
    rds = cloud.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="mine", Engine="aurora-postgresql", MasterUsername="lab", MasterUserPassword="lab-password"
    )
    for name in ("mine-1", "mine-2"):
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBInstanceClass="db.r6g.large",
            Engine="aurora-postgresql",
            DBClusterIdentifier="mine",
        )
    cloud.lab("POST", "settings", {"failover": 0.6, "cluster": 0.4})
    cloud.equal(_writers(_cluster(cloud, "mine")), ["mine-1"], "the writer")
    rds.failover_db_cluster(DBClusterIdentifier="mine", TargetDBInstanceIdentifier="mine-2")
    cloud.until(5, "failing-over", lambda: _cluster(cloud, "mine")["Status"] == "failing-over")
    cloud.until(5, "mine-2 writes", lambda: _writers(_cluster(cloud, "mine")) == ["mine-2"])
    cloud.until(5, "available", lambda: _cluster(cloud, "mine")["Status"] == "available")
    cloud.equal(_messages(cloud, "db-cluster", "mine")[-1], "Completed failover to DB instance: mine-2", "the event")
    rds.stop_db_cluster(DBClusterIdentifier="mine")
    cloud.equal(_cluster(cloud, "mine")["Status"], "stopping", "stopping")
    cloud.until(5, "stopped", lambda: _cluster(cloud, "mine")["Status"] == "stopped")
    cloud.refused(lambda: rds.failover_db_cluster(DBClusterIdentifier="mine"), "InvalidDBClusterStateFault", 400)


def events_are_found_by_source_and_time(cloud: Cloud) -> None:
    rds = cloud.client("rds")
    wanted = {"SourceType": "db-cluster", "SourceIdentifier": "app"}
    every = rds.describe_events(**wanted, EventCategories=["failover"])["Events"]
    cloud.true(every and every[0]["SourceArn"] == cloud.world["rds"]["cluster"]["arn"], "the failover's events")
    cloud.equal(rds.describe_events(**wanted, EventCategories=["deletion"])["Events"], [], "another category")
    later = every[-1]["Date"].timestamp() + 0.001
    cloud.equal(rds.describe_events(**wanted, StartTime=later)["Events"], [], "after the last one")
    alone = {"SourceIdentifier": "app"}
    cloud.refused(lambda: rds.describe_events(**alone), "InvalidParameterCombination", 400)
    cloud.refused(lambda: rds.describe_events(MaxRecords=10), "InvalidParameterValue", 400)


CHECKS = (
    a_cluster_shows_its_members,
    a_failover_goes_through_its_states,
    a_failover_is_refused_where_it_cannot_be,
    events_are_found_by_source_and_time,
    a_failover_goes_wrong_as_a_test_wants,
    a_cluster_stops_and_starts,
    an_instance_reboots,
    a_global_switchover_moves_the_writer,
    a_global_failover_may_lose_data,
    a_cluster_that_a_client_makes_behaves_too,
)
