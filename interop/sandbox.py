"""Starts the sandbox for the checks with official clients, and counts the checks."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))

passed = 0


def check(what, found, expected):
    global passed
    if found != expected:
        fail(f"{what}: found {found!r}, expected {expected!r}")
    passed += 1
    print(f"ok {what}")


def fail(message):
    sys.exit(f"FAILED {message}")


def print_summary():
    print(f"{passed} passed, 0 failed")


def example(name):
    return TARGET / "debug" / "examples" / name


def start(folder):
    """Starts the sandbox and waits until it has written its ready file."""
    ready = folder / "ready.json"
    sandbox = subprocess.Popen([example("sandbox"), "--okta-oauth", "--ready-file", ready], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not ready.exists():
        if sandbox.poll() is not None or time.monotonic() > deadline:
            fail("the sandbox did not start")
        time.sleep(0.05)
    return sandbox, ready


@contextlib.contextmanager
def running_sandbox():
    """Builds and starts the sandbox, and yields a folder and the ready file in it."""
    programs = ["--example", "sandbox", "--example", "integrate"]
    subprocess.run(["cargo", "build", "--quiet", "--locked", *programs], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        sandbox, ready = start(folder)
        try:
            yield folder, ready
        finally:
            sandbox.send_signal(signal.SIGINT)
            sandbox.wait(timeout=10)


@contextlib.contextmanager
def integrated_sandbox():
    """Starts the sandbox, runs `integrate` with the example blueprint, and yields the addresses and credentials."""
    with running_sandbox() as (folder, ready):
        integrate(folder, ready)
        yield json.loads(ready.read_text())


def integrate(folder, ready):
    """Runs `integrate` with the example blueprint and the state in the folder `state`."""
    arguments = ["--target", ready, "--state", folder / "state", "--yes"]
    subprocess.run([example("integrate"), *arguments], check=True, stdout=subprocess.DEVNULL)


def pages(client, operation, key, **arguments):
    return [item for page in client.get_paginator(operation).paginate(**arguments) for item in page[key]]
