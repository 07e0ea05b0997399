"""Checks the sandbox after `integrate` with official clients: boto3 and Okta's Python SDK.

Without arguments, it starts a sandbox and runs `integrate` with the example blueprint. With `--ready FILE`, it reads the
sandbox of that file after a run of the fault campaign (`tests/faults`).

The official clients share no code with this repository. They must find the app, its settings, users, groups, permission
sets and assignments, and decode each of them without an error. If our clients and the sandbox
agree and the official clients disagree, our code is wrong.
"""

import argparse
import asyncio
import json
import os
import pathlib

# Okta's SDK refuses a URL without TLS unless this variable is set. The tests of the SDK set it too.
os.environ["OKTA_TESTING_TESTINGDISABLEHTTPSCHECK"] = "true"

import boto3  # noqa: E402
import botocore.config  # noqa: E402
from okta.client import Client  # noqa: E402

from okta_sdk import all_items, profile_of  # noqa: E402
from sandbox import check, integrated_sandbox, pages, print_summary  # noqa: E402

# The end states that the checks expect: of the example company and blueprint, and of the fault campaign
# (`company` and `TEAM` in tests/it/fixture.rs).
EXAMPLE = {
    "accounts": 12,
    "suspended": ["Legacy"],
    "described": ("DeveloperAccess", "PT8H"),
    "sets": ["AdministratorAccess", "DeveloperAccess", "ReadOnlyAccess"],
    "inline": None,
    "members": {"aws-auditors": 5, "aws-developers": 16, "aws-platform-admins": 4},
    "domains": [],
}
CAMPAIGN = {
    "accounts": 3,
    "suspended": [],
    "described": ("Deploy", "PT4H"),
    "sets": ["AdministratorAccess", "Deploy"],
    "inline": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:*", "Resource": "*"}]},
    "members": {"deployers": 2},
    "domains": ["login.example.com"],
}


def check_with_boto3(aws, expected):
    config = botocore.config.Config(retries={"total_max_attempts": 1})
    session = boto3.Session(aws["access_key_id"], aws["secret_access_key"], region_name=aws["region"])
    client = lambda service: session.client(service, endpoint_url=aws["endpoint_url"], config=config)  # noqa: E731

    check("sts.get_caller_identity", client("sts").get_caller_identity()["Account"], "111122223333")
    accounts = pages(client("organizations"), "list_accounts", "Accounts")
    check("organizations.list_accounts", len(accounts), expected["accounts"])
    check("the suspended accounts", [a["Name"] for a in accounts if a["State"] == "SUSPENDED"], expected["suspended"])
    names = {a["Name"]: a["Id"] for a in accounts}

    sso = client("sso-admin")
    [instance] = pages(sso, "list_instances", "Instances")
    arn, store = instance["InstanceArn"], instance["IdentityStoreId"]
    described = sso.describe_instance(InstanceArn=arn)
    check("sso-admin.describe_instance", described["Status"], "ACTIVE")
    sets = {}
    for set_arn in pages(sso, "list_permission_sets", "PermissionSets", InstanceArn=arn):
        found = sso.describe_permission_set(InstanceArn=arn, PermissionSetArn=set_arn)["PermissionSet"]
        sets[found["Name"]] = found
    check("sso-admin.list_permission_sets", sorted(sets), expected["sets"])
    described, duration = expected["described"]
    check("sso-admin.describe_permission_set has the session duration as text", sets[described]["SessionDuration"], duration)
    inline = sso.get_inline_policy_for_permission_set(InstanceArn=arn, PermissionSetArn=sets[described]["PermissionSetArn"])
    inline = inline["InlinePolicy"]
    check("sso-admin.get_inline_policy_for_permission_set", json.loads(inline) if inline else None, expected["inline"])
    attached = pages(
        sso, "list_managed_policies_in_permission_set", "AttachedManagedPolicies",
        InstanceArn=arn, PermissionSetArn=sets["AdministratorAccess"]["PermissionSetArn"],
    )
    policies = [p["Arn"] for p in attached]
    check("sso-admin.list_managed_policies_in_permission_set", policies, ["arn:aws:iam::aws:policy/AdministratorAccess"])

    directory = client("identitystore")
    users = {u["UserName"]: u for u in pages(directory, "list_users", "Users", IdentityStoreId=store)}
    check("identitystore.list_users has Ada", users["ada.lovelace@example.com"]["Name"]["FamilyName"], "Lovelace")
    check("identitystore.list_users has the SCIM external id", "ExternalIds" in users["ada.lovelace@example.com"], True)
    groups = {g["DisplayName"]: g for g in pages(directory, "list_groups", "Groups", IdentityStoreId=store)}
    members = {
        name: len(pages(
            directory, "list_group_memberships", "GroupMemberships",
            IdentityStoreId=store, GroupId=group["GroupId"],
        ))
        for name, group in groups.items()
    }
    check("identitystore.list_groups and list_group_memberships", members, expected["members"])

    assignments = pages(
        sso, "list_account_assignments", "AccountAssignments",
        InstanceArn=arn, AccountId=names["Sandbox"], PermissionSetArn=sets["AdministratorAccess"]["PermissionSetArn"],
    )
    found = [(a["PrincipalType"], a["PrincipalId"]) for a in assignments]
    check("sso-admin.list_account_assignments", found, [("USER", users["ada.lovelace@example.com"]["UserId"])])
    return names


