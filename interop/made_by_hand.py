"""Makes permission sets and assignments with boto3, as an operator does by hand, and checks what our plan says about them.

The plan of a blueprint that describes exactly these sets and assignments must have no changes, with the policies in other words
and in another order. Then each difference that boto3 makes must be in the plan or in the drift, by name.
"""

import json
import subprocess

from estate import DENY, READ_ONLY, VIEW_ONLY, Estate
from sandbox import ROOT, TARGET, check, fail, integrate, pages, print_summary, running_sandbox

POWER_USER = "arn:aws:iam::aws:policy/PowerUserAccess"
# The sets and assignments of `make`, in the words of the blueprint. The accounts of the sandbox have no customer-managed policy, so
# no account gets the set that names one.
BLUEPRINT = """
[permission_sets.AllParts]
description = "Every part of a permission set"
session_duration = "2h"
relay_state = "https://console.aws.amazon.com/s3"
managed_policies = ["ReadOnlyAccess", "job-function/ViewOnlyAccess"]
customer_managed_policies = ["/ops/BreakGlass", "Plain"]
permissions_boundary = { customer_managed_policy = "/ops/Limit" }
tags = { team = "cloud" }

[permission_sets.AllParts.inline_policy]
Version = "2012-10-17"
[[permission_sets.AllParts.inline_policy.Statement]]
Sid = "Reads"
Effect = "Allow"
Action = ["S3:GetObject", "s3:ListBucket"]
Resource = "*"
[permission_sets.AllParts.inline_policy.Statement.Condition.Bool]
"aws:SecureTransport" = true

[permission_sets.Viewer]
managed_policies = ["job-function/ViewOnlyAccess", "ReadOnlyAccess"]
permissions_boundary = { managed_policy = "PowerUserAccess" }

[[access]]
groups = { aws-developers = ["Viewer", "ReadOnlyAccess"], aws-auditors = "Viewer" }
users = { "ada.lovelace@example.com" = "Viewer" }
accounts = ["Network", "Payments Production"]
"""
INLINE = {
    "Statement": {
        "Condition": {"Bool": {"AWS:SecureTransport": ["true"]}}, "Resource": ["*"],
        "Action": ["s3:listbucket", "s3:getobject"], "Effect": "Allow",
    },
    "Version": "2012-10-17",
}


def make(estate):
    """Makes the sets and assignments of `BLUEPRINT`. Returns its two sets."""
    client, instance = estate.admin, {"InstanceArn": estate.instance}
    tags = [{"Key": "team", "Value": "cloud"}]
    created = client.create_permission_set(
        **instance, Name="AllParts", Description="Every part of a permission set", SessionDuration="PT120M",
        RelayState="https://console.aws.amazon.com/s3", Tags=tags,
    )["PermissionSet"]
    all_parts = estate.of_set(created["PermissionSetArn"])
    created = client.create_permission_set(**instance, Name="Viewer")["PermissionSet"]
    viewer = estate.of_set(created["PermissionSetArn"])
    for policy in [VIEW_ONLY, READ_ONLY]:
        client.attach_managed_policy_to_permission_set(**all_parts, ManagedPolicyArn=policy)
        client.attach_managed_policy_to_permission_set(**viewer, ManagedPolicyArn=policy)
    for reference in [{"Name": "Plain"}, {"Name": "BreakGlass", "Path": "/ops/"}]:
        client.attach_customer_managed_policy_reference_to_permission_set(**all_parts, CustomerManagedPolicyReference=reference)
    client.put_inline_policy_to_permission_set(**all_parts, InlinePolicy=json.dumps(INLINE))
    limit = {"CustomerManagedPolicyReference": {"Name": "Limit", "Path": "/ops/"}}
    client.put_permissions_boundary_to_permission_set(**all_parts, PermissionsBoundary=limit)
    client.put_permissions_boundary_to_permission_set(**viewer, PermissionsBoundary={"ManagedPolicyArn": POWER_USER})

    sets = {client.describe_permission_set(**one)["PermissionSet"]["Name"]: one
            for arn in pages(client, "list_permission_sets", "PermissionSets", **instance) for one in [estate.of_set(arn)]}
    for account in ["Network", "Payments Production"]:
        for permission_set, group in [
            ("Viewer", "aws-developers"), ("ReadOnlyAccess", "aws-developers"), ("Viewer", "aws-auditors"), ("Viewer", None),
        ]:
            assign(estate, sets[permission_set], group, account)
    return all_parts, viewer


