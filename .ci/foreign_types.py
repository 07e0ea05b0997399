"""Lists the types of other authors in the public API of each crate, and compares them with .ci/foreign-types.txt.

A type in a public signature binds the crate to the major version of its author's crate. `--write` writes the list.
"""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
LIST = ROOT / ".ci/foreign-types.txt"
CRATES = ["rest-core", "scim-types", "scim-client", "saml-metadata", "okta-client", "aws-sso-glue", "okta-aws-sso"]
# Public modules that are not in the default features, and need no further crate.
FEATURES = {"okta-aws-sso": "saml-fetch"}
STANDARD = {"std", "core", "alloc"}


def document(crate):
    """Returns rustdoc's JSON of a crate. The format needs an unstable option, which the variable allows for rustdoc alone:
    for cargo, it would compile every dependency again."""
    rustdoc = TARGET / "tools/rustdoc"
    rustdoc.parent.mkdir(parents=True, exist_ok=True)
    rustdoc.write_text('#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc "$@"\n')
    rustdoc.chmod(0o755)
    command = ["cargo", "rustdoc", "--quiet", "--locked", "--lib", "-p", crate, "--features", FEATURES.get(crate, "")]
    command += ["--", "-Zunstable-options", "--output-format", "json"]
    environment = {**os.environ, "RUSTDOC": str(rustdoc), "CARGO_TARGET_DIR": str(TARGET)}
    subprocess.run(command, check=True, cwd=ROOT, env=environment)
    return json.loads((TARGET / f"doc/{crate.replace('-', '_')}.json").read_text())


def referenced(value, found):
    """Collects the ids of all types and traits that a part of the document names."""
    if isinstance(value, dict):
        if isinstance(value.get("id"), int) and "path" in value:
            found.add(value["id"])
        for part in value.values():
            referenced(part, found)
    elif isinstance(value, list):
        for part in value:
            referenced(part, found)


def foreign_types(crate):
    data = document(crate)
    ours = {name.replace("-", "_") for name in CRATES}
    ids = set()
    for item in data["index"].values():
        if item["crate_id"] != 0:
            continue
        inner = dict(item["inner"])
        implementation = inner.get("impl")
        # Implementations that the compiler or a blanket implementation of another crate adds are not written here.
        if implementation and (implementation["is_synthetic"] or implementation["blanket_impl"]):
            continue
        inner.pop("use", None)
        inner.pop("module", None)
        referenced(inner, ids)
    lines = set()
    for identifier in ids:
        path = data["paths"].get(str(identifier))
        if path is None:
            continue
        author = path["path"][0]
        if author not in STANDARD and author not in ours:
            lines.add(f"{crate}: {'::'.join(path['path'])}")
    return lines


def main():
    found = sorted(line for crate in CRATES for line in foreign_types(crate))
    if "--write" in sys.argv:
        LIST.write_text("\n".join(found) + "\n")
        return
    allowed = LIST.read_text().splitlines()
    added, gone = sorted(set(found) - set(allowed)), sorted(set(allowed) - set(found))
    for line in added:
        print(f"a new foreign type in a public API: {line}")
    for line in gone:
        print(f"no longer in a public API: {line}")
    if added or gone:
        sys.exit("hide the type behind a type of ours, or change .ci/foreign-types.txt (--write) and say why in the commit")
    print(f"{len(found)} foreign types, all on the list")


if __name__ == "__main__":
    main()
