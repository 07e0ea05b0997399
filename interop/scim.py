"""Tests our SCIM client and the sandbox's SCIM service with software of other projects.

scim2-tester is a client: all its checks must pass on the sandbox's service with the generic profile. scim2-server (with
index pagination and with cursor pagination) and scimmy-routers are services: our client runs the whole life cycle of
users and groups on each of them, and on the sandbox. If our client and the sandbox agree and these programs disagree, our
code is wrong.
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
# Folder in which package.json and its lock file were installed.
SCIMMY = pathlib.Path(os.environ.get("SCIMMY_DIR", HERE / "scimmy"))
TOKEN = "interop-token"
# Number of scim2-tester's checks for users, groups, their attributes and the discovery endpoints.
TESTER_CHECKS = 135


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


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        test_sandbox(folder)
        test_client(folder)


if __name__ == "__main__":
    main()