def assign(estate, permission_set, group, account):
    """Assigns a permission set to a group, or to a user without a group, and waits for the end of the operation."""
    store = {"IdentityStoreId": estate.store}
    kind, path, value = ("GROUP", "displayName", group) if group else ("USER", "userName", "ada.lovelace@example.com")
    identifier = {"UniqueAttribute": {"AttributePath": path, "AttributeValue": value}}
    if group:
        principal = estate.directory.get_group_id(**store, AlternateIdentifier=identifier)["GroupId"]
    else:
        principal = estate.directory.get_user_id(**store, AlternateIdentifier=identifier)["UserId"]
    started = estate.admin.create_account_assignment(
        **permission_set, TargetType="AWS_ACCOUNT", TargetId=estate.accounts[account], PrincipalType=kind, PrincipalId=principal,
    )["AccountAssignmentCreationStatus"]
    ended = estate.ended(
        estate.admin.describe_account_assignment_creation_status, "AccountAssignmentCreationStatus",
        InstanceArn=estate.instance, AccountAssignmentCreationRequestId=started["RequestId"],
    )
    if ended["Status"] != "SUCCEEDED":
        fail(f"{group or 'the user'} in {account}: {ended}")


class Product:
    """Our program on the sandbox."""

    def __init__(self, folder, ready):
        self.blueprint = folder / "blueprint.toml"
        self.connection = ["--target", ready, "--state", folder / "state", "--blueprint", self.blueprint, "--json"]
        self.describe(BLUEPRINT)

    def describe(self, text):
        self.blueprint.write_text((ROOT / "examples" / "blueprint.toml").read_text() + text)

    def run(self, command, expected, *arguments):
        """Runs a command that must end with this exit status, and returns its documents, by type."""
        program = [TARGET / "debug" / "okta-aws-sso", command]
        run = subprocess.run([*program, *self.connection, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if run.returncode != expected:
            fail(f"{command}: exit status {run.returncode}, expected {expected}: {run.stdout}{run.stderr}")
        return {document["type"]: document for document in map(json.loads, run.stdout.splitlines())}

    def changes(self, expected):
        """Returns the changes of the plan as sorted texts."""
        steps = self.run("plan", expected)["plan"]["steps"]
        return sorted(f"{change['action']} {words(change['subject'])}" for step in steps for change in step.get("changes", []))

    def findings(self, expected):
        """Returns the findings of the drift as sorted texts."""
        findings = self.run("drift", expected)["drift"]["findings"]
        return sorted(f"{finding['code']} {words(finding['subject'])}" for finding in findings)


def words(value):
    """Returns the texts of a JSON value in one line."""
    return value if isinstance(value, str) else " ".join(map(words, value.values()))


def change(estate, all_parts, viewer):
    """Makes differences of each kind."""
    client = estate.admin
    client.attach_managed_policy_to_permission_set(**viewer, ManagedPolicyArn=POWER_USER)
    client.delete_permissions_boundary_from_permission_set(**viewer)
    client.put_inline_policy_to_permission_set(**all_parts, InlinePolicy=DENY)
    client.update_permission_set(**all_parts, SessionDuration="PT12H")
    reference = {"Name": "Plain"}
    client.detach_customer_managed_policy_reference_from_permission_set(**all_parts, CustomerManagedPolicyReference=reference)
    assign(estate, viewer, "aws-platform-admins", "Network")


def main():
    subprocess.run(["cargo", "build", "--quiet", "--locked", "-p", "okta-aws-sso-cli"], cwd=ROOT, check=True)
    with running_sandbox() as (folder, ready):
        integrate(folder, ready)
        estate = Estate(json.loads(ready.read_text()))
        product = Product(folder, ready)
        all_parts, viewer = make(estate)
        check("the plan of what boto3 has made", product.changes(0), [])
        check("the drift of what boto3 has made", product.findings(0), [])

        change(estate, all_parts, viewer)
        check("the plan names each difference", product.changes(2), [
            "adopt permission-set AllParts", "adopt permission-set Viewer",
            "create policy AllParts customer-managed Plain /",
            "remove policy Viewer boundary", f"remove policy Viewer managed {POWER_USER}",
            "update permission-set AllParts", "update policy AllParts inline", "update provisioning Viewer",
        ])
        foreign = f"assignment group aws-platform-admins {estate.accounts['Network']} Viewer"
        check("the drift names each difference", product.findings(2), [
            "boundary-removed policy Viewer boundary", "not-recorded permission-set AllParts", "not-recorded permission-set Viewer",
            "outdated-in-accounts provisioning Viewer", "policy-missing policy AllParts customer-managed Plain /",
            "set-widened policy AllParts inline", f"set-widened policy Viewer managed {POWER_USER}",
            "setting-changed permission-set AllParts", f"unmanaged-assignment {foreign}",
        ])
        # The guard allows no removal of a policy, and its answer names the approval.
        refused = product.run("apply", 1, "--yes")["problem"]
        check("the guard refuses to detach what an operator has attached", refused["kind"], "guard-rejected")
        product.run("apply", 0, "--yes", "--approve", refused["help"].split("--approve ")[1].split()[0])
        check("the plan after the run", product.changes(0), [])
        check("the drift after the run", product.findings(2), [f"unmanaged-assignment {foreign}"])
    print_summary()


if __name__ == "__main__":
    main()
