"""EC2, ECS, SSM and ElastiCache: what is stopped, restarted, told to run something, or failed over."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import WaiterError

from .harness import Cloud


def _state(cloud: Cloud, identifier: str) -> str:
    found = cloud.client("ec2").describe_instances(InstanceIds=[identifier])["Reservations"]
    return found[0]["Instances"][0]["State"]["Name"]


def instances_go_through_their_states(cloud: Cloud) -> None:
    cloud.lab("POST", "settings", {"instance": 0.4, "instance-checks": 0.4})
    ec2, identifier = cloud.client("ec2"), cloud.world["instances"][0]["id"]
    change = ec2.stop_instances(InstanceIds=[identifier])["StoppingInstances"][0]
    cloud.equal(change["CurrentState"], {"Code": 64, "Name": "stopping"}, "stop: the current state")
    cloud.equal(change["PreviousState"], {"Code": 16, "Name": "running"}, "stop: the previous state")
    cloud.equal(_state(cloud, identifier), "stopping", "the state")
    cloud.refused(lambda: ec2.start_instances(InstanceIds=[identifier]), "IncorrectInstanceState", 400)
    cloud.until(5, "stopped", lambda: _state(cloud, identifier) == "stopped")
    cloud.refused(lambda: ec2.reboot_instances(InstanceIds=[identifier]), "IncorrectInstanceState", 400)
    change = ec2.start_instances(InstanceIds=[identifier])["StartingInstances"][0]
    cloud.equal(change["CurrentState"], {"Code": 0, "Name": "pending"}, "start: the current state")
    cloud.until(5, "running", lambda: _state(cloud, identifier) == "running")
    cloud.equal(_checks(cloud, identifier), "initializing", "the checks after a start")
    cloud.until(5, "ok", lambda: _checks(cloud, identifier) == "ok")
    ec2.reboot_instances(InstanceIds=[identifier])
    cloud.equal(_checks(cloud, identifier), "initializing", "the checks after a reboot")
    cloud.until(5, "ok", lambda: _checks(cloud, identifier) == "ok")
    last = cloud.world["instances"][3]["id"]
    change = ec2.terminate_instances(InstanceIds=[last])["TerminatingInstances"][0]
    cloud.equal(change["CurrentState"]["Name"], "shutting-down", "terminate: the current state")
    cloud.until(5, "terminated", lambda: _state(cloud, last) == "terminated")
    cloud.refused(lambda: ec2.start_instances(InstanceIds=[last]), "IncorrectInstanceState", 400)


def _checks(cloud: Cloud, identifier: str) -> str:
    found = cloud.client("ec2").describe_instance_status(InstanceIds=[identifier])["InstanceStatuses"]
    return found[0]["InstanceStatus"]["Status"]


def instances_that_cannot_be_are_refused(cloud: Cloud) -> None:
    ec2, identifier = cloud.client("ec2"), cloud.world["instances"][1]["id"]
    for call in (ec2.stop_instances, ec2.start_instances, ec2.reboot_instances, ec2.terminate_instances):
        cloud.refused(lambda call=call: call(InstanceIds=["i-nonsense"]), "InvalidInstanceID.Malformed", 400)
        missing = "i-0a0000000000000ff"
        cloud.refused(lambda call=call, one=missing: call(InstanceIds=[one]), "InvalidInstanceID.NotFound", 400)
        cloud.refused(lambda call=call: call(InstanceIds=[identifier], DryRun=True), "DryRunOperation", 412)
    cloud.refused(lambda: ec2.describe_instances(InstanceIds=["i-nonsense"]), "InvalidInstanceID.Malformed", 400)
    cloud.equal(_state(cloud, identifier), "running", "the state after dry runs")
    ec2.modify_instance_attribute(InstanceId=identifier, DisableApiTermination={"Value": True})
    cloud.refused(lambda: ec2.terminate_instances(InstanceIds=[identifier]), "OperationNotPermitted", 400)
    powerless = {
        "aws_access_key_id": cloud.world["powerless-access-key"],
        "aws_secret_access_key": cloud.world["powerless-secret-key"],
    }
    dry = {"InstanceIds": [identifier], "DryRun": True}
    other = cloud.client("ec2", **powerless)
    cloud.refused(lambda: other.stop_instances(**dry), "UnauthorizedOperation", 403)


def the_network_is_as_described(cloud: Cloud) -> None:
    ec2, network = cloud.client("ec2"), cloud.world["network"]
    subnets = ec2.describe_subnets(SubnetIds=list(network["subnets"].values()))["Subnets"]
    cloud.equal({one["AvailabilityZone"]: one["SubnetId"] for one in subnets}, network["subnets"], "the subnets")
    group = ec2.describe_security_groups(GroupIds=[network["security-group"]])["SecurityGroups"][0]
    cloud.equal(group["IpPermissions"][0]["ToPort"], 443, "the security group's rule")
    acl = ec2.describe_network_acls(NetworkAclIds=[network["network-acl"]])["NetworkAcls"][0]
    cloud.equal(len(acl["Associations"]), 2, "the network ACL's subnets")
    tagged = [{"Name": "tag:squall.role", "Values": ["worker"]}]
    found = ec2.describe_instances(Filters=tagged)["Reservations"]
    wanted = sorted(one["id"] for one in cloud.world["instances"] if one["role"] == "worker")
    cloud.equal(sorted(one["InstanceId"] for group in found for one in group["Instances"]), wanted, "by tag")
    west = cloud.client("ec2", "us-west-2").describe_instances()["Reservations"]
    cloud.equal([one["InstanceId"] for group in west for one in group["Instances"]], ["i-0b000000000000001"], "west")


def an_instance_is_isolated_and_brought_back(cloud: Cloud) -> None:
    ec2, network, identifier = cloud.client("ec2"), cloud.world["network"], cloud.world["instances"][1]["id"]

    def groups() -> list[list[str]]:
        instance = ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]
        interface = ec2.describe_network_interfaces(
            NetworkInterfaceIds=[instance["NetworkInterfaces"][0]["NetworkInterfaceId"]]
        )["NetworkInterfaces"][0]
        return [[one["GroupId"] for one in shown] for shown in (instance["SecurityGroups"], interface["Groups"])]

    before = groups()
    cloud.equal(before, [[network["security-group"]]] * 2, "the groups")
    made = ec2.create_security_group(GroupName="isolated", Description="drill", VpcId=network["vpc"])["GroupId"]
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.revoke_security_group_egress(GroupId=made, IpPermissions=everything)
    wanted = {"InstanceId": identifier, "Groups": [made]}
    cloud.refused(lambda: ec2.modify_instance_attribute(**wanted, DryRun=True), "DryRunOperation", 412)
    cloud.equal(groups(), before, "the groups after a dry run")
    ec2.modify_instance_attribute(**wanted)
    cloud.equal(groups(), [[made]] * 2, "the groups of the isolated one")
    instance = ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]
    interface = instance["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=before[1])
    cloud.equal(groups(), before, "the groups afterwards")
    ec2.delete_security_group(GroupId=made)
    missing = {"InstanceId": identifier, "Groups": ["sg-0a0000000000000ff"]}
    cloud.refused(lambda: ec2.modify_instance_attribute(**missing), "InvalidGroup.NotFound", 400)


def a_zone_is_isolated_and_brought_back(cloud: Cloud) -> None:
    ec2, acl = cloud.client("ec2"), cloud.world["network"]["network-acl"]

    def numbers() -> list[tuple[int, str]]:
        entries = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]
        return sorted((one["RuleNumber"], one["RuleAction"]) for one in entries if not one["Egress"])

    before = numbers()
    rule = {"NetworkAclId": acl, "RuleNumber": 1, "Egress": False}
    deny = {**rule, "Protocol": "-1", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0"}
    cloud.refused(lambda: ec2.create_network_acl_entry(**deny, DryRun=True), "DryRunOperation", 412)
    cloud.equal(numbers(), before, "the entries after a dry run")
    ec2.create_network_acl_entry(**deny)
    cloud.equal(numbers(), [(1, "deny"), *before], "the entries")
    cloud.refused(lambda: ec2.create_network_acl_entry(**deny), "NetworkAclEntryAlreadyExists", 400)
    ec2.replace_network_acl_entry(**{**deny, "RuleAction": "allow"})
    cloud.equal(numbers(), [(1, "allow"), *before], "the replaced entry")
    ec2.delete_network_acl_entry(**rule)
    cloud.equal(numbers(), before, "the entries afterwards")
    for call in (lambda: ec2.delete_network_acl_entry(**rule), lambda: ec2.replace_network_acl_entry(**deny)):
        cloud.refused(call, "InvalidNetworkAclEntry.NotFound", 400)
    subnet = cloud.world["network"]["subnets"]["us-east-1a"]

    def association() -> dict[str, Any]:
        filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
        acls = ec2.describe_network_acls(Filters=filters)["NetworkAcls"]
        return next(one for found in acls for one in found["Associations"] if one["SubnetId"] == subnet)

    other = ec2.create_network_acl(VpcId=cloud.world["network"]["vpc"])["NetworkAcl"]["NetworkAclId"]
    for wanted in (other, acl):
        identifier = association()["NetworkAclAssociationId"]
        ec2.replace_network_acl_association(AssociationId=identifier, NetworkAclId=wanted)
        cloud.equal(association()["NetworkAclId"], wanted, "the subnet's network ACL")
    zones = ec2.describe_availability_zones(ZoneNames=list(cloud.world["zonal-shift"]["zones"]))["AvailabilityZones"]
    found = {one["ZoneName"]: one["ZoneId"] for one in zones}
    cloud.equal(found, cloud.world["zonal-shift"]["zones"], "the zones' ids")


def resources_are_found_by_tag(cloud: Cloud) -> None:
    tagging = cloud.client("resourcegroupstaggingapi")

    def found(**wanted: Any) -> list[str]:
        return [one["ResourceARN"] for one in tagging.get_resources(**wanted)["ResourceTagMappingList"]]

    database = [{"Key": "squall.role", "Values": ["database"]}]
    cluster = cloud.world["rds"]["cluster"]["arn"]
    cloud.equal(found(TagFilters=database, ResourceTypeFilters=["rds:cluster"]), [cluster], "rds:cluster")
    web = [{"Key": "squall.role", "Values": ["web"]}]
    cloud.equal(len(found(TagFilters=web, ResourceTypeFilters=["ec2:instance"])), 2, "instances that are web")
    cloud.equal(len(found(ResourceTypeFilters=["ecs:task"])), 2, "tasks")


def a_task_stops_and_is_replaced(cloud: Cloud) -> None:
    cloud.lab("POST", "settings", {"ecs-task": 0.6})
    ecs, task = cloud.client("ecs"), cloud.world["ecs"]["tasks"][0]

    def described() -> dict[str, Any]:
        return ecs.describe_tasks(cluster="squall", tasks=[task])["tasks"][0]

    cloud.equal((described()["lastStatus"], described()["desiredStatus"]), ("RUNNING", "RUNNING"), "the task")
    stopped = ecs.stop_task(cluster="squall", task=task, reason="drill")["task"]
    cloud.equal(stopped["desiredStatus"], "STOPPED", "the desired status")
    cloud.until(5, "an intermediate status", lambda: described()["lastStatus"] in ("DEACTIVATING", "STOPPING"))
    cloud.until(5, "STOPPED", lambda: described()["lastStatus"] == "STOPPED")
    last = described()
    cloud.equal((last["stopCode"], last["stoppedReason"]), ("UserInitiated", "drill"), "code and reason")

    def service() -> dict[str, Any]:
        return ecs.describe_services(cluster="squall", services=["orders"])["services"][0]

    cloud.until(5, "the service has two tasks again", lambda: service()["runningCount"] == 2)
    cloud.equal((service()["desiredCount"], len(service()["deployments"])), (2, 1), "the service")
    unknown = "arn:aws:ecs:us-east-1:123456789012:task/squall/none"
    cloud.refused(lambda: ecs.stop_task(cluster="squall", task=unknown), "InvalidParameterException", 400)
    cloud.refused(lambda: ecs.stop_task(cluster="none", task=task), "ClusterNotFoundException", 400)
    failures = ecs.describe_tasks(cluster="squall", tasks=[unknown])["failures"]
    cloud.equal(failures[0]["reason"], "MISSING", "a task that is none")


def a_command_runs_and_ends(cloud: Cloud) -> None:
    cloud.lab("POST", "settings", {"ssm-command": 0.4})
    ssm, identifier = cloud.client("ssm"), cloud.world["instances"][1]["id"]

    def send() -> str:
        parameters = {"commands": ["true"]}
        command = ssm.send_command(
            InstanceIds=[identifier], DocumentName="AWS-RunShellScript", Parameters=parameters, Comment="drill"
        )["Command"]
        cloud.equal(command["Status"], "Pending", "the first status")
        return command["CommandId"]

    def status(command: str) -> str:
        return ssm.get_command_invocation(CommandId=command, InstanceId=identifier)["Status"]

    command = send()
    for wanted in ("InProgress", "Success"):
        cloud.until(5, wanted, lambda wanted=wanted: status(command) == wanted)
    code = ssm.get_command_invocation(CommandId=command, InstanceId=identifier)["ResponseCode"]
    cloud.equal(code, 0, "the response code")
    cloud.lab("POST", "settings", {"ssm": "Failed"})
    command = send()
    cloud.until(5, "Failed", lambda: status(command) == "Failed")
    cloud.lab("POST", "settings", {"ssm": "Success", "ssm-command": 5})
    command = send()
    ssm.cancel_command(CommandId=command)
    cloud.until(5, "Cancelled", lambda: status(command) == "Cancelled")
    document = {"InstanceIds": [identifier], "DocumentName": "Nothing"}
    cloud.refused(lambda: ssm.send_command(**document), "InvalidDocument", 400)
    nowhere = {"InstanceIds": ["i-0a0000000000000ff"], "DocumentName": "AWS-RunShellScript"}
    cloud.refused(lambda: ssm.send_command(**nowhere), "InvalidInstanceId", 400)
    unknown = {"CommandId": "00000000-0000-0000-0000-000000000000", "InstanceId": identifier}
    cloud.refused(lambda: ssm.get_command_invocation(**unknown), "InvocationDoesNotExist", 400)
    cloud.refused(lambda: ssm.cancel_command(CommandId=unknown["CommandId"]), "InvalidCommandId", 400)
    online = ssm.describe_instance_information()["InstanceInformationList"]
    cloud.true(any(one["InstanceId"] == identifier and one["PingStatus"] == "Online" for one in online), "the agent")


def _group(cloud: Cloud, name: str = "cache") -> dict[str, Any]:
    found = cloud.client("elasticache").describe_replication_groups(ReplicationGroupId=name)
    return found["ReplicationGroups"][0]


def a_cache_fails_over(cloud: Cloud) -> None:
    cloud.lab("POST", "settings", {"elasticache-failover": 0.8})
    elasticache = cloud.client("elasticache")

    def primary() -> str:
        members = _group(cloud)["NodeGroups"][0]["NodeGroupMembers"]
        return next(one["CacheClusterId"] for one in members if one["CurrentRole"] == "primary")

    old = primary()
    group = elasticache.test_failover(ReplicationGroupId="cache", NodeGroupId="0001")["ReplicationGroup"]
    cloud.equal(group["Status"], "modifying", "the status")
    again = {"ReplicationGroupId": "cache", "NodeGroupId": "0001"}
    cloud.refused(lambda: elasticache.test_failover(**again), "InvalidReplicationGroupState", 400)
    cloud.until(5, "another primary", lambda: primary() != old)
    cloud.until(5, "available", lambda: _group(cloud)["Status"] == "available")
    events = elasticache.describe_events(Duration=60)["Events"]
    wanted = [
        ("replication-group", "Test Failover API called for node group 0001"),
        ("cache-cluster", f"Failover from primary node {old} to replica node {primary()} completed"),
        ("replication-group", f"Failover from primary node {old} to replica node {primary()} completed"),
        ("cache-cluster", f"Recovering cache nodes {old}"),
        ("cache-cluster", f"Finished recovery for cache nodes {old}"),
    ]
    cloud.equal([(one["SourceType"], one["Message"]) for one in events], wanted, "the events in order")
    cloud.true(
        all(
            "CurrentRole" not in one
            for shard in _group(cloud, "cache-sharded")["NodeGroups"]
            for one in shard["NodeGroupMembers"]
        ),
        "cluster mode shows roles",
    )


def a_cache_refuses_what_aws_refuses(cloud: Cloud) -> None:
    elasticache = cloud.client("elasticache")

    def fail_over(group: str, shard: str = "0001") -> Any:
        return lambda: elasticache.test_failover(ReplicationGroupId=group, NodeGroupId=shard)

    cloud.refused(fail_over("none"), "ReplicationGroupNotFoundFault", 404)
    cloud.refused(fail_over("cache", "0009"), "NodeGroupNotFoundFault", 404)
    cloud.refused(fail_over("cache-fixed"), "TestFailoverNotAvailableFault", 400)
    cloud.refused(
        lambda: elasticache.describe_replication_groups(ReplicationGroupId="none"), "ReplicationGroupNotFoundFault", 404
    )
    cloud.lab("POST", "settings", {"elasticache": "never"})
    # One was used by the check before this one, or none after a reset.
    for _ in range(16):
        try:
            fail_over("cache-sharded")()
        except elasticache.exceptions.APICallRateForCustomerExceededFault as error:
            cloud.equal(error.response["ResponseMetadata"]["HTTPStatusCode"], 400, "the quota's status")
            break
    cloud.refused(fail_over("cache-sharded", "0002"), "APICallRateForCustomerExceeded", 400)


def waiters_wait(cloud: Cloud) -> None:
    quick = {"Delay": 1, "MaxAttempts": 20}
    cloud.lab("POST", "settings", {"instance": 0.5})
    ec2, identifier = cloud.client("ec2"), cloud.world["instances"][2]["id"]
    ec2.stop_instances(InstanceIds=[identifier])
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[identifier], WaiterConfig=quick)
    ec2.start_instances(InstanceIds=[identifier])
    ec2.get_waiter("instance_running").wait(InstanceIds=[identifier], WaiterConfig=quick)
    waiter = cloud.client("rds").get_waiter("db_cluster_available")
    waiter.wait(DBClusterIdentifier="app", WaiterConfig=quick)
    waiter = cloud.client("elasticache").get_waiter("replication_group_available")
    waiter.wait(ReplicationGroupId="cache", WaiterConfig=quick)
    cloud.true(True, "waiters")
    try:
        waiter.wait(ReplicationGroupId="none", WaiterConfig={"Delay": 1, "MaxAttempts": 1})
    except WaiterError:
        cloud.true(True, "a waiter for nothing")
    else:
        cloud.true(False, "a waiter for nothing succeeded")


CHECKS = (
    instances_go_through_their_states,
    instances_that_cannot_be_are_refused,
    the_network_is_as_described,
    an_instance_is_isolated_and_brought_back,
    a_zone_is_isolated_and_brought_back,
    resources_are_found_by_tag,
    a_task_stops_and_is_replaced,
    a_command_runs_and_ends,
    a_cache_fails_over,
    a_cache_refuses_what_aws_refuses,
    waiters_wait,
)
