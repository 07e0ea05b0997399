"""Compares what the command line tools `awsideman` and `aws-sso-util` read with what boto3 reads.

Both tools find the sandbox with the environment variables of the AWS SDKs. `awsideman` prints most of its lists only as tables;
the terminal is wide enough for every row.
"""

import concurrent.futures
import csv
import json
import os
import pathlib
import re
import subprocess
import tempfile

from sandbox import check, fail, pages

ADA = "ada.lovelace@example.com"

# awsideman reads the access key from a profile of the AWS CLI, and the instance from its own file.
FILES = {
    ".aws/config": """[profile sandbox]
region = {region}
aws_access_key_id = {access_key_id}
aws_secret_access_key = {secret_access_key}
""",
    ".awsideman/config.yaml": """profiles:
  sandbox:
    region: {region}
    sso_instance_arn: {instance}
    identity_store_id: {store}
default_profile: sandbox
""",
}


class Tools:
    """The programs, and the environment with which they find the sandbox."""

    def __init__(self, folder, estate, home, pool):
        self.folder, self.pool = folder, pool
        aws = estate.services.aws
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "HOME": str(home),
            "COLUMNS": "500",
            "AWS_ENDPOINT_URL": aws["endpoint_url"],
            "AWS_ACCESS_KEY_ID": aws["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": aws["secret_access_key"],
            "AWS_DEFAULT_REGION": aws["region"],
        }
        for name, text in FILES.items():
            path = home / name
            path.parent.mkdir()
            path.write_text(text.format(instance=estate.instance, store=estate.store, **aws))

    def start(self, program, *arguments):
        return subprocess.Popen(
            [self.folder / program, *arguments], env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )

    def run(self, program, *arguments):
        """Runs a program and returns its output."""
        process = self.start(program, *arguments)
        output, _ = process.communicate(timeout=60)
        if process.returncode != 0:
            fail(f"{program} {' '.join(arguments)} ends with status {process.returncode}: {output}")
        return output

    def table(self, *arguments):
        """Returns the rows of the table that awsideman prints."""
        lines = self.run("awsideman", *arguments).splitlines()
        return sorted(tuple(cell.strip() for cell in line.strip("│").split("│")) for line in lines if line.startswith("│"))


def read_with_boto3(estate):
    """Returns users, groups with members, permission sets and assignments, by name."""
    store, instance = {"IdentityStoreId": estate.store}, {"InstanceArn": estate.instance}
    users = {user["UserId"]: user for user in pages(estate.directory, "list_users", "Users", **store)}
    groups, members = {}, {}
    for group in pages(estate.directory, "list_groups", "Groups", **store):
        groups[group["GroupId"]] = group
        rows = pages(estate.directory, "list_group_memberships", "GroupMemberships", **store, GroupId=group["GroupId"])
        members[group["DisplayName"]] = [
            (row["MembershipId"], i, users[i]["UserName"], users[i]["DisplayName"])
            for row in rows for i in [row["MemberId"]["UserId"]]
        ]
    names = {i: user["UserName"] for i, user in users.items()} | {i: group["DisplayName"] for i, group in groups.items()}
    sets, assignments = {}, set()
    for arn in pages(estate.admin, "list_permission_sets", "PermissionSets", **instance):
        one = estate.of_set(arn)
        sets[arn] = estate.admin.describe_permission_set(**one)["PermissionSet"]
        for account in pages(estate.admin, "list_accounts_for_provisioned_permission_set", "AccountIds", **one):
            for row in pages(estate.admin, "list_account_assignments", "AccountAssignments", **one, AccountId=account):
                assignments.add((sets[arn]["Name"], names[row["PrincipalId"]], row["PrincipalType"], account))
    return users, groups, members, sets, assignments


def check_tools(estate, folder):
    users, groups, members, sets, assignments = read_with_boto3(estate)
    # Each command needs one or two seconds to load the tool, so the commands run side by side.
    with tempfile.TemporaryDirectory() as home, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        tools = Tools(folder, estate, pathlib.Path(home), pool)
        expected = [
            *of_aws_sso_util(estate, tools, users, groups, sets, assignments),
            *of_awsideman(estate, tools, users, groups, members, sets, assignments),
        ]
        for what, found, right in expected:
            check(what, found.result(), right)


