"""The lab's keys. They open nothing but this lab: they are no secrets, and stand in its documentation."""

from __future__ import annotations

import json

from moto.iam.models import iam_backends

from . import motobridge
from .services import ACCOUNT

ACCESS_KEY = "AKIASQUALLLAB0000001"
SECRET = "squall-lab-secret-0000000000000000000001"
# A user without a single right, for what AccessDenied looks like.
POWERLESS_ACCESS_KEY = "AKIASQUALLLAB0000002"
POWERLESS_SECRET = "squall-lab-secret-0000000000000000000002"
ROLE = "squall-drill"
FIS_ROLE = "squall-fis"

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def _user(name: str, access_key: str, secret: str) -> None:
    motobridge.call("iam", "CreateUser", UserName=name)
    motobridge.call("iam", "CreateAccessKey", UserName=name)
    key = iam_backends[ACCOUNT]["aws"].users[name].access_keys[0]
    key.access_key_id, key.secret_access_key = access_key, secret
    # The form that AWS's user ids have; moto's have another.
    iam_backends[ACCOUNT]["aws"].users[name].id = "AIDA" + access_key[4:]


def _role(name: str, trusted: dict[str, str]) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}],
    }
    made = motobridge.call("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    document = json.dumps(EVERYTHING)
    motobridge.call("iam", "PutRolePolicy", RoleName=name, PolicyName="lab", PolicyDocument=document)
    return made["Role"]["Arn"]


def create() -> dict[str, str]:
    """Users and roles; their ARNs."""
    _user("squall", ACCESS_KEY, SECRET)
    document = json.dumps(EVERYTHING)
    motobridge.call("iam", "PutUserPolicy", UserName="squall", PolicyName="lab", PolicyDocument=document)
    _user("squall-powerless", POWERLESS_ACCESS_KEY, POWERLESS_SECRET)
    return {
        "user-arn": f"arn:aws:iam::{ACCOUNT}:user/squall",
        "powerless-user-arn": f"arn:aws:iam::{ACCOUNT}:user/squall-powerless",
        "role-arn": _role(ROLE, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
        "fis-role-arn": _role(FIS_ROLE, {"Service": "fis.amazonaws.com"}),
    }
