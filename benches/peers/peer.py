"""Lists all users with Okta's Python SDK: prints CPU nanoseconds, peak memory in KiB, users and a checksum."""

import asyncio
import os
import re
import sys
import time

# The SDK refuses a URL without TLS unless this variable is set.
os.environ["OKTA_TESTING_TESTINGDISABLEHTTPSCHECK"] = "true"

from okta.client import Client  # noqa: E402


def peak_memory():
    status = open("/proc/self/status", encoding="ascii").read()
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1))


async def main(url, token):
    client = Client({"orgUrl": url, "token": token, "requestTimeout": 60, "cache": {"enabled": False}})
    await client.list_users(limit=1)
    start = time.process_time_ns()
    count, letters, after = 0, 0, None
    while True:
        options = {"limit": 200} | ({"after": after} if after else {})
        users, response, error = await client.list_users(**options)
        if error is not None:
            sys.exit(str(error))
        for user in users:
            count += 1
            letters += len(user.profile.login)
        link = response.headers.get("link") or response.headers.get("Link") or ""
        following = [part for part in link.split(",") if 'rel="next"' in part]
        if not following:
            break
        after = following[0].split("after=")[1].split(">")[0].split("&")[0]
    print(time.process_time_ns() - start, peak_memory(), count, letters)


asyncio.run(main(*sys.argv[1:]))
