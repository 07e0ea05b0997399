"""Checks scheduled runs of the program `okta-aws-sso sync`: the state in S3, one run at a time, and secrets by their ARNs.

moto serves S3, Secrets Manager and IAM, and checks the rights of the callers. The SCIM service of this program answers a write only
when it is told to, so that a run stays at its first write for as long as a check needs.
"""

import datetime
import http.server
import json
import logging
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import uuid

import boto3
import flask
from moto import settings
from moto.server import ThreadedMotoServer

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
REGION = "us-east-1"
STATE = f"s3://states/identity/sync?region={REGION}"
TOKEN = "token-of-the-scim-service"
SOURCE = {
    "users": [
        {
            "id": f"u{number}",
            "profile": {
                "user_name": f"p{number}@example.com", "given_name": "P", "family_name": str(number), "display_name": f"P {number}",
                "email": f"p{number}@example.com", "active": True,
            },
        }
        for number in (1, 2)
    ],
    "groups": [],
}

passed = 0


def check(what, condition, shown=""):
    global passed
    if not condition:
        sys.exit(f"FAILED {what}\n{shown}")
    passed += 1
    print(f"ok {what}")


class Scim(http.server.BaseHTTPRequestHandler):
    """A SCIM service that answers writes only while `may_write` is set."""

    protocol_version = "HTTP/1.1"
    users, tokens = [], set()
    write_arrived, may_write = threading.Event(), threading.Event()

    def do_GET(self):
        users = self.users if self.path.split("?")[0].endswith("/Users") else []
        self.answer(200, {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": len(users), "itemsPerPage": len(users), "startIndex": 1, "Resources": users,
        })

    def do_POST(self):
        user = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.write_arrived.set()
        self.may_write.wait()
        user["id"] = str(uuid.uuid4())
        user["meta"] = {"resourceType": "User", "location": f"{self.path}/{user['id']}"}
        self.users.append(user)
        self.answer(201, user)

    def answer(self, status, document):
        self.tokens.add(self.headers["Authorization"])
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/scim+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Job:
    """The program with nothing but these variables, as a scheduler starts it. The Region is in the place of the state and in the ARN."""

    def __init__(self, folder, moto, scim, keys):
        source = folder / "directory.json"
        source.write_text(json.dumps(SOURCE))
        self.variables = {
            "AWS_ENDPOINT_URL": moto,
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "SCIM_ENDPOINT": scim,
            "SYNC_OPTIONS": f"--generic --source {source} --state {STATE}",
        }

    def start(self, *options, **variables):
        variables = {**self.variables, **variables}
        command = [TARGET / "debug/okta-aws-sso", "sync", "--yes", *options]
        return subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *options, **variables):
        process = self.start(*options, **variables)
        return end(process)


def end(process):
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def documented_policy(account):
    """Returns the IAM policy of docs/SCHEDULED_SYNC.md, with the names of this check."""
    text = (ROOT / "docs/SCHEDULED_SYNC.md").read_text()
    policy = next(block for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL) if "s3:GetObject" in block)
    names = {"BUCKET": "states", "PREFIX": "identity/sync", "REGION": REGION, "ACCOUNT": account, "SECRET": "sync/scim-token"}
    for name, value in names.items():
        policy = policy.replace(name, value)
    return json.loads(policy)


def without(policy, action):
    """Returns a policy without one of its actions."""
    statements = [{**statement, "Action": [own for own in statement["Action"] if own != action]} for statement in policy["Statement"]]
    return {**policy, "Statement": [statement for statement in statements if statement["Action"]]}


