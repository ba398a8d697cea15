"""EC2's security groups and network ACLs, where moto would make an isolation look undone or leave it half way.

Moto adds an instance's new groups to those of its interface, where AWS replaces them.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from . import motobridge
from .errors import AWSError
from .gate import Call, refuse_dry_run
from .services import ACCOUNT


class Network:
    """The operations that isolate an instance or a zone, and undo it."""

    def handlers(self) -> dict[str, Any]:
        return {
            "ModifyInstanceAttribute": self.modify_instance,
            "ModifyNetworkInterfaceAttribute": self.modify_interface,
            "DeleteNetworkAclEntry": self.change_entry,
            "ReplaceNetworkAclEntry": self.change_entry,
        }

    @staticmethod
    def _groups(call: Call) -> list[Any]:
        """The named groups, all of which exist."""
        known = {
            identifier: group
            for groups in ec2_backends[ACCOUNT][call.region].groups.values()
            for identifier, group in groups.items()
        }
        missing = [name for name in call["Groups"] if name not in known]
        if missing:
            raise AWSError("InvalidGroup.NotFound", f"The security group '{missing[0]}' does not exist")
        return [known[name] for name in call["Groups"]]

    @staticmethod
    def _assign(instance: Any, interface: Any, groups: list[Any]) -> None:
        """An instance's groups are those of its first interface."""
        if interface is not None:
            interface._group_set = groups
        if instance is not None and (interface is None or interface.device_index == 0):
            instance.security_groups = groups

    def modify_instance(self, call: Call) -> Any:
        if not call.get("Groups"):
            refuse_dry_run(call)
            return motobridge.forward(call.request)
        with motobridge.lock:
            backend = ec2_backends[ACCOUNT][call.region]
            instance = backend.get_instance_by_id(call["InstanceId"])
            if instance is None:
                text = f"The instance ID '{call['InstanceId']}' does not exist"
                raise AWSError("InvalidInstanceID.NotFound", text)
            groups = self._groups(call)
            refuse_dry_run(call)
            first = next((nic for nic in instance.nics.values() if nic.device_index == 0), None)
            self._assign(instance, first, groups)
        return {}

    def modify_interface(self, call: Call) -> Any:
        if not call.get("Groups"):
            refuse_dry_run(call)
            return motobridge.forward(call.request)
        with motobridge.lock:
            interface = ec2_backends[ACCOUNT][call.region].enis.get(call["NetworkInterfaceId"])
            if interface is None:
                text = f"The networkInterface ID '{call['NetworkInterfaceId']}' does not exist"
                raise AWSError("InvalidNetworkInterfaceID.NotFound", text)
            groups = self._groups(call)
            refuse_dry_run(call)
            self._assign(interface.instance, interface, groups)
        return {}

    def change_entry(self, call: Call) -> Any:
        """Moto fails on an entry that is not there."""
        acl = ec2_backends[ACCOUNT][call.region].network_acls.get(call["NetworkAclId"])
        if acl is None:
            text = f"The networkAcl ID '{call['NetworkAclId']}' does not exist"
            raise AWSError("InvalidNetworkAclID.NotFound", text)
        number, egress = int(call["RuleNumber"]), bool(call["Egress"])
        found = [one for one in acl.network_acl_entries if int(one.rule_number) == number]
        if not any((str(one.egress).lower() == "true") == egress for one in found):
            direction = "egress" if egress else "ingress"
            text = f"The network acl entry with rule number {number} ({direction}) does not exist"
            raise AWSError("InvalidNetworkAclEntry.NotFound", text)
        refuse_dry_run(call)
        return motobridge.forward(call.request)
