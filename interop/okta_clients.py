"""Administers the sandbox's Okta org with Okta's own SDKs and with okta-client, and compares what each of them reads.

Each client (okta-client and the Python SDK with a token and with a private key and DPoP, the Node SDK with a token) makes
users in every state over many pages, groups, a rule, an app with assignments; every client then must read exactly that. The
Node SDK 8.1.0 has no session with DPoP: it throws on the answer that carries the nonce (`src/oauth.js`), so it cannot get a
token of an app that requires DPoP.

The clients run side by side, because all names start with the prefix of their writer and a reader only reads. A reader is
one process that reads what all writers have made: the Python SDK takes longer to start than to read a list.

Then okta-client calls the emulator of the npm package `emulate`, which shares no code with the sandbox, and the calls that
the emulator does not serve are compared with the list in this file.

`OKTA_INTEROP_DIR` is the folder with the installed packages of `okta/package.json` and a copy of `okta/administer.mjs`.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from sandbox import ROOT, TARGET, start

HERE = pathlib.Path(__file__).resolve().parent
NODE = pathlib.Path(os.environ.get("OKTA_INTEROP_DIR", TARGET / "tools" / "okta"))
OURS = [TARGET / "debug" / "examples" / "administer"]
PYTHON = [sys.executable, HERE / "administer.py"]


def token(okta):
    return {"OKTA_CLIENT_ORGURL": okta["org_url"], "OKTA_CLIENT_TOKEN": okta["api_token"]}


def private_key(okta):
    return {
        "OKTA_CLIENT_ORGURL": okta["org_url"],
        "OKTA_CLIENT_AUTHORIZATIONMODE": "PrivateKey",
        "OKTA_CLIENT_CLIENTID": okta["client_id"],
        "OKTA_CLIENT_PRIVATEKEY": okta["private_key"],
        "OKTA_CLIENT_SCOPES": " ".join(okta["scopes"]),
        "OKTA_CLIENT_DPOPENABLED": "true",
    }


# Name, command, connection, and the number of active users that the client makes. The Python SDK signs proofs slowly.
CLIENTS = [
    ("okta-client, token", OURS, token, 100),
    ("okta-client, private key and DPoP", OURS, private_key, 100),
    ("Python SDK, token", PYTHON, token, 1000),
    ("Python SDK, private key and DPoP", PYTHON, private_key, 25),
    ("Node SDK, token", ["node", NODE / "administer.mjs"], token, 1000),
]


def expected(prefix, count):
    """Returns what every client must read of what a client with this prefix has made."""
    login = lambda name: f"{prefix}-{name}@example.com"  # noqa: E731
    users = {login(f"{number:04}"): ["ACTIVE", f"{number:04}"] for number in range(count)}
    users[login("staged")] = ["STAGED", "staged"]
    users[login("suspended")] = ["SUSPENDED", "suspended"]
    users[login("returned")] = ["ACTIVE", "returned"]
    users[login("renamed")] = ["ACTIVE", "Renamed"]
    users[login("deactivated")] = ["DEPROVISIONED", "deactivated"]
    team = [login(f"{number:04}") for number in range(3)]
    expression = f'user.lastName=="Renamed" && user.department=="{prefix}"'
    app = {"name": "bookmark", "users": {login("renamed"): "USER"} | dict.fromkeys(team, "GROUP"), "groups": [f"{prefix}-team"]}
    return {
        "users": users,
        "groups": {f"{prefix}-team": team, f"{prefix}-ruled": [login("renamed")]},
        "rules": {f"{prefix}-rule": ["ACTIVE", expression, [f"{prefix}-ruled"]]},
        "apps": {f"{prefix}-app": app},
        "events": {
            "user.lifecycle.create": count + 5,
            "user.lifecycle.activate": count + 4,
            "user.lifecycle.suspend": 2,
            "user.lifecycle.unsuspend": 1,
            "user.lifecycle.deactivate": 1,
        },
    }


def run(command, environment, *arguments):
    """Runs a client and returns its output. No variable of the caller's environment can change the connection."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OKTA_")}
    with tempfile.TemporaryDirectory() as home:
        result = subprocess.run(
            [*command, *arguments], env=clean | environment | {"HOME": home}, cwd=home, capture_output=True, text=True, check=False,
        )
    if result.returncode != 0:
        sys.exit(f"FAILED {command[-1]} {' '.join(arguments)}: {result.stdout}{result.stderr}")
    return result.stdout


