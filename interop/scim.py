"""Tests our SCIM client and the sandbox's SCIM service with software of other projects.

scim2-tester is a client: all its checks must pass on the sandbox's service with the generic profile. scim2-server (with
index pagination and with cursor pagination) and scimmy-routers are services: our client runs the whole life cycle of
users and groups on each of them, and on the sandbox. The program syncs a directory from a file to django-scim2-server, which
drops attributes. scim-sanity is a client too: each of its objections to the sandbox must be in a list here, with the reason.
If our client and the sandbox agree and these programs disagree, our code is wrong.
"""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import sandbox

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BIN = pathlib.Path(sys.executable).parent
# Folder in which package.json and its lock file were installed.
SCIMMY = pathlib.Path(os.environ.get("SCIMMY_DIR", HERE / "scimmy"))
TOKEN = "interop-token"
# Number of scim2-tester's checks for users, groups, their attributes and the discovery endpoints.
TESTER_CHECKS = 135
# The tests of scim-sanity that the sandbox does not pass, by profile, each with the reason.
JSON = "AWS answers with application/json, not with application/scim+json"
CREATED = f"{JSON}, and its answers to POST have no header Location"
NO_PUT = "AWS has no PUT of a group"
MEMBER_IDS = "the test adds a member that does not exist, which the service refuses"
DEVIATIONS = {
    "generic": {"PATCH /Groups/{id} add member": MEMBER_IDS},
    "aws": {
        "GET /ServiceProviderConfig": JSON,
        "GET /Schemas": JSON,
        "GET /ResourceTypes": JSON,
        "POST /Users": CREATED,
        "GET /Users/{id}": JSON,
        "PUT /Users/{id}": JSON,
        "PATCH /Users/{id}": JSON,
        "POST /Groups": CREATED,
        "GET /Groups/{id}": JSON,
        "PUT /Groups/{id}": NO_PUT,
        "GET /Groups/{id} after PUT": NO_PUT,
        "PATCH /Groups/{id}": "AWS answers 204 to a PATCH of a group; the test expects 200 and a body",
        "PATCH /Groups/{id} add member": MEMBER_IDS,
        "PATCH /Groups/{id} remove members": "the test removes all members without naming them, which AWS refuses",
        "GET /Users (ListResponse)": JSON,
        "GET /Users?count=0 (boundary)": "AWS accepts a count of 1 to 100",
    },
}
DIRECTORY = {
    "users": [
        {
            "id": f"source-{name}",
            "profile": {
                "user_name": f"{name}@example.com", "display_name": f"{name} Example", "given_name": name,
                "family_name": "Example", "email": f"{name}@example.com", "active": True, "optional": optional,
            },
        }
        for name, optional in [("ada", {"title": "Analyst", "nick_name": "Countess"}), ("grace", {}), ("joan", {})]
    ],
    "groups": [
        {"id": "source-all", "name": "all", "members": ["source-ada", "source-grace", "source-joan"]},
        {"id": "source-navy", "name": "navy", "members": ["source-grace"]},
    ],
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait(process, is_ready, what):
    deadline = time.monotonic() + 60
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"FAILED {what} did not start")
        time.sleep(0.05)


