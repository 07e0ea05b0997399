"""Builds and runs the crate outside the workspace against sandboxes, and checks the lock of a state on S3."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import boto3
from moto.server import ThreadedMotoServer

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def run(*command, env=os.environ, **options):
    """Runs a program and returns its output; its errors are shown."""
    env = {**env, "CARGO_TARGET_DIR": str(TARGET)}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=1800, env=env, **options)
    return done.stdout


def with_sandbox(profile, folder):
    """Runs the outside program against a new sandbox and returns its output."""
    ready = pathlib.Path(folder) / f"{profile}.json"
    sandbox = subprocess.Popen(
        [TARGET / "debug/examples/sandbox", "--scim-profile", profile, "--ready-file", ready],
        stdout=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            if ready.exists():
                break
            time.sleep(0.1)
        return run(TARGET / "debug/outside", ready)
    finally:
        sandbox.send_signal(signal.SIGINT)
        sandbox.wait()


def expect(output, *lines):
    for line in lines:
        if line not in output:
            sys.exit(f"the output does not contain {line!r}:\n{output}")


def main():
    run("cargo", "build", "--quiet", "--locked", "--example", "sandbox", cwd=ROOT)
    run("cargo", "build", "--quiet", "--locked", "--bins", "--features", "s3", cwd=ROOT / "tests/outside")
    with tempfile.TemporaryDirectory() as folder:
        output = with_sandbox("aws", folder)
        expect(output, 'okta: "ACTIVE"', "aws: o-", "integration: No changes", 'memory: "T-1"')
        expect(with_sandbox("generic", folder), "sync: 1 user to create, 1 group to create, 1 member to add")

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT": f"http://{host}:{port}",
        "S3_BUCKET": "states",
    }
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=environment["AWS_ENDPOINT"],
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    client.create_bucket(Bucket="states")
    expect(run(TARGET / "debug/s3_lock", env=environment), "the lock holds")
    states = {entry["Key"] for entry in client.list_objects_v2(Bucket="states")["Contents"]}
    assert states == {"runs/lock.json", "runs/state.json", "killed/lock.json"}, states
    assert json.loads(client.get_object(Bucket="states", Key="runs/state.json")["Body"].read())["serial"] == 3
    server.stop()
    print("outside: 3 passed, 0 failed")


if __name__ == "__main__":
    main()
