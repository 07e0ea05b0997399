"""Runs one task of one Python library on one file; the output has the same form as that of the Rust program."""

import pathlib
import resource
import subprocess
import sys
import time

NAMESPACE = "{urn:oasis:names:tc:SAML:2.0:metadata}"


def lxml_tree(path):
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, huge_tree=True)
    root = etree.parse(path, parser).getroot()
    return sum(1 for _ in root.iter(NAMESPACE + "EntityDescriptor"))


def lxml_stream(path):
    from lxml import etree

    count = 0
    for _, element in etree.iterparse(path, tag=NAMESPACE + "EntityDescriptor", huge_tree=True):
        count += 1
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]
    return count


def pysaml2(path):
    import logging

    from saml2.attribute_converter import ac_factory
    from saml2.mdstore import MetaDataFile

    logging.disable(logging.CRITICAL)
    store = MetaDataFile(ac_factory(), path, check_validity=False)
    store.load()
    return len(store.keys())


SIGNATURE = pathlib.Path(__file__).resolve().parents[2] / "tests" / "fixtures" / "signature"


def xmlsec1(path):
    command = ["xmlsec1", "--verify", "--id-attr:ID", NAMESPACE[1:-1] + ":EntitiesDescriptor"]
    command += ["--pubkey-cert-pem", SIGNATURE / "rsa.cert.pem", path]
    subprocess.run(command, check=True, capture_output=True)
    return 1


def bergshamra(path):
    import pybergshamra

    keys = pybergshamra.KeysManager()
    keys.add_key(pybergshamra.load_x509_cert_pem((SIGNATURE / "rsa.cert.pem").read_bytes()))
    with open(path, encoding="utf-8") as file:
        result = pybergshamra.verify(pybergshamra.DsigContext(keys), file.read())
    if not result:
        sys.exit(f"bergshamra rejects the signature: {result.reason}")
    return 1


def main():
    what, path = sys.argv[1:3]
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    work = {
        "bergshamra": bergshamra,
        "lxml": lxml_tree,
        "lxml-stream": lxml_stream,
        "pysaml2": pysaml2,
        "xmlsec1": xmlsec1,
    }[what]
    best = None
    for _ in range(runs):
        start = time.perf_counter_ns()
        count = work(path)
        taken = time.perf_counter_ns() - start
        best = taken if best is None else min(best, taken)
    who = resource.RUSAGE_CHILDREN if what == "xmlsec1" else resource.RUSAGE_SELF
    print(best, resource.getrusage(who).ru_maxrss, count)


main()
