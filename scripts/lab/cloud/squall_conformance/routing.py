"""Route 53 and the name server, ARC's shifts and switches, CloudWatch's alarms: what sends traffic elsewhere."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .harness import Cloud, Failed
from .resolver import ask


def _addresses(cloud: Cloud, name: str) -> list[str]:
    code, answers = ask(cloud.world["dns-port"], name)
    if code or not answers:
        raise Failed(f"{name}: code {code}, {answers}")
    return [value for _, kind, _, value in answers if kind == 1]


def _change(cloud: Cloud, action: str, **record: Any) -> dict[str, Any]:
    values = [{"Value": value} for value in record.pop("values", [])]
    wanted = {**record, **({"ResourceRecords": values} if values else {})}
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": wanted}]}
    zone = cloud.world["route53"]["hosted-zone"]
    return cloud.client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)["ChangeInfo"]


def a_change_is_pending_and_then_served(cloud: Cloud) -> None:
    cloud.lab("POST", "settings", {"route53-change": 0.5})
    route53 = cloud.client("route53")
    cloud.equal(_addresses(cloud, "plain.squall.test"), ["127.0.2.9"], "before")
    change = _change(cloud, "UPSERT", Name="plain.squall.test", Type="A", TTL=60, values=["127.0.2.10"])
    cloud.equal(change["Status"], "PENDING", "the change")
    cloud.equal(route53.get_change(Id=change["Id"])["ChangeInfo"]["Status"], "PENDING", "GetChange")
    cloud.equal(_addresses(cloud, "plain.squall.test"), ["127.0.2.9"], "while it is pending")
    cloud.until(5, "INSYNC", lambda: route53.get_change(Id=change["Id"])["ChangeInfo"]["Status"] == "INSYNC")
    cloud.equal(_addresses(cloud, "plain.squall.test"), ["127.0.2.10"], "once it is in sync")
    cloud.equal(_addresses(cloud, "other.squall.test"), ["127.0.2.10"], "through a CNAME")


def a_change_that_does_not_fit_is_refused(cloud: Cloud) -> None:
    def refused(action: str, **record: Any) -> str:
        answer = cloud.refused(lambda: _change(cloud, action, **record), "InvalidChangeBatch", 400)
        return str(answer)

    plain = {"Name": "plain.squall.test", "Type": "A", "TTL": 60, "values": ["127.0.2.9"]}
    cloud.true("already exists" in refused("CREATE", **dict(plain)), "CREATE of what exists")
    cloud.true("not found" in refused("DELETE", **{**plain, "Name": "none.squall.test"}), "DELETE of nothing")
    cloud.true("do not match" in refused("DELETE", **{**plain, "values": ["127.9.9.9"]}), "DELETE of other values")
    cloud.true("not permitted" in refused("CREATE", **{**plain, "Name": "plain.example.com"}), "another zone's name")
    cloud.true("IPv4" in refused("UPSERT", **{**plain, "values": ["nonsense"]}), "no address")
    cname = {"Name": "plain.squall.test", "Type": "CNAME", "TTL": 60, "values": ["x.squall.test"]}
    cloud.true("conflicts" in refused("CREATE", **cname), "a CNAME beside an A")
    weighted = {"Name": "www.squall.test", "Type": "A", "TTL": 5, "values": ["127.0.2.3"]}
    cloud.true("SetIdentifier" in refused("CREATE", **dict(weighted)), "a plain record beside weighted ones")
    bad = {**weighted, "SetIdentifier": "x", "Weight": 256}
    cloud.true("255" in refused("CREATE", **bad), "a weight of 256")
    route53 = cloud.client("route53")
    cloud.refused(lambda: route53.list_resource_record_sets(HostedZoneId="ZNONE"), "NoSuchHostedZone", 404)
    cloud.refused(lambda: route53.get_change(Id="CNONE"), "NoSuchChange", 404)


def records_are_listed_in_order(cloud: Cloud) -> None:
    route53, zone = cloud.client("route53"), cloud.world["route53"]["hosted-zone"]
    every = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    weighted = [(one["SetIdentifier"], one["Weight"]) for one in every if one["Name"] == "www.squall.test."]
    cloud.equal(weighted, [("us-east-1", 90), ("us-west-2", 10)], "the weighted records")
    start = {"StartRecordName": "www.squall.test", "StartRecordType": "A", "StartRecordIdentifier": "us-west-2"}
    page = route53.list_resource_record_sets(HostedZoneId=zone, **start, MaxItems="1")
    cloud.equal(page["ResourceRecordSets"][0]["SetIdentifier"], "us-west-2", "from an identifier on")
    paged = route53.get_paginator("list_resource_record_sets").paginate(
        HostedZoneId=zone, PaginationConfig={"PageSize": 2}
    )
    cloud.equal([one for page in paged for one in page["ResourceRecordSets"]], every, "page by page")


def weights_and_health_decide(cloud: Cloud) -> None:
    cloud.lab("POST", "settings", {"route53-change": 0.1})
    drawn = Counter(_addresses(cloud, "www.squall.test")[0] for _ in range(600))
    share = drawn["127.0.2.1"] / 600
    # Six standard deviations: once in 500 million runs.
    cloud.true(0.82 < share < 0.98, f"the share of weight 90: {share}")
    check = cloud.world["route53"]["health-check"]
    cloud.lab("POST", "health-checks", {"id": check, "healthy": False})
    cloud.equal({_addresses(cloud, "www.squall.test")[0] for _ in range(50)}, {"127.0.2.2"}, "without the sick one")
    route53 = cloud.client("route53")
    seen = route53.get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]
    cloud.true(all(one["StatusReport"]["Status"].startswith("Failure") for one in seen), f"{seen}")
    version = route53.get_health_check(HealthCheckId=check)["HealthCheck"]["HealthCheckVersion"]
    changed = route53.update_health_check(HealthCheckId=check, HealthCheckVersion=version, Inverted=True)
    cloud.equal(changed["HealthCheck"]["HealthCheckVersion"], version + 1, "the version")
    cloud.true("127.0.2.1" in {_addresses(cloud, "www.squall.test")[0] for _ in range(50)}, "an inverted check")
    stale = {"HealthCheckId": check, "HealthCheckVersion": version, "Inverted": False}
    cloud.refused(lambda: route53.update_health_check(**stale), "HealthCheckVersionMismatch", 409)
    missing = {"HealthCheckId": "00000000-0000-0000-0000-000000000000"}
    cloud.refused(lambda: route53.get_health_check_status(**missing), "NoSuchHealthCheck", 404)
    zero = {"Name": "www.squall.test", "Type": "A", "SetIdentifier": "us-west-2", "Weight": 0, "TTL": 5}
    change = _change(cloud, "UPSERT", **zero, values=["127.0.2.2"])
    cloud.until(5, "INSYNC", lambda: route53.get_change(Id=change["Id"])["ChangeInfo"]["Status"] == "INSYNC")
    cloud.equal({_addresses(cloud, "www.squall.test")[0] for _ in range(50)}, {"127.0.2.1"}, "weight 0")


def names_answer_as_a_name_server_does(cloud: Cloud) -> None:
    port = cloud.world["dns-port"]
    cloud.equal(ask(port, "none.squall.test")[0], 3, "NXDOMAIN")
    cloud.equal(ask(port, "plain.squall.test", 28), (0, []), "no AAAA")
    cloud.equal(ask(port, "example.com")[0], 5, "REFUSED")
    cloud.equal(ask(port, "text.squall.test", 16)[1][0][3], "squall", "TXT")
    cloud.equal(ask(port, "squall.test", 6)[1][0][1], 6, "SOA")


def the_writers_name_moves(cloud: Cloud) -> None:
    """The scripted pair's first half; of the cluster app the names are asked, and it is left alone."""
    cloud.lab("POST", "settings", {"failover": 0.6})
    endpoints = cloud.world["rds"]["endpoints"]
    writer, readers = _addresses(cloud, endpoints["writer-name"]), _addresses(cloud, endpoints["reader-name"])
    cloud.true(len(writer) == 1 and writer[0] not in readers, f"writer {writer}, readers {readers}")
    ttl = ask(cloud.world["dns-port"], endpoints["writer-name"])[1][0][2]
    cloud.equal(ttl, 5, "the endpoint's TTL")
    name = "squall-global-east.cluster-lab.us-east-1.rds.squall.test"
    before = _addresses(cloud, name)
    cloud.client("rds").failover_db_cluster(DBClusterIdentifier="squall-global-east")
    cloud.until(5, "the name moves", lambda: _addresses(cloud, name) != before)
    code, answers = ask(cloud.world["dns-port"], cloud.world["rds"]["global-cluster"]["endpoint"])
    cloud.true(code == 0 and [kind for _, kind, _, _ in answers] == [5, 1], f"the global endpoint: {answers}")