async def check_with_okta(okta, expected, credentials):
    client = Client({"orgUrl": okta["org_url"], "requestTimeout": 10, "cache": {"enabled": False}, **credentials})
    apps = await all_items(client.list_applications)
    ours = [app for app in apps if app.name == "amazon_aws_sso"]
    check("okta.list_applications has the app once", [app.label for app in ours], ["AWS IAM Identity Center"])
    app = ours[0].id
    users = await all_items(client.list_users)
    check("okta.list_users has Ada", "ada.lovelace@example.com" in {user.profile.login for user in users}, True)
    groups = {group.id: group for group in await all_items(client.list_groups)}
    assigned = await all_items(client.list_application_group_assignments, app)
    names = sorted(profile_of(groups[group.id]).name for group in assigned)
    check("okta.list_application_group_assignments", names, ["aws-users"])
    assigned = await all_items(client.list_application_users, app)
    check("okta.list_application_users has Ada", "ada.lovelace@example.com" in {user.credentials.user_name for user in assigned}, True)
    pushed = await all_items(client.list_group_push_mappings, app)
    check("okta.list_group_push_mappings", sorted({str(getattr(m.status, "value", m.status)) for m in pushed}), ["ACTIVE"])
    domains, _, error = await client.list_custom_domains()
    # The list begins with the org's own domain.
    found = [domain.domain for domain in domains.domains if domain.id != "default"] if error is None else error
    check("okta.list_custom_domains", found, expected["domains"])


def check_all(target, expected):
    check_with_boto3(target["aws"], expected)
    okta = target["okta"]
    asyncio.run(check_with_okta(okta, expected, {"token": okta["api_token"]}))
    if "client_id" in okta:
        # A service app, whose access tokens are bound to a key of the SDK (DPoP).
        app = {
            "authorizationMode": "PrivateKey",
            "clientId": okta["client_id"],
            "privateKey": okta["private_key"],
            "scopes": okta["scopes"],
            "dpopEnabled": True,
        }
        asyncio.run(check_with_okta(okta, expected, app))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ready", type=pathlib.Path, help="the ready file of a sandbox after a run of the fault campaign")
    ready = parser.parse_args().ready
    if ready is None:
        with integrated_sandbox() as target:
            check_all(target, EXAMPLE)
    else:
        check_all(json.loads(ready.read_text()), CAMPAIGN)
    print_summary()


if __name__ == "__main__":
    main()