def main():
    subprocess.run(["cargo", "build", "--quiet", "--locked", "-p", "okta-aws-sso-cli"], cwd=ROOT, check=True)
    # moto names no type for the answers of Secrets Manager, and Flask would add text/html, the type of a page of a proxy.
    flask.Response.default_mimetype = "application/x-amz-json-1.1"
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    host, port = moto.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    scim = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scim)
    scim.daemon_threads = True
    threading.Thread(target=scim.serve_forever, daemon=True).start()

    def client(service):
        return boto3.client(service, region_name=REGION, endpoint_url=endpoint, aws_access_key_id="testing", aws_secret_access_key="testing")

    s3, secrets, iam = client("s3"), client("secretsmanager"), client("iam")
    s3.create_bucket(Bucket="states")
    secret = secrets.create_secret(Name="sync/scim-token", SecretString=TOKEN + "\n")["ARN"]
    binary = secrets.create_secret(Name="sync/binary", SecretBinary=b"hidden-value")["ARN"]
    account = secret.split(":")[4]
    policy = documented_policy(account)

    def caller(name, document):
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="sync", PolicyDocument=json.dumps(document))
        return iam.create_access_key(UserName=name)["AccessKey"]

    keys = caller("sync", policy)
    unable = {action: caller(action.split(":")[1], without(policy, action))
              for action in ("s3:GetObject", "s3:PutObject")}

    def rights_are_checked(checked):
        # The number of calls that moto answers without a check.
        settings.INITIAL_NO_AUTH_ACTION_COUNT = 0 if checked else float("inf")

    with tempfile.TemporaryDirectory() as folder:
        job = Job(pathlib.Path(folder), endpoint, f"http://127.0.0.1:{scim.server_port}/scim/v2", keys)
        by_arn = {"SCIM_TOKEN_SECRET_ARN": secret}

        # A secret that cannot be read, before anything is written.
        code, _, err = job.run(SCIM_TOKEN_SECRET_ARN=secret.replace("scim-token", "unknown"))
        parts = ("SCIM_TOKEN_SECRET_ARN", "sync/unknown", "secretsmanager GetSecretValue", "ResourceNotFoundException", "to do:")
        check("a missing secret is an error with its ARN, the code and the advice", code == 1 and all(part in err for part in parts), err)
        code, _, err = job.run(SCIM_TOKEN_SECRET_ARN=binary)
        check("a binary secret is refused without its value", code == 1 and "no SecretString" in err and "as a text" in err and "hidden-value" not in err, err)
        code, _, err = job.run(SCIM_TOKEN_SECRET_ARN="scim-token")
        check("a name in the place of an ARN is refused", code == 1 and "is not the ARN of a secret" in err, err)
        code, _, err = job.run(SCIM_TOKEN=TOKEN, **by_arn)
        check("a value and an ARN at the same time are refused", code == 1 and "both set" in err, err)

        # Each of these runs lacks one right in S3 of the documented policy. moto checks the rights in S3 for the objects, and those
        # in Secrets Manager for all secrets together, which the policy does not allow.
        rights_are_checked(True)
        for action, other in unable.items():
            keys = {"AWS_ACCESS_KEY_ID": other["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": other["SecretAccessKey"]}
            code, _, err = job.run(SCIM_TOKEN=TOKEN, **keys)
            named = "docs/SCHEDULED_SYNC.md" in err
            check(f"without {action}, the run fails before its first write and says what to allow", code == 1 and named, err)
        check("no user was written", not Scim.users)
        code, out, err = job.run("--plan-only", SCIM_TOKEN=TOKEN)
        check("the documented policy allows a plan", code == 2, out + err)

        # Two schedulers, one state. The first run waits in its first write.
        first = job.start(SCIM_TOKEN=TOKEN)
        check("the first run arrives at its first write", Scim.write_arrived.wait(120))
        rights_are_checked(False)
        lock = json.loads(s3.get_object(Bucket="states", Key="identity/sync/lock.json")["Body"].read())
        code, out, err = job.run(**by_arn)
        held = f"the state is locked by run {lock['run']} of process {first.pid} on host {socket.gethostname()} since "
        check("the second run is refused and names the run that holds the lock", code == 1 and held in err, f"{held}\n{err}")
        since = [datetime.datetime.fromisoformat(text) for text in (lock["since"], err.split(held)[1].split()[0])]
        check("the second run says since when, to the second", abs(since[0] - since[1]) < datetime.timedelta(seconds=1), since)
        code, out, planned = job.run("--plan-only", **by_arn)
        check("a plan needs no lock", code == 2 and "2 users to create" in out, out + planned)
        check("the second run says what to do", "wait until that run has ended" in err, err)
        rights_are_checked(True)
        Scim.may_write.set()
        code, out, err = end(first)
        rights_are_checked(False)
        check("the first run ends with 0", code == 0 and "Done: 2 users created" in out, out + err)
        check("each user was created once", sorted(user["userName"] for user in Scim.users) == ["p1@example.com", "p2@example.com"])
        check("the token is the text of the secret", Scim.tokens == {f"Bearer {TOKEN}"}, Scim.tokens)
        code, out, err = job.run(**by_arn)
        check("the next run continues with the state of the first one", code == 0 and out.startswith("Sync: No changes"), out + err)
        found = {entry["Key"] for entry in s3.list_objects_v2(Bucket="states")["Contents"]}
        check("the state is below the prefix", found == {"identity/sync/directory.json", "identity/sync/lock.json"}, found)
        texts = [s3.get_object(Bucket="states", Key=key)["Body"].read().decode() for key in found]
        check("the state has no token", not any(TOKEN in text for text in texts))
    moto.stop()
    print(f"scheduled: {passed} passed, 0 failed")


if __name__ == "__main__":
    main()