def a_zonal_shift_takes_weight(cloud: Cloud) -> None:
    arc, resource = cloud.client("arc-zonal-shift"), cloud.world["zonal-shift"]["resource"]
    wanted = {"resourceIdentifier": resource, "awayFrom": "use1-az1", "expiresIn": "10m", "comment": "drill"}

    def weights() -> dict[str, float]:
        return arc.get_managed_resource(resourceIdentifier=resource)["appliedWeights"]

    cloud.equal(weights(), {"use1-az1": 1.0, "use1-az6": 1.0}, "before")
    shift = arc.start_zonal_shift(**wanted)
    cloud.equal((shift["status"], shift["awayFrom"]), ("ACTIVE", "use1-az1"), "the shift")
    cloud.equal(round((shift["expiryTime"] - shift["startTime"]).total_seconds()), 600, "its length")
    cloud.equal(weights(), {"use1-az1": 0.0, "use1-az6": 1.0}, "meanwhile")
    cloud.refused(lambda: arc.start_zonal_shift(**wanted), "ConflictException", 409, reason="ZonalShiftAlreadyExists")
    other = {**wanted, "awayFrom": "use1-az6"}
    reason = "SimultaneousZonalShiftsConflict"
    cloud.refused(lambda: arc.start_zonal_shift(**other), "ConflictException", 409, reason=reason)
    identifier = shift["zonalShiftId"]
    longer = arc.update_zonal_shift(zonalShiftId=identifier, expiresIn="1h", comment="longer")
    cloud.equal(longer["comment"], "longer", "the update")
    cloud.equal(arc.list_zonal_shifts(status="ACTIVE")["items"][0]["zonalShiftId"], identifier, "the list")
    item = arc.list_managed_resources()["items"][0]
    cloud.equal((item["arn"], item["appliedWeights"]["use1-az1"]), (resource, 0.0), "the resources")
    cloud.equal(arc.cancel_zonal_shift(zonalShiftId=identifier)["status"], "CANCELED", "the cancellation")
    cloud.equal(weights()["use1-az1"], 1.0, "afterwards")
    cloud.refused(lambda: arc.cancel_zonal_shift(zonalShiftId=identifier), "ConflictException", 409)
    for changes, why in (({"awayFrom": "use1-az9"}, "InvalidAz"), ({"expiresIn": "73h"}, "InvalidExpiresIn")):
        bad = {**wanted, **changes}
        cloud.refused(lambda bad=bad: arc.start_zonal_shift(**bad), "ValidationException", 400, reason=why)
    missing = {**wanted, "resourceIdentifier": resource + "x"}
    cloud.refused(lambda: arc.start_zonal_shift(**missing), "ResourceNotFoundException", 404)
    cloud.refused(lambda: arc.cancel_zonal_shift(zonalShiftId="none-at-all"), "ResourceNotFoundException", 404)
    cloud.lab("POST", "rules", {"action": "ListZonalShifts", "code": "ThrottlingException", "status": 429})
    cloud.refused(arc.list_zonal_shifts, "ThrottlingException", 429)


