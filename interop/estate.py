"""Calls every AWS operation of the sandbox with boto3, and checks each response against botocore's service models.

The sandbox starts with the state that `integrate` makes from the example blueprint. With `--tools FOLDER`, two command line
tools from the virtual environment with this `bin` folder also read this state: `awsideman` and `aws-sso-util`
(`estate_tools.py`).

An operation that the sandbox serves must succeed at least once and return at least one error (`operations.py`). Each value in a
response must match the model (`service_model.py`). If a response and the model disagree, the sandbox is wrong.
"""

import argparse
import json
import pathlib
import time
import urllib.request

import estate_tools
import operations
from sandbox import check, fail, integrated_sandbox, pages, print_summary
from service_model import Services, refused

MANAGEMENT = "111122223333"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
VIEW_ONLY = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
DENY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:*", "Resource": "*"}]})
EXTENSION = "aws:identitystore:enterprise"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
NO_ID = "00000000-0000-4000-8000-000000000000"


class Estate:
    """The clients of the services, and the console of the sandbox."""

    def __init__(self, target):
        self.console_url = target["console_url"]
        self.admin_calls = 0
        self.services = Services(target["aws"], self.stay_below_the_quota)
        names = ["sso-admin", "organizations", "identitystore", "sts", "sso", "sso-oidc"]
        self.clients = {name: self.services.client(name) for name in names}
        self.admin, self.organizations, self.directory, self.sts, self.portal, self.oidc = self.clients.values()
        [instance] = pages(self.admin, "list_instances", "Instances")
        self.instance, self.store = instance["InstanceArn"], instance["IdentityStoreId"]
        self.accounts = {account["Name"]: account["Id"] for account in pages(self.organizations, "list_accounts", "Accounts")}

    def console(self, page, **form):
        request = urllib.request.Request(f"{self.console_url}/{page}", json.dumps(form).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def stay_below_the_quota(self, service):
        """Advances the clock of the sandbox before the quota of 20 calls per second is used up."""
        if service != "sso-admin":
            return
        if self.admin_calls % 20 == 0:
            self.console("advance", seconds=1)
        self.admin_calls += 1

    def ended(self, describe, key, **request):
        """Waits until an asynchronous operation has ended, and returns its status."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            status = describe(**request)[key]
            if status.get("Status", status.get("State")) != "IN_PROGRESS":
                return status
            self.console("advance", seconds=1)
        fail(f"{describe.__name__}: the operation does not end")

    def of_set(self, arn):
        return {"InstanceArn": self.instance, "PermissionSetArn": arn}


def check_organization(estate):
    """Checks the tree of the organization in two directions: with the lists of children, and with parents and paths."""
    client = estate.organizations
    organization = client.describe_organization()["Organization"]
    found = (organization["MasterAccountId"], organization["FeatureSet"])
    check("organizations.describe_organization", found, (MANAGEMENT, "ALL"))
    [root] = pages(client, "list_roots", "Roots")
    paths = {}

    def walk(parent, path):
        for account in pages(client, "list_accounts_for_parent", "Accounts", ParentId=parent):
            paths[account["Id"]] = f"{path}{account['Id']}/"
        units = pages(client, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent)
        for unit in units:
            described = client.describe_organizational_unit(OrganizationalUnitId=unit["Id"])["OrganizationalUnit"]
            check(f"organizations.describe_organizational_unit {unit['Name']}", described, unit)
            check(f"the path of {unit['Name']}", unit["Path"], f"{path}{unit['Id']}/")
            walk(unit["Id"], unit["Path"])
        accounts = [account for account, found in paths.items() if found == f"{path}{account}/"]
        for kind, expected in [("ORGANIZATIONAL_UNIT", [unit["Id"] for unit in units]), ("ACCOUNT", accounts)]:
            children = pages(client, "list_children", "Children", ParentId=parent, ChildType=kind)
            check(f"organizations.list_children {kind} of {parent}", [child["Id"] for child in children], expected)

    walk(root["Id"], f"{organization['Id']}/{root['Id']}/")
    accounts = pages(client, "list_accounts", "Accounts")
    found = {account["Id"]: account["Paths"] for account in accounts}
    check("organizations.list_accounts has the paths of the tree", found, {account: [path] for account, path in paths.items()})
    parents = {i: client.list_parents(ChildId=i)["Parents"][0]["Id"] for i in paths}
    check("organizations.list_parents", parents, {i: path.split("/")[-3] for i, path in paths.items()})

    for what, call, arguments, code in [
        ("an unknown parent", client.list_children, {"ParentId": "r-zzzz", "ChildType": "ACCOUNT"}, "ParentNotFoundException"),
        ("an unknown parent", client.list_accounts_for_parent, {"ParentId": "r-zzzz"}, "ParentNotFoundException"),
        ("an unknown parent", client.list_organizational_units_for_parent, {"ParentId": "r-zzzz"}, "ParentNotFoundException"),
        ("an unknown child", client.list_parents, {"ChildId": "999999999999"}, "ChildNotFoundException"),
        ("an unknown account", client.describe_account, {"AccountId": "999999999999"}, "AccountNotFoundException"),
        ("an unknown target", client.list_tags_for_resource, {"ResourceId": "999999999999"}, "TargetNotFoundException"),
        (
            "an unknown unit", client.describe_organizational_unit, {"OrganizationalUnitId": "ou-zzzz-00000000"},
            "OrganizationalUnitNotFoundException",
        ),
        ("all features", client.enable_all_features, {}, "HandshakeConstraintViolationException"),
    ]:
        refused(f"organizations.{call.__name__} refuses {what}", code, call, **arguments)


def check_accounts(estate):
    """Checks the life of an account: creation, tags, a move and its closure."""
    client = estate.organizations

    def create(email):
        started = client.create_account(Email=email, AccountName="Estate", Tags=[{"Key": "team", "Value": "cloud"}])
        check("organizations.create_account starts", started["CreateAccountStatus"]["State"], "IN_PROGRESS")
        request = {"CreateAccountRequestId": started["CreateAccountStatus"]["Id"]}
        return estate.ended(client.describe_create_account_status, "CreateAccountStatus", **request)

    created = create("aws+estate@example.com")
    found = (created["State"], "CompletedTimestamp" in created)
    check("organizations.describe_create_account_status", found, ("SUCCEEDED", True))
    account = created["AccountId"]
    again = create("aws+estate@example.com")
    check("a second account with the same address", (again["State"], again["FailureReason"]), ("FAILED", "EMAIL_ALREADY_EXISTS"))

    client.tag_resource(ResourceId=account, Tags=[{"Key": "stage", "Value": ""}])
    tags = pages(client, "list_tags_for_resource", "Tags", ResourceId=account)
    check("organizations.list_tags_for_resource", {tag["Key"]: tag["Value"] for tag in tags}, {"team": "cloud", "stage": ""})

    [root] = pages(client, "list_roots", "Roots")
    unit = pages(client, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=root["Id"])[0]
    move = {"AccountId": account, "SourceParentId": root["Id"], "DestinationParentId": unit["Id"]}
    client.move_account(**move)
    parents = client.list_parents(ChildId=account)["Parents"]
    check("organizations.move_account", parents, [{"Id": unit["Id"], "Type": "ORGANIZATIONAL_UNIT"}])
    described = client.describe_account(AccountId=account)["Account"]
    check("the path of a moved account", described["Paths"], [f"{unit['Path']}{account}/"])
    there = {**move, "SourceParentId": unit["Id"]}
    refused("organizations.move_account refuses the present parent", "DuplicateAccountException", client.move_account, **there)
    refused("organizations.move_account refuses another source", "SourceParentNotFoundException", client.move_account, **move)
    nowhere = {**there, "DestinationParentId": "ou-zzzz-00000000"}
    refused("organizations.move_account refuses an unknown unit", "DestinationParentNotFoundException",
            client.move_account, **nowhere)

    client.close_account(AccountId=account)
    estate.console("advance", seconds=1)
    closed = client.describe_account(AccountId=account)["Account"]
    check("organizations.close_account", closed["State"], "CLOSED")
    refused("a closed account", "AccountAlreadyClosedException", client.close_account, AccountId=account)
    refused("the management account", "ConstraintViolationException", client.close_account, AccountId=MANAGEMENT)
    refused("an unknown creation", "CreateAccountStatusNotFoundException", client.describe_create_account_status,
            CreateAccountRequestId="car-00000000")
    return account


def check_delegation(estate, member):
    """Checks that a delegated administrator may read, and that the account loses this right again."""
    client, account = estate.organizations, estate.accounts["Sandbox"]
    service = {"ServicePrincipal": "sso.amazonaws.com"}
    delegate = {"AccountId": account, **service}
    client.enable_aws_service_access(**service)
    trusted = pages(client, "list_aws_service_access_for_organization", "EnabledServicePrincipals")
    check("organizations.enable_aws_service_access", [s["ServicePrincipal"] for s in trusted], ["sso.amazonaws.com"])
    client.register_delegated_administrator(**delegate)
    found = pages(client, "list_delegated_administrators", "DelegatedAdministrators", **service)
    check("organizations.list_delegated_administrators", [admin["Id"] for admin in found], [account])
    as_member = estate.services.client("sso-admin", member)
    sets = pages(as_member, "list_permission_sets", "PermissionSets", InstanceArn=estate.instance)
    check("a delegated administrator lists permission sets", len(sets), 3)
    refused("a second registration", "AccountAlreadyRegisteredException", client.register_delegated_administrator, **delegate)
    client.deregister_delegated_administrator(**delegate)
    refused("a second deregistration", "AccountNotRegisteredException", client.deregister_delegated_administrator, **delegate)
    refused("the former administrator", "AccessDeniedException", as_member.list_permission_sets, InstanceArn=estate.instance)
    refused("the management account as administrator", "ConstraintViolationException", client.register_delegated_administrator,
            **{**delegate, "AccountId": MANAGEMENT})
    refused("an unknown administrator", "AccountNotFoundException", client.register_delegated_administrator,
            **{**delegate, "AccountId": "999999999999"})
    refused("an unknown service", "InvalidInputException", client.enable_aws_service_access, ServicePrincipal="nothing")


def check_instance(estate):
    client, instance = estate.admin, {"InstanceArn": estate.instance}
    client.update_instance(**instance, Name="estate")
    network = {"VpceAccessRequired": False, "AllowSourceIps": ["192.0.2.0/24"]}
    client.update_instance(**instance, NetworkConfiguration=network)
    described = client.describe_instance(**instance)
    check("sso-admin.update_instance", (described["Name"], described["NetworkConfigurationDetails"]), ("estate", network))
    [region] = client.list_regions(**instance)["Regions"]
    found = client.describe_region(**instance, RegionName=region["RegionName"])
    check("sso-admin.describe_region", {name: found[name] for name in region}, region)
    refused("sso-admin.describe_region refuses another Region", "ResourceNotFoundException", client.describe_region,
            **instance, RegionName="eu-west-1")
    refused("sso-admin.update_instance refuses false", "ValidationException", client.update_instance,
            **instance, PermissionSetsEnabled=False)
    refused("sso-admin.create_instance", "ValidationException", client.create_instance, Name="second")
    other = {"InstanceArn": "arn:aws:sso:::instance/ssoins-0000000000000000"}
    refused("sso-admin.describe_instance refuses another instance", "AccessDeniedException", client.describe_instance, **other)

    def attributes(*keys):
        values = [{"Key": key, "Value": {"Source": [f"${{path:enterprise.{key}}}"]}} for key in keys]
        return {**instance, "InstanceAccessControlAttributeConfiguration": {"AccessControlAttributes": values}}

    create = client.create_instance_access_control_attribute_configuration
    describe = client.describe_instance_access_control_attribute_configuration
    delete = client.delete_instance_access_control_attribute_configuration
    update = client.update_instance_access_control_attribute_configuration
    create(**attributes("costCenter"))
    refused("a second attribute configuration", "ConflictException", create, **attributes("costCenter"))
    update(**attributes("costCenter", "department"))
    configuration = describe(**instance)["InstanceAccessControlAttributeConfiguration"]
    expected = attributes("costCenter", "department")["InstanceAccessControlAttributeConfiguration"]
    check("the attributes for access control", configuration, expected)
    delete(**instance)
    for call, arguments in [(describe, instance), (update, attributes("team")), (delete, instance)]:
        refused(f"sso-admin.{call.__name__} without a configuration", "ResourceNotFoundException", call, **arguments)


def check_permission_set(estate):
    """Checks that each part of a permission set is set and read back; returns the ARN of the permission set."""
    client, instance = estate.admin, {"InstanceArn": estate.instance}
    created = client.create_permission_set(
        **instance, Name="Estate", Description="Checks of the estate", SessionDuration="PT2H",
        RelayState="https://console.aws.amazon.com/s3", Tags=[{"Key": "team", "Value": "cloud"}],
    )["PermissionSet"]
    one = estate.of_set(created["PermissionSetArn"])
    describe = lambda: client.describe_permission_set(**one)["PermissionSet"]  # noqa: E731
    check("sso-admin.create_permission_set", describe(), created)
    client.update_permission_set(**one, SessionDuration="PT12H", RelayState="https://console.aws.amazon.com/ec2")
    described = describe()
    expected = {**created, "SessionDuration": "PT12H", "RelayState": "https://console.aws.amazon.com/ec2"}
    check("sso-admin.update_permission_set", described, expected)

    for policy in [READ_ONLY, VIEW_ONLY]:
        client.attach_managed_policy_to_permission_set(**one, ManagedPolicyArn=policy)
    attached = pages(client, "list_managed_policies_in_permission_set", "AttachedManagedPolicies", **one)
    expected = [{"Name": "ReadOnlyAccess", "Arn": READ_ONLY}, {"Name": "ViewOnlyAccess", "Arn": VIEW_ONLY}]
    check("sso-admin.list_managed_policies_in_permission_set", attached, expected)
    client.detach_managed_policy_from_permission_set(**one, ManagedPolicyArn=VIEW_ONLY)
    attached = pages(client, "list_managed_policies_in_permission_set", "AttachedManagedPolicies", **one)
    check("sso-admin.detach_managed_policy_from_permission_set", attached, expected[:1])

    references = [{"Name": "BreakGlass", "Path": "/ops/"}, {"Name": "Plain"}]
    for reference in references:
        client.attach_customer_managed_policy_reference_to_permission_set(**one, CustomerManagedPolicyReference=reference)
    list_customer = "list_customer_managed_policy_references_in_permission_set"
    found = pages(client, list_customer, "CustomerManagedPolicyReferences", **one)
    check(f"sso-admin.{list_customer}", found, [references[0], {"Name": "Plain", "Path": "/"}])
    client.detach_customer_managed_policy_reference_from_permission_set(**one, CustomerManagedPolicyReference=references[1])

    client.put_inline_policy_to_permission_set(**one, InlinePolicy=DENY)
    inline = client.get_inline_policy_for_permission_set(**one)["InlinePolicy"]
    check("sso-admin.get_inline_policy_for_permission_set", inline, DENY)
    for boundary in [{"ManagedPolicyArn": READ_ONLY}, {"CustomerManagedPolicyReference": references[0]}]:
        client.put_permissions_boundary_to_permission_set(**one, PermissionsBoundary=boundary)
        found = client.get_permissions_boundary_for_permission_set(**one)["PermissionsBoundary"]
        check(f"sso-admin.get_permissions_boundary_for_permission_set {[*boundary]}", found, boundary)

    def tags(arn):
        found = pages(client, "list_tags_for_resource", "Tags", **instance, ResourceArn=arn)
        return {tag["Key"]: tag["Value"] for tag in found}

    for what, arn, first in [
        ("a permission set", one["PermissionSetArn"], {"team": "cloud"}),
        ("the instance", estate.instance, {}),
    ]:
        client.tag_resource(**instance, ResourceArn=arn, Tags=[{"Key": "stage", "Value": ""}, {"Key": "old", "Value": "1"}])
        client.untag_resource(**instance, ResourceArn=arn, TagKeys=["old"])
        check(f"the tags of {what}", tags(arn), {**first, "stage": ""})

    none = estate.of_set(f"{one['PermissionSetArn'][:-16]}0000000000000000")
    reference = {"CustomerManagedPolicyReference": references[0]}
    both = {"PermissionsBoundary": {"ManagedPolicyArn": READ_ONLY, **reference}}
    unknown = {"ManagedPolicyArn": "arn:aws:iam::aws:policy/NoSuchPolicy"}
    for what, code, call, arguments in [
        ("the same name", "ConflictException", client.create_permission_set, {**instance, "Name": "Estate"}),
        ("13 hours", "ValidationException", client.update_permission_set, {**one, "SessionDuration": "PT13H"}),
        ("a name with a space", "ValidationException", client.create_permission_set, {**instance, "Name": "Read Only"}),
        ("an unknown set", "ResourceNotFoundException", client.describe_permission_set, none),
        ("an attached policy", "ConflictException", client.attach_managed_policy_to_permission_set,
         {**one, "ManagedPolicyArn": READ_ONLY}),
        ("an unknown policy", "ResourceNotFoundException", client.attach_managed_policy_to_permission_set, {**one, **unknown}),
        ("a detached policy", "ResourceNotFoundException", client.detach_managed_policy_from_permission_set,
         {**one, "ManagedPolicyArn": VIEW_ONLY}),
        ("an attached reference", "ConflictException", client.attach_customer_managed_policy_reference_to_permission_set,
         {**one, **reference}),
        ("a detached reference", "ResourceNotFoundException", client.detach_customer_managed_policy_reference_from_permission_set,
         {**one, "CustomerManagedPolicyReference": references[1]}),
        ("two boundaries", "ValidationException", client.put_permissions_boundary_to_permission_set, {**one, **both}),
        ("an unknown set", "ResourceNotFoundException", client.get_inline_policy_for_permission_set, none),
        ("an unknown set", "ResourceNotFoundException", client.list_tags_for_resource,
         {**instance, "ResourceArn": none["PermissionSetArn"]}),
    ]:
        refused(f"sso-admin.{call.__name__} refuses {what}", code, call, **arguments)
    return one["PermissionSetArn"]


def check_quota_of_policies(estate):
    """Checks the quota of 20 policies on a permission set that is deleted again."""
    client = estate.admin
    created = client.create_permission_set(InstanceArn=estate.instance, Name="Full")["PermissionSet"]
    one = estate.of_set(created["PermissionSetArn"])
    attach = client.attach_customer_managed_policy_reference_to_permission_set
    for number in range(20):
        attach(**one, CustomerManagedPolicyReference={"Name": f"Policy{number}"})
    refused("the 21st policy of a permission set", "ServiceQuotaExceededException", attach,
            **one, CustomerManagedPolicyReference={"Name": "Policy20"})
    client.delete_permission_set(**one)
    refused("a deleted permission set", "ResourceNotFoundException", client.describe_permission_set, **one)


def check_assignments(estate, arn, closed):
    """Checks assignments and provisioning; the permission set has a boundary and a policy that no account has."""
    client, one, account = estate.admin, estate.of_set(arn), estate.accounts["Network"]
    store = {"IdentityStoreId": estate.store}
    group = estate.directory.get_group_id(**store, AlternateIdentifier=by("displayName", "aws-developers"))["GroupId"]
    target = {**one, "TargetType": "AWS_ACCOUNT", "TargetId": account, "PrincipalType": "GROUP", "PrincipalId": group}

    def run(start, describe, key, request_id, **arguments):
        started = start(**arguments)[key]
        check(f"sso-admin.{start.__name__} starts", started["Status"], "IN_PROGRESS")
        return estate.ended(describe, key, InstanceArn=estate.instance, **{request_id: started["RequestId"]})

    def create(**changes):
        return run(
            client.create_account_assignment, client.describe_account_assignment_creation_status,
            "AccountAssignmentCreationStatus", "AccountAssignmentCreationRequestId", **{**target, **changes},
        )

    def delete(**changes):
        return run(
            client.delete_account_assignment, client.describe_account_assignment_deletion_status,
            "AccountAssignmentDeletionStatus", "AccountAssignmentDeletionRequestId", **{**target, **changes},
        )

    def provision(**arguments):
        return run(
            client.provision_permission_set, client.describe_permission_set_provisioning_status,
            "PermissionSetProvisioningStatus", "ProvisionPermissionSetRequestId", **one, **arguments,
        )

    failed = create()
    check("an assignment with a policy that the account does not have", failed["Status"], "FAILED")
    check("the reason of the failure", "policy/ops/BreakGlass" in failed["FailureReason"], True)
    refused("an account outside of the organization", "ResourceNotFoundException", client.create_account_assignment,
            **{**target, "TargetId": "999999999999"})
    refused("a closed account", "ValidationException", client.create_account_assignment, **{**target, "TargetId": closed})
    reference = {"Name": "BreakGlass", "Path": "/ops/"}
    client.detach_customer_managed_policy_reference_from_permission_set(**one, CustomerManagedPolicyReference=reference)
    client.delete_permissions_boundary_from_permission_set(**one)
    for call in [client.get_permissions_boundary_for_permission_set, client.delete_permissions_boundary_from_permission_set]:
        refused(f"sso-admin.{call.__name__} without a boundary", "ResourceNotFoundException", call, **one)
    suspended = create(TargetId=estate.accounts["Legacy"])
    check("an assignment in a suspended account", suspended["Status"], "FAILED")
    unknown = create(PrincipalId=NO_ID)
    check("an assignment of an unknown group", unknown["Status"], "FAILED")
    created = create()
    check("sso-admin.create_account_assignment", {name: created[name] for name in target if name in created},
          {name: value for name, value in target.items() if name != "InstanceArn"})
    check("an assignment ends", created["Status"], "SUCCEEDED")
    rows = pages(client, "list_account_assignments", "AccountAssignments", **one, AccountId=account)
    row = {"AccountId": account, "PermissionSetArn": arn, "PrincipalType": "GROUP", "PrincipalId": group}
    check("sso-admin.list_account_assignments", rows, [row])
    principal = {"InstanceArn": estate.instance, "PrincipalType": "GROUP", "PrincipalId": group}
    every = pages(client, "list_account_assignments_for_principal", "AccountAssignments", **principal)
    there = pages(client, "list_account_assignments_for_principal", "AccountAssignments",
                  **principal, Filter={"AccountId": account})
    check("sso-admin.list_account_assignments_for_principal", (there, row in every, len(every)), ([row], True, 3))
    user = estate.directory.get_user_id(**store, AlternateIdentifier=by("userName", "ada.lovelace@example.com"))
    rows = pages(client, "list_account_assignments_for_principal", "AccountAssignments",
                 InstanceArn=estate.instance, PrincipalType="USER", PrincipalId=user["UserId"])
    kinds = {row["PrincipalType"] for row in rows}
    check("the assignments of a user include those of the user's groups", kinds, {"USER", "GROUP"})

    def provisioned():
        accounts = {}
        for status in ["LATEST_PERMISSION_SET_PROVISIONED", "LATEST_PERMISSION_SET_NOT_PROVISIONED"]:
            accounts[status] = pages(
                client, "list_accounts_for_provisioned_permission_set", "AccountIds", **one, ProvisioningStatus=status,
            )
            sets = pages(
                client, "list_permission_sets_provisioned_to_account", "PermissionSets",
                InstanceArn=estate.instance, AccountId=account, ProvisioningStatus=status,
            )
            check(f"both lists of provisioned permission sets, {status}", arn in sets, account in accounts[status])
        return list(accounts.values())

    check("an assignment provisions the permission set", provisioned(), [[account], []])
    client.delete_inline_policy_from_permission_set(**one)
    inline = client.get_inline_policy_for_permission_set(**one)["InlinePolicy"]
    check("sso-admin.delete_inline_policy_from_permission_set", inline, "")
    refused("a second deletion of the inline policy", "ResourceNotFoundException",
            client.delete_inline_policy_from_permission_set, **one)
    check("a changed permission set is not provisioned", provisioned(), [[], [account]])
    done = provision(TargetType="AWS_ACCOUNT", TargetId=account)
    found = (done["Status"], done["AccountId"], done["PermissionSetArn"])
    check("sso-admin.provision_permission_set", found, ("SUCCEEDED", account, arn))
    check("the permission set is provisioned", provisioned(), [[account], []])
    check("provisioning of every account", provision(TargetType="ALL_PROVISIONED_ACCOUNTS")["Status"], "SUCCEEDED")
    refused("no account", "ValidationException", client.provision_permission_set, **one, TargetType="AWS_ACCOUNT")
    refused("a permission set with assignments", "ConflictException", client.delete_permission_set, **one)

    check("sso-admin.delete_account_assignment", delete()["Status"], "SUCCEEDED")
    refused("a second deletion", "ResourceNotFoundException", client.delete_account_assignment, **target)
    for operation, key, expected in [
        ("list_account_assignment_creation_status", "AccountAssignmentsCreationStatus", failed),
        ("list_account_assignment_deletion_status", "AccountAssignmentsDeletionStatus", None),
        ("list_permission_set_provisioning_status", "PermissionSetsProvisioningStatus", done),
    ]:
        for status in ["SUCCEEDED", "FAILED", "IN_PROGRESS"]:
            found = pages(client, operation, key, InstanceArn=estate.instance, Filter={"Status": status})
            check(f"sso-admin.{operation} {status}", {row["Status"] for row in found} <= {status}, True)
            if expected and expected["Status"] == status:
                requests = {row["RequestId"] for row in found}
                check(f"sso-admin.{operation} has the request", expected["RequestId"] in requests, True)
    for describe, request_id in [
        (client.describe_account_assignment_creation_status, "AccountAssignmentCreationRequestId"),
        (client.describe_account_assignment_deletion_status, "AccountAssignmentDeletionRequestId"),
        (client.describe_permission_set_provisioning_status, "ProvisionPermissionSetRequestId"),
    ]:
        refused(f"sso-admin.{describe.__name__} of an unknown request", "ResourceNotFoundException", describe,
                InstanceArn=estate.instance, **{request_id: NO_ID})


def by(path, value):
    return {"UniqueAttribute": {"AttributePath": path, "AttributeValue": value}}


def check_directory(estate):
    """Checks users, groups and memberships; returns a user and a group, which the checks of every operation need."""
    client, store = estate.directory, {"IdentityStoreId": estate.store}
    users = {user["UserName"]: user for user in pages(client, "list_users", "Users", **store)}
    ada = users["ada.lovelace@example.com"]
    check("identitystore.describe_user", client.describe_user(**store, UserId=ada["UserId"])["ExternalIds"], ada["ExternalIds"])
    for what, identifier in [
        ("the external id", {"ExternalId": ada["ExternalIds"][0]}),
        ("the user name", by("userName", "ada.lovelace@example.com")),
        ("the email address", by("emails.value", ada["Emails"][0]["Value"])),
    ]:
        found = client.get_user_id(**store, AlternateIdentifier=identifier)["UserId"]
        check(f"identitystore.get_user_id with {what}", found, ada["UserId"])
    groups = {group["DisplayName"]: group for group in pages(client, "list_groups", "Groups", **store)}
    admins = groups["aws-platform-admins"]
    described = client.describe_group(**store, GroupId=admins["GroupId"])
    check("identitystore.describe_group", described["DisplayName"], "aws-platform-admins")
    found = client.get_group_id(**store, AlternateIdentifier=by("displayName", "aws-platform-admins"))["GroupId"]
    check("identitystore.get_group_id with the name", found, admins["GroupId"])
    external = {"ExternalId": {"Issuer": ada["ExternalIds"][0]["Issuer"], "Id": "nobody"}}
    for call in [client.get_user_id, client.get_group_id]:
        refused(f"identitystore.{call.__name__} with an unknown external id", "ResourceNotFoundException", call,
                **store, AlternateIdentifier=external)
        refused(f"identitystore.{call.__name__} with another attribute", "ValidationException", call,
                **store, AlternateIdentifier=by("title", "Fellow"))

    profile = {
        "UserName": "estate", "DisplayName": "Estate User", "NickName": "E", "ProfileUrl": "https://example.com/estate",
        "Name": {"GivenName": "Estate", "FamilyName": "User", "Formatted": "Estate User"}, "Title": "Clerk", "UserType": "Staff",
        "Emails": [{"Value": "estate@example.com", "Type": "work", "Primary": True}], "Locale": "en-US", "Timezone": "UTC",
        "Addresses": [{"Locality": "Berlin", "Country": "DE", "Type": "work", "Primary": True}], "PreferredLanguage": "en",
        "PhoneNumbers": [{"Value": "+49 30 1234567", "Type": "work", "Primary": True}], "Website": "https://example.com",
        "Birthdate": "1990-01-01", "Roles": [{"Value": "clerk", "Type": "work", "Primary": True}],
        "Photos": [{"Value": "https://example.com/e.png", "Type": "photo", "Primary": True}],
    }
    extension = {EXTENSION: {"employeeNumber": "7", "department": "Cloud"}}
    created = client.create_user(**store, **profile, Extensions=extension)
    user = {**store, "UserId": created["UserId"]}
    described = client.describe_user(**user, Extensions=[EXTENSION])
    check("identitystore.create_user", {name: described[name] for name in profile}, profile)
    check("the extension of a user", described["Extensions"], extension)
    check("without a request, a user has no extension", "Extensions" in client.describe_user(**user), False)
    changes = [
        {"AttributePath": "name.familyName", "AttributeValue": "Changed"},
        {"AttributePath": "emails", "AttributeValue": [{"value": "changed@example.com", "type": "work", "primary": True}]},
        {"AttributePath": f"{EXTENSION}.department", "AttributeValue": "Platform"},
        {"AttributePath": "title"},
    ]
    updated = client.update_user(**user, Operations=changes, Revision=created["Revision"])
    described = client.describe_user(**user, Extensions=[EXTENSION])
    found = [
        described["Name"]["FamilyName"], described["Emails"][0]["Value"], described["Extensions"][EXTENSION]["department"],
        "Title" in described, described["Revision"],
    ]
    check("identitystore.update_user", found, ["Changed", "changed@example.com", "Platform", False, updated["Revision"]])
    stale = refused("a stale revision", "ConflictException", client.update_user,
                    **user, Operations=changes, Revision=created["Revision"])
    check("the reason of the conflict", stale["Reason"], "CONCURRENT_MODIFICATION")
    names = {"DisplayName": "Estate User", "Name": profile["Name"]}
    double = refused("a second user with the same name", "ConflictException", client.create_user,
                     **store, UserName="estate", **names)
    check("the reason of the conflict", double["Reason"], "UNIQUENESS_CONSTRAINT_VIOLATION")
    refused("a reserved name", "ValidationException", client.create_user, **store, UserName="Administrator", **names)
    refused("a user without a name", "ValidationException", client.create_user, **store, UserName="nameless")
    refused("a second email address", "ValidationException", client.create_user, **store, UserName="two", **names,
            Emails=[{"Value": "one@example.com"}, {"Value": "two@example.com"}])

    created = client.create_group(**store, DisplayName="estate", Description="Checks")
    group = {**store, "GroupId": created["GroupId"]}
    refused("a second group with the same name", "ConflictException", client.create_group, **store, DisplayName="estate")
    client.update_group(**group, Operations=[{"AttributePath": "description", "AttributeValue": "Changed"}])
    check("identitystore.update_group", client.describe_group(**group)["Description"], "Changed")
    refused("an attribute of no group", "ValidationException", client.update_group,
            **group, Operations=[{"AttributePath": "title", "AttributeValue": "x"}])

    member = {"MemberId": {"UserId": user["UserId"]}}
    joined = client.create_group_membership(**group, **member)
    membership = {**store, "MembershipId": joined["MembershipId"]}
    found = client.get_group_membership_id(**group, **member)["MembershipId"]
    check("identitystore.get_group_membership_id", found, joined["MembershipId"])
    described = client.describe_group_membership(**membership)
    expected = (user["UserId"], group["GroupId"])
    check("identitystore.describe_group_membership", (described["MemberId"]["UserId"], described["GroupId"]), expected)
    rows = pages(client, "list_group_memberships", "GroupMemberships", **group)
    check("identitystore.list_group_memberships", [row["MembershipId"] for row in rows], [joined["MembershipId"]])
    rows = pages(client, "list_group_memberships_for_member", "GroupMemberships", **store, **member)
    check("identitystore.list_group_memberships_for_member", [row["GroupId"] for row in rows], [group["GroupId"]])
    results = client.is_member_in_groups(**store, **member, GroupIds=[group["GroupId"], admins["GroupId"]])["Results"]
    check("identitystore.is_member_in_groups", [row["MembershipExists"] for row in results], [True, False])
    refused("a second membership", "ConflictException", client.create_group_membership, **group, **member)
    client.delete_group_membership(**membership)
    for call, arguments in [
        (client.describe_group_membership, membership),
        (client.delete_group_membership, membership),
        (client.get_group_membership_id, {**group, **member}),
    ]:
        what = f"identitystore.{call.__name__} of a deleted membership"
        missing = refused(what, "ResourceNotFoundException", call, **arguments)
        check("the type of the missing resource", missing["ResourceType"], "GROUP_MEMBERSHIP")

    network = {"VpceAccessRequired": False, "ScimAllowSourceIps": ["192.0.2.0/24"]}
    client.update_identity_store(**store, NetworkConfiguration=network)
    check("identitystore.update_identity_store", client.describe_identity_store(**store)["NetworkConfiguration"], network)
    found = pages(client, "list_identity_stores", "IdentityStores")
    check("identitystore.list_identity_stores", [row["IdentityStoreId"] for row in found], [estate.store])
    refused("another identity store", "ResourceNotFoundException", client.describe_identity_store, IdentityStoreId="d-0000000000")

    return user, group


def check_deletions(estate, user, group):
    """Deletes a user and a group, and checks the errors of the operations that need them."""
    client, store, member = estate.directory, {"IdentityStoreId": estate.store}, {"MemberId": {"UserId": user["UserId"]}}
    client.delete_user(**user)
    client.delete_group(**group)
    change = {"Operations": [{"AttributePath": "description", "AttributeValue": "x"}]}
    for call, arguments, kind in [
        (client.describe_user, user, "USER"),
        (client.delete_user, user, "USER"),
        (client.update_user, {**user, **change}, "USER"),
        (client.describe_group, group, "GROUP"),
        (client.delete_group, group, "GROUP"),
        (client.update_group, {**group, **change}, "GROUP"),
        (client.list_group_memberships, group, "GROUP"),
        (client.list_group_memberships_for_member, {**store, **member}, "USER"),
        (client.create_group_membership, {**group, **member}, "GROUP"),
        (client.is_member_in_groups, {**store, **member, "GroupIds": [group["GroupId"]]}, "USER"),
    ]:
        missing = refused(f"identitystore.{call.__name__} of a deleted resource", "ResourceNotFoundException", call, **arguments)
        check("the type of the missing resource", missing["ResourceType"], kind)


def sign_in(estate):
    """Signs a user in on a device, and returns the access token and the credentials of the user's role."""
    registered = estate.oidc.register_client(clientName="estate", clientType="public")
    client = {name: registered[name] for name in ["clientId", "clientSecret"]}
    refused("a confidential client", "InvalidClientMetadataException", estate.oidc.register_client,
            clientName="estate", clientType="confidential")
    start_url = f"https://{estate.store}.awsapps.com/start"
    started = estate.oidc.start_device_authorization(**client, startUrl=start_url)
    refused("another portal", "InvalidRequestException", estate.oidc.start_device_authorization,
            **client, startUrl="https://d-0000000000.awsapps.com/start")
    refused("another client", "InvalidClientException", estate.oidc.start_device_authorization,
            clientId="other", clientSecret="other", startUrl=start_url)
    token = {**client, "grantType": DEVICE_GRANT, "deviceCode": started["deviceCode"]}
    refused("a token before the approval", "AuthorizationPendingException", estate.oidc.create_token, **token)
    refused("another grant", "UnsupportedGrantTypeException", estate.oidc.create_token, **{**token, "grantType": "password"})
    refused("another device", "InvalidGrantException", estate.oidc.create_token, **{**token, "deviceCode": "other"})
    estate.console("sign-in", user_code=started["userCode"], login="ada.lovelace@example.com")
    created = estate.oidc.create_token(**token)
    check("sso-oidc.create_token", created["tokenType"], "Bearer")
    refused("a second token", "InvalidGrantException", estate.oidc.create_token, **token)

    session, account = {"accessToken": created["accessToken"]}, estate.accounts["Sandbox"]
    # Ada has an assignment in one account; the platform administrators, among them Ada, have three.
    found = {row["accountName"] for row in pages(estate.portal, "list_accounts", "accountList", **session)}
    check("sso.list_accounts", sorted(found), ["Log Archive", "Network", "Sandbox", "Shared Services"])
    roles = pages(estate.portal, "list_account_roles", "roleList", **session, accountId=account)
    check("sso.list_account_roles", roles, [{"roleName": "AdministratorAccess", "accountId": account}])
    role = {**session, "accountId": account, "roleName": "AdministratorAccess"}
    credentials = estate.portal.get_role_credentials(**role)["roleCredentials"]
    refused("a role of others", "ForbiddenException", estate.portal.get_role_credentials, **{**role, "roleName": "Other"})
    refused("an account of others", "ForbiddenException", estate.portal.list_account_roles, **session, accountId=MANAGEMENT)
    member = {
        "aws_access_key_id": credentials["accessKeyId"],
        "aws_secret_access_key": credentials["secretAccessKey"],
        "aws_session_token": credentials["sessionToken"],
    }
    identity = estate.services.client("sts", member).get_caller_identity()
    found = (identity["Account"], identity["Arn"].split("/")[-1])
    check("sts.get_caller_identity with a role", found, (account, "ada.lovelace@example.com"))
    return session, member


def check_end_of_session(estate, session):
    """Checks the errors after sign-out and after a device code has expired."""
    token = estate.services.succeeded[("sso-oidc", "CreateToken")]
    started = estate.oidc.start_device_authorization(**estate.services.succeeded[("sso-oidc", "StartDeviceAuthorization")])
    estate.console("advance", seconds=601)
    refused("an expired device code", "ExpiredTokenException", estate.oidc.create_token,
            **{**token, "deviceCode": started["deviceCode"]})
    estate.portal.logout(**session)
    account = {"accountId": estate.accounts["Sandbox"]}
    for call, arguments in [
        (estate.portal.list_accounts, {}), (estate.portal.list_account_roles, account),
        (estate.portal.get_role_credentials, {**account, "roleName": "AdministratorAccess"}), (estate.portal.logout, {}),
    ]:
        refused(f"sso.{call.__name__} after sign-out", "UnauthorizedException", call, **session, **arguments)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", type=pathlib.Path, help="the folder with the programs awsideman and aws-sso-util")
    tools = parser.parse_args().tools
    with integrated_sandbox() as target:
        estate = Estate(target)
        if tools is not None:
            estate_tools.check_tools(estate, tools.resolve())
            # The tools used the quota too.
            estate.admin_calls = 0
        check("sts.get_caller_identity", estate.sts.get_caller_identity()["Account"], MANAGEMENT)
        session, member = sign_in(estate)
        check_delegation(estate, member)
        check_organization(estate)
        closed = check_accounts(estate)
        check_instance(estate)
        arn = check_permission_set(estate)
        check_quota_of_policies(estate)
        check_assignments(estate, arn, closed)
        user, group = check_directory(estate)
        operations.check_pages(estate)
        operations.check_requests(estate)
        check_deletions(estate, user, group)
        operations.check_callers(estate, member)
        operations.check_throttling(estate)
        check_end_of_session(estate, session)
        operations.check_coverage(estate)
    print_summary()


if __name__ == "__main__":
    main()
