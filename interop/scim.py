"""Other people's SCIM software beside ours, in both roles.

scim2-tester, a client, judges the sandbox's service of the generic profile: all of its checks pass. scim2-server (paged by
index, and by cursor) and scimmy-routers are services for our client, which does the whole life of users and groups on each,
and on the sandbox. When our client and the sandbox agree and these disagree, ours are wrong.
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

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BIN = pathlib.Path(sys.executable).parent
# Where package.json and its lock were installed to.
SCIMMY = pathlib.Path(os.environ.get("SCIMMY_DIR", HERE / "scimmy"))
TOKEN = "token-of-the-judges"
# As many as scim2-tester has for users, groups, their attributes and what a service says of itself.
TESTER_CHECKS = 135


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait(process, is_there, what):
    deadline = time.monotonic() + 60
    while not is_there():
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"FAILED {what} did not start")
        time.sleep(0.05)


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def running(command, what, port=None, ready=None, **environment):
    """A service until the block ends; it is there once its port answers, or its file is."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment}
    )
    try:
        wait(process, ready.exists if ready else lambda: answers(port), what)
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def life_cycle(what, url, token):
    """Our client on a service."""
    program = TARGET / "debug" / "examples" / "life_cycle"
    run = subprocess.run([program, url], env={**os.environ, "SCIM_TOKEN": token}, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"FAILED our client on {what}:\n{run.stdout}{run.stderr}")
    print(f"ok our client on {what}: {run.stdout.splitlines()[-1]}")
    return run.stdout


def judge_sandbox(folder):
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
        life_cycle("the sandbox", scim["url"], scim["token"])


def judge_client(folder):
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
    for how, extra in [("by index", []), ("by cursor", ["--service-provider-config", by_cursor])]:
        port = free_port()
        command = [BIN / "scim2-server", "--port", str(port), "--bearer-token", TOKEN, *extra]
        with running(command, "scim2-server", port=port):
            life_cycle(f"scim2-server, {how}", f"http://127.0.0.1:{port}/v2", TOKEN)
    port = free_port()
    with running(["node", SCIMMY / "server.mjs", str(port)], "scimmy-routers", port=port, SCIM_TOKEN=TOKEN):
        life_cycle("scimmy-routers", f"http://127.0.0.1:{port}/scim/v2", TOKEN)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        judge_sandbox(folder)
        judge_client(folder)


if __name__ == "__main__":
    main()