def differences(found, wanted, path=""):
    """Returns the paths at which two documents differ, with both values."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return [
            line for key in sorted(found.keys() | wanted.keys())
            for line in differences(found.get(key), wanted.get(key), f"{path}/{key}")
        ]
    return [] if found == wanted else [f"{path}: read {found!r}, expected {wanted!r}"]


def check_clients(okta):
    made = [(f"made{number}", writer, count) for number, (writer, _, _, count) in enumerate(CLIENTS)]
    prefixes = [prefix for prefix, _, _ in made]
    pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
    try:
        writes = [
            pool.submit(run, command, connection(okta), "write", prefix, str(count))
            for prefix, (_, command, connection, count) in zip(prefixes, CLIENTS, strict=True)
        ]
        for write in writes:
            write.result()
        reads = [pool.submit(run, command, connection(okta), "inventory", *prefixes) for _, command, connection, _ in CLIENTS]
        for (reader, *_), read in zip(CLIENTS, reads, strict=True):
            for (prefix, writer, count), line in zip(made, read.result().splitlines(), strict=True):
                wrong = differences(json.loads(line), expected(prefix, count))
                if wrong:
                    sys.exit(f"FAILED {reader} reads what {writer} wrote:\n" + "\n".join(wrong))
                print(f"ok {reader} reads what {writer} wrote ({count + 6} users)")
    finally:
        pool.shutdown(cancel_futures=True)


# The calls of okta-client that `emulate` 0.8.0 does not serve as Okta documents them.
EMULATOR_GAPS = {
    "apps.assign_user": "404 -",
    "apps.connection": "404 -",
    "apps.groups": "404 -",
    "apps.keys": "404 -",
    "domains.list": "404 -",
    "group_rules.list": "404 E0000007",
    "logs.list": "404 -",
    "push_mappings.list": "404 -",
}


def check_emulator(folder):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    seed = folder / "emulate.json"
    seed.write_text(json.dumps({"okta": {"users": [{"login": "ada@example.com", "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"}]}}))
    emulator = subprocess.Popen(
        ["node", NODE / "node_modules" / "emulate" / "dist" / "index.js", "start", "--service", "okta", "--port", str(port), "--seed", seed],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )
    url = f"http://localhost:{port}"
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(url, timeout=1)
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                if emulator.poll() is not None or time.monotonic() > deadline:
                    sys.exit("FAILED the emulator did not start")
                time.sleep(0.05)
        connection = {"OKTA_CLIENT_ORGURL": url, "OKTA_CLIENT_TOKEN": "test_token_admin"}
        found = json.loads(run(OURS, connection, "probe"))
    finally:
        emulator.send_signal(signal.SIGINT)
        emulator.wait(timeout=10)
    gaps = {name: result for name, result in found.items() if result != "ok"}
    if gaps != EMULATOR_GAPS:
        sys.exit("FAILED the gaps of the emulator have changed:\n" + "\n".join(differences(gaps, EMULATOR_GAPS)))
    print(f"ok {len(found) - len(gaps)} of {len(found)} calls on the emulator, {len(gaps)} known gaps")


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--example", "sandbox"], cwd=ROOT, check=True)
    subprocess.run(["cargo", "build", "--quiet", "--locked", "-p", "okta-client", "--example", "administer"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        sandbox, ready = start(folder)
        try:
            check_clients(json.loads(ready.read_text())["okta"])
        finally:
            sandbox.send_signal(signal.SIGINT)
            sandbox.wait(timeout=10)
        check_emulator(folder)


if __name__ == "__main__":
    main()
