"""Measures scim2-models and the standard library's json on the lists of the Rust program. The start of Python is not measured."""

import json
import statistics
import sys
import time

from scim2_models import EnterpriseUser, ListResponse, User


def median(work, rounds=3):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


for path in sys.argv[1:]:
    data = open(path, "rb").read()
    model = ListResponse[User[EnterpriseUser]]
    print(f"\n### Python, {path.rsplit('/', 1)[-1]}, {len(data) / 1e6:.2f} MB\n\n| | time | MB/s |\n|---|---|---|")
    for name, work in [
        ("scim2-models 0.12.3", lambda: model.model_validate_json(data)),
        ("json.loads", lambda: json.loads(data)),
    ]:
        try:
            seconds = median(work)
        except Exception as error:  # A list that cannot be decoded is reported as a row; the next row is still measured.
            print(f"| {name} | {type(error).__name__} | |")
            continue
        print(f"| {name} | {seconds * 1e3:.0f} ms | {len(data) / seconds / 1e6:.1f} |")