def is_listening(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def running(command, what, port=None, ready=None, **environment):
    """Runs a service until the block ends. The service is ready once its port answers, or once its ready file exists."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment}
    )
    try:
        wait(process, ready.exists if ready else lambda: is_listening(port), what)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def life_cycle(what, url, token):
    """Runs the life cycle example of our client on a service."""
    program = TARGET / "debug" / "examples" / "life_cycle"
    run = subprocess.run([program, url], env={**os.environ, "SCIM_TOKEN": token}, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"FAILED our client on {what}:\n{run.stdout}{run.stderr}")
    print(f"ok our client on {what}: {run.stdout.splitlines()[-1]}")
    return run.stdout


def test_sandbox(folder):
    ready = folder / "ready.json"
    command = [TARGET / "debug" / "examples" / "sandbox", "--scim-profile", "generic", "--ready-file", ready]
    with running(command, "the sandbox", ready=ready):
        scim = json.loads(ready.read_text())["scim"]
        tester = subprocess.run(
            [BIN / "scim2", "--url", scim["url"], "-h", f"Authorization: Bearer {scim['token']}", "test"],
            capture_output=True, text=True,
        )
        outcomes = re.findall(r"^([A-Z]{4,}) \w+", tester.stdout, re.MULTILINE)
        passed = outcomes.count("SUCCESS")
        if tester.returncode or passed != TESTER_CHECKS or len(outcomes) != passed:
            sys.exit(f"FAILED scim2-tester on the sandbox: {passed} of {len(outcomes)}\n{tester.stdout}{tester.stderr}")
        print(f"ok scim2-tester on the sandbox: {passed} checks passed")
        judge("generic", scim["url"], scim["token"])
        # A run leaves nothing behind that the next run could find.
        for run in ["first run", "second run"]:
            life_cycle(f"the sandbox, {run}", scim["url"], scim["token"])


def test_client(folder):
    by_cursor = folder / "by-cursor.json"
    by_cursor.write_text(json.dumps({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": 100},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": True},
        "authenticationSchemes": [],
        "pagination": {
            "cursor": True, "index": True, "defaultPaginationMethod": "cursor",
            "defaultPageSize": 100, "maxPageSize": 100, "cursorTimeout": 3600,
        },
    }))
    for pagination, extra in [("by index", []), ("by cursor", ["--service-provider-config", by_cursor])]:
        port = free_port()
        command = [BIN / "scim2-server", "--port", str(port), "--bearer-token", TOKEN, *extra]
        with running(command, "scim2-server", port=port):
            life_cycle(f"scim2-server, {pagination}", f"http://127.0.0.1:{port}/v2", TOKEN)
    port = free_port()
    with running(["node", SCIMMY / "server.mjs", str(port)], "scimmy-routers", port=port, SCIM_TOKEN=TOKEN):
        life_cycle("scimmy-routers", f"http://127.0.0.1:{port}/scim/v2", TOKEN)


def judge(profile, url, token):
    """Runs scim-sanity, which must find exactly the known deviations."""
    options = ["--token", token, "--i-accept-side-effects", "--json-output"]
    probe = subprocess.run([BIN / "scim-sanity", "probe", url, *options], capture_output=True, text=True)
    try:
        results = json.loads(probe.stdout)["results"]
    except ValueError:
        sys.exit(f"FAILED scim-sanity on the sandbox, {profile}:\n{probe.stdout}{probe.stderr}")
    found = {result["name"]: result["message"] for result in results if result["status"] not in ["pass", "skip"]}
    if found.keys() != DEVIATIONS[profile].keys():
        different = found.keys() ^ DEVIATIONS[profile].keys()
        sys.exit(f"FAILED scim-sanity on the sandbox, {profile}: {({name: found.get(name, 'passed') for name in different})}")
    passed = sum(result["status"] == "pass" for result in results)
    print(f"ok scim-sanity on the sandbox, {profile}: {passed} checks passed, {len(found)} known deviations")


def test_aws_profile(folder):
    """scim-sanity judges the sandbox's service with the rules of AWS, which starts after the federation."""
    with sandbox.running_sandbox() as (own, ready):
        sandbox.integrate(own, ready)
        console = json.loads(ready.read_text())["console_url"]
        request = urllib.request.Request(f"{console}/aws/automatic-provisioning", b"{}", method="POST")
        with urllib.request.urlopen(request, timeout=10) as response:
            shown = json.load(response)
        judge("aws", shown["scim_endpoint"], shown["access_token"])


def test_directory_sync(folder):
    """The first run writes the directory and names what the server drops; the other runs write nothing and name nothing."""
    source, log = folder / "directory.json", folder / "requests.log"
    source.write_text(json.dumps(DIRECTORY))
    port = free_port()
    url = f"http://127.0.0.1:{port}/scim/v2/"
    program = [TARGET / "debug" / "okta-aws-sso", "sync", "--source", source, "--generic", "--yes", "--state", folder / "sync"]
    environment = {**os.environ, "SCIM_ENDPOINT": url, "SCIM_TOKEN": TOKEN}
    notes = [f"  ! the target does not keep {name}" for name in ["displayName (3 users)", "nickName (1 user)", "title (1 user)"]]

    def sync(what, done, notes, writes, *options):
        log.write_text("")
        run = subprocess.run([*program, *options], env=environment, capture_output=True, text=True)
        sent = [line.split()[0] for line in log.read_text().splitlines()]
        sent = [method for method in sent if method != "GET"]
        shown = [line for line in run.stdout.splitlines() if line.startswith(("Done", "  ! "))]
        if run.returncode or shown != [f"Done: {done}", *notes] or sent != writes:
            sys.exit(f"FAILED sync to django-scim2-server, {what}: sent {sent}\n{run.stdout}{run.stderr}")
        print(f"ok sync to django-scim2-server, {what}: {len(sent)} writes")

    with running([sys.executable, HERE / "django_scim.py", str(port), log], "django-scim2-server", port=port, SCIM_TOKEN=TOKEN):
        sync("first run", "3 users created, 2 groups created, 4 members added", notes, ["POST"] * 5)
        names = {user["id"]: user["userName"] for user in resources(url, "Users")}
        groups = {group["displayName"]: sorted(names[member["value"]] for member in group["members"]) for group in resources(url, "Groups")}
        expected = {"all": sorted(names.values()), "navy": ["grace@example.com"]}
        if groups != expected or sorted(names.values()) != [f"{name}@example.com" for name in ["ada", "grace", "joan"]]:
            sys.exit(f"FAILED sync to django-scim2-server: {names}, {groups}")
        sync("second run", "No changes", [], [])
        sync("with all users and groups read", "No changes", [], [], "--verify")
        sync("with memberships read", "No changes", [], [], "--full")


def resources(url, kind):
    request = urllib.request.Request(f"{url}{kind}", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)["Resources"]


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        test_sandbox(folder)
        test_client(folder)
        test_directory_sync(folder)
        test_aws_profile(folder)


if __name__ == "__main__":
    main()
