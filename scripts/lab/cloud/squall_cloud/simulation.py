"""IAM's policy simulation, by the very rules that the gate allows calls by."""

from __future__ import annotations

from typing import Any

from .authorization import allows, denies
from .errors import AWSError
from .gate import Call
from .identity import policies_of


class IAM:
    """SimulatePrincipalPolicy; the rest of IAM is moto's."""

    def handlers(self) -> dict[str, Any]:
        return {"SimulatePrincipalPolicy": self.simulate}

    def simulate(self, call: Call) -> dict[str, Any]:
        policies = policies_of(call["PolicySourceArn"])
        if policies is None:
            raise AWSError("NoSuchEntity", f"{call['PolicySourceArn']} cannot be found.", 404)
        policies = (*policies, *(call.get("PolicyInputList") or []))
        context = {entry["ContextKeyName"]: entry["ContextKeyValues"][0] for entry in call.get("ContextEntries") or []}
        results = []
        for action in call["ActionNames"]:
            for resource in call.get("ResourceArns") or ["*"]:
                decision = "implicitDeny"
                if denies(policies, action, resource, context):
                    decision = "explicitDeny"
                elif allows(policies, action, resource, context):
                    decision = "allowed"
                results.append(
                    {
                        "EvalActionName": action,
                        "EvalResourceName": resource,
                        "EvalDecision": decision,
                        "MatchedStatements": [],
                        "MissingContextValues": [],
                    }
                )
        return {"EvaluationResults": results, "IsTruncated": False}