def of_aws_sso_util(estate, tools, users, groups, sets, assignments):
    """Yields the commands of aws-sso-util, what they print, and what they should print."""
    def listed():
        rows = csv.DictReader(tools.run("aws-sso-util", "admin", "assignments", "--lookup-names").splitlines())
        return sorted((r["permission_set_name"], r["principal_name"], r["principal_type"], r["target_id"]) for r in rows)

    def looked_up(kind, names):
        output = tools.run("aws-sso-util", "admin", "lookup", kind, *names, "--error-if-not-found", "--separator", ",")
        _header, *rows = output.splitlines()
        return dict(csv.reader(rows))

    yield "aws-sso-util admin assignments", tools.pool.submit(listed), sorted(assignments)
    for kind, known in [
        ("user", {user["UserName"]: i for i, user in users.items()}),
        ("group", {group["DisplayName"]: i for i, group in groups.items()}),
        ("permission-set", {one["Name"]: arn for arn, one in sets.items()}),
    ]:
        yield f"aws-sso-util admin lookup {kind}", tools.pool.submit(looked_up, kind, known), known

    of_ada = {ADA, "aws-platform-admins"}
    expected = sorted((account, name) for name, principal, _, account in assignments if principal in of_ada)
    yield "aws-sso-util login and roles", tools.pool.submit(roles_after_login, estate, tools), expected


def roles_after_login(estate, tools):
    """Signs in on a device and returns the accounts and roles that the access portal offers."""
    start_url, region = f"https://{estate.store}.awsapps.com/start", estate.services.aws["region"]
    login = tools.start("aws-sso-util", "login", "--headless", start_url, region)
    # The tool prints the code and waits for the approval.
    output = ""
    for line in login.stdout:
        output += line
        if code := re.search(r"\b[A-Z2-7]{4}-[A-Z2-7]{4}\b", line):
            estate.console("sign-in", user_code=code[0], login=ADA)
            break
    rest, _ = login.communicate(timeout=60)
    if login.returncode != 0:
        fail(f"aws-sso-util login ends with status {login.returncode}: {output}{rest}")
    rows = tools.run(
        "aws-sso-util", "roles", "--sso-start-url", start_url, "--sso-region", region,
        "--no-header", "--separator", ",", "--sort-by", "id,role",
    )
    return sorted((account, role) for account, _name, role in csv.reader(rows.splitlines()))


def of_awsideman(estate, tools, users, groups, members, sets, assignments):
    """Yields the commands of awsideman, what they print, and what they should print."""
    def table(*command):
        return f"awsideman {' '.join(command)}", tools.pool.submit(tools.table, *command)

    names = {i: name for name, i in estate.accounts.items()}
    yield *table("user", "list"), sorted(
        (i, user["UserName"], user["Emails"][0]["Value"], f"{user['Name']['GivenName']} {user['Name']['FamilyName']}")
        for i, user in users.items()
    )
    yield *table("group", "list"), sorted((i, group["DisplayName"], group.get("Description", "")) for i, group in groups.items())
    yield *table("permission-set", "list"), sorted(
        (one["Name"], arn, one.get("Description", "N/A"), f"{one['SessionDuration'].strip('PTH')} hour(s)")
        for arn, one in sets.items()
    )
    yield *table("assignment", "list", "--no-interactive"), sorted(
        (name, principal, kind, f"{names[account]} ({account})") for name, principal, kind, account in assignments
    )
    group = max(members, key=lambda name: len(members[name]))
    yield *table("group", "list-members", group), sorted(members[group])

    def tree():
        return sorted(accounts(json.loads(tools.run("awsideman", "org", "tree", "--json"))))

    def accounts(nodes):
        found = [(node["id"], node["name"]) for node in nodes if node["type"] == "ACCOUNT"]
        return found + [account for node in nodes for account in accounts(node["children"])]

    yield "awsideman org tree", tools.pool.submit(tree), sorted(names.items())