def a_routing_control_has_a_safety_rule(cloud: Cloud) -> None:
    arc, known = cloud.client("route53-recovery-cluster"), cloud.world["routing-control"]
    east, west = known["controls"]["squall-us-east-1"], known["controls"]["squall-us-west-2"]

    def state(arn: str) -> str:
        return arc.get_routing_control_state(RoutingControlArn=arn)["RoutingControlState"]

    cloud.equal((state(east), state(west)), ("On", "Off"), "before")
    off = {"RoutingControlArn": east, "RoutingControlState": "Off"}
    answer = cloud.refused(lambda: arc.update_routing_control_state(**off), "ConflictException", 400)
    cloud.true(known["safety-rule"] in answer["Error"]["Message"], "the rule's name")
    entries = [off, {"RoutingControlArn": west, "RoutingControlState": "On"}]
    arc.update_routing_control_states(UpdateRoutingControlStateEntries=entries)
    cloud.equal((state(east), state(west)), ("Off", "On"), "both at once")
    both = {"RoutingControlArn": west, "RoutingControlState": "Off", "SafetyRulesToOverride": [known["safety-rule"]]}
    arc.update_routing_control_state(**both)
    cloud.equal(state(west), "Off", "overridden")
    cloud.equal(len(arc.list_routing_controls()["RoutingControls"]), 2, "the list")
    cloud.refused(lambda: state(east + "9"), "ResourceNotFoundException", 400)


def alarms_are_levers(cloud: Cloud) -> None:
    cloudwatch = cloud.client("cloudwatch")

    def states() -> dict[str, str]:
        found = cloudwatch.describe_alarms(AlarmNames=["squall-ok", "squall-alarm"])["MetricAlarms"]
        return {one["AlarmName"]: one["StateValue"] for one in found}

    cloud.equal(states(), {"squall-ok": "OK", "squall-alarm": "ALARM"}, "the alarms")
    cloudwatch.set_alarm_state(AlarmName="squall-ok", StateValue="ALARM", StateReason="drill")
    cloud.equal(states()["squall-ok"], "ALARM", "set")
    cloud.equal(cloudwatch.describe_alarms(AlarmNames=["none"])["MetricAlarms"], [], "an unknown alarm")


CHECKS = (
    names_answer_as_a_name_server_does,
    records_are_listed_in_order,
    a_change_that_does_not_fit_is_refused,
    a_change_is_pending_and_then_served,
    weights_and_health_decide,
    the_writers_name_moves,
    a_zonal_shift_takes_weight,
    a_routing_control_has_a_safety_rule,
    alarms_are_levers,
)
