"""Compares signatures and canonical forms of saml-metadata with xmlsec1, signxml, bergshamra and lxml.

These tools share no code with saml-metadata. They verify our signatures. We verify their signatures, both on the whole
document and on a stream. Every canonical form must equal the form of lxml, byte for byte.

The argument is the path of the example `signature` (default: the example in the target folder). With `--fixtures`, the
script instead writes the documents that xmlsec1 and signxml sign to saml-metadata/tests/fixtures/signature, for the
tests.

Two versions of xmlsec1 are used: the command of the system, which may not support RSA-PSS, and the library in the wheel
of `xmlsec`, which supports it.
"""

import io
import os
import pathlib
import subprocess
import sys
import tempfile

import pybergshamra
import signxml
import xmlsec
from lxml import etree

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
FIXTURES = ROOT / "saml-metadata" / "tests" / "fixtures"
KEYS = FIXTURES / "signature"
CORPUS = ROOT / ".." / "shared" / "corpus" / "saml"

ENTITY = "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor"
DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
MGF1 = "http://www.w3.org/2007/05/xmldsig-more#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384"
SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"

PREFIXES = f'<ec:InclusiveNamespaces xmlns:ec="{EXCLUSIVE}" PrefixList="saml mdui #default"/>'
# Columns: name, key, signature method, digest, canonicalization, contents of the second transform.
XMLSEC = [
    ("xmlsec1-rsa-sha256", "rsa", MORE + "rsa-sha256", SHA256, EXCLUSIVE, ""),
    ("xmlsec1-rsa-sha384", "rsa", MORE + "rsa-sha384", MORE + "sha384", EXCLUSIVE, ""),
    ("xmlsec1-rsa-sha512", "rsa", MORE + "rsa-sha512", SHA512, EXCLUSIVE, ""),
    ("xmlsec1-ecdsa-sha256", "p256", MORE + "ecdsa-sha256", SHA256, EXCLUSIVE, ""),
    ("xmlsec1-ecdsa-sha384", "p384", MORE + "ecdsa-sha384", MORE + "sha384", EXCLUSIVE, ""),
    ("xmlsec1-ecdsa-sha512", "p521", MORE + "ecdsa-sha512", SHA512, EXCLUSIVE, ""),
    ("xmlsec1-prefix-list", "rsa", MORE + "rsa-sha256", SHA256, EXCLUSIVE, PREFIXES),
    ("xmlsec1-inclusive", "rsa", MORE + "rsa-sha256", SHA256, INCLUSIVE, ""),
    ("xmlsec1-with-comments", "rsa", MORE + "rsa-sha256", SHA256, EXCLUSIVE + "WithComments", ""),
    ("xmlsec1-sha1", "rsa", DS + "rsa-sha1", DS + "sha1", EXCLUSIVE, ""),
]
METHOD, DIGEST = signxml.SignatureMethod, signxml.DigestAlgorithm
SIGNXML = [
    ("signxml-rsa-sha256", "rsa", METHOD.RSA_SHA256, DIGEST.SHA256),
    ("signxml-rsa-pss-sha256", "rsa", METHOD.SHA256_RSA_MGF1, DIGEST.SHA256),
    ("signxml-rsa-pss-sha512", "rsa", METHOD.SHA512_RSA_MGF1, DIGEST.SHA512),
    ("signxml-ecdsa-sha256", "p256", METHOD.ECDSA_SHA256, DIGEST.SHA256),
    ("signxml-ecdsa-sha384", "p384", METHOD.ECDSA_SHA384, DIGEST.SHA384),
    ("signxml-ecdsa-sha512", "p521", METHOD.ECDSA_SHA512, DIGEST.SHA512),
]
# Columns: our name, key, signature method, digest, the name in signxml, whether the xmlsec1 of Debian 12 supports the
# method.
OURS = [
    ("rsa-sha256", "rsa", MORE + "rsa-sha256", SHA256, METHOD.RSA_SHA256, True),
    ("rsa-sha384", "rsa", MORE + "rsa-sha384", SHA384, METHOD.RSA_SHA384, True),
    ("rsa-sha512", "rsa", MORE + "rsa-sha512", SHA512, METHOD.RSA_SHA512, True),
    ("rsa-pss-sha256", "rsa", MGF1 + "sha256-rsa-MGF1", SHA256, METHOD.SHA256_RSA_MGF1, False),
    ("rsa-pss-sha384", "rsa", MGF1 + "sha384-rsa-MGF1", SHA384, METHOD.SHA384_RSA_MGF1, False),
    ("rsa-pss-sha512", "rsa", MGF1 + "sha512-rsa-MGF1", SHA512, METHOD.SHA512_RSA_MGF1, False),
    ("ecdsa-sha256", "p256", MORE + "ecdsa-sha256", SHA256, METHOD.ECDSA_SHA256, True),
    ("ecdsa-sha384", "p384", MORE + "ecdsa-sha384", SHA384, METHOD.ECDSA_SHA384, True),
    ("ecdsa-sha512", "p521", MORE + "ecdsa-sha512", SHA512, METHOD.ECDSA_SHA512, True),
]

passed, failed = 0, 0


def check(what, is_right, why=""):
    global passed, failed
    if is_right:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {what} {why}")


def run_example(*arguments, stdin):
    return subprocess.run([EXAMPLE, *arguments], input=stdin, capture_output=True)


def xmlsec1(*arguments):
    # xmlsec1 expects its options before the file name.
    ran = subprocess.run(["xmlsec1", *arguments], capture_output=True)
    return ran.returncode == 0, (ran.stdout + ran.stderr).decode(errors="replace")


def template(method, digest, canonicalization=EXCLUSIVE, inside="", uri="#_idp", source="idp"):
    """Returns a fixture with a signature whose digest, value and certificate are still empty."""
    signature = (
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{canonicalization}"/>'
        f'<ds:SignatureMethod Algorithm="{method}"/><ds:Reference URI="{uri}"><ds:Transforms>'
        f'<ds:Transform Algorithm="{DS}enveloped-signature"/><ds:Transform Algorithm="{canonicalization}">{inside}</ds:Transform>'
        f'</ds:Transforms><ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>'
        "<ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo></ds:Signature>"
    )
    text = (FIXTURES / f"{source}.xml").read_text()
    return text.replace("\n  <md:Extensions>", signature + "\n  <md:Extensions>", 1)


def sign_with_xmlsec1(folder, key, template):
    source, target = folder / "template.xml", folder / "signed.xml"
    source.write_text(template)
    key = f"{KEYS / key}.key.pem,{KEYS / key}.cert.pem"
    is_done, output = xmlsec1("--sign", "--id-attr:ID", ENTITY, "--privkey-pem", key, "--output", target, source)
    if not is_done:
        sys.exit(f"FAILED xmlsec1 cannot sign: {output}")
    return target.read_bytes()


def sign_with_signxml(key, method, digest):
    root = etree.fromstring((FIXTURES / "idp.xml").read_bytes())
    root.insert(0, etree.Element(f"{{{DS}}}Signature", {"Id": "placeholder"}, nsmap={"ds": DS}))
    signer = signxml.XMLSigner(signxml.SignatureConstructionMethod.enveloped, method, digest, EXCLUSIVE)
    signed = signer.sign(
        root,
        key=(KEYS / f"{key}.key.pem").read_bytes(),
        cert=(KEYS / f"{key}.cert.pem").read_text(),
        reference_uri="#_idp",
        id_attribute="ID",
    )
    return etree.tostring(signed)


def sign_with_libxmlsec1(key, template):
    root = etree.fromstring(template.encode())
    xmlsec.tree.add_ids(root, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(str(KEYS / f"{key}.key.pem"), xmlsec.constants.KeyDataFormatPem)
    context.key.load_cert_from_file(str(KEYS / f"{key}.cert.pem"), xmlsec.constants.KeyDataFormatPem)
    context.sign(xmlsec.tree.find_node(root, xmlsec.constants.NodeSignature))
    return etree.tostring(root)


def sign_with_bergshamra(key, template):
    keys = pybergshamra.KeysManager()
    keys.add_key(pybergshamra.load_pem_auto((KEYS / f"{key}.key.pem").read_bytes()))
    context = pybergshamra.DsigContext(keys)
    # bergshamra does not fill in the certificate, because it gets only the key. So the empty element is removed.
    certificate = "<ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo>"
    return pybergshamra.sign(context, template.replace(certificate, "")).encode()


def fixtures(folder):
    for name, key, *rest in XMLSEC:
        yield name, key, sign_with_xmlsec1(folder, key, template(*rest))
    # This document has nested groups. The signature covers the whole document, including the nodes around the root element.
    whole = template(MORE + "rsa-sha256", SHA256, uri="", source="aggregate")
    whole = whole.replace("?>\n", "?>\n<?before it?>\n", 1) + "<?behind it?>\n"
    yield "xmlsec1-aggregate-whole", "rsa", sign_with_xmlsec1(folder, "rsa", whole)
    for name, key, *rest in SIGNXML:
        yield name, key, sign_with_signxml(key, *rest)


def signed_by_others(folder):
    yield from fixtures(folder)
    for name, key, method, digest, _, _ in OURS:
        yield f"libxmlsec1-{name}", key, sign_with_libxmlsec1(key, template(method, digest))
        yield f"bergshamra-{name}", key, sign_with_bergshamra(key, template(method, digest))


def check_signatures_of_others(folder):
    for name, key, signed in signed_by_others(folder):
        entities = [entity.get("entityID") for entity in etree.fromstring(signed).iter("{*}EntityDescriptor")]
        entities = "".join(f"{entity}\n" for entity in entities).encode()
        changes = [(b"Example login", b"Example  login"), (b"<?before it", b"<?before ti"), (b"<?behind it", b"<?behind ti")]
        for how in ["verify", "verify-stream"]:
            ran = run_example(how, KEYS / f"{key}.cert.pem", stdin=signed)
            if name == "xmlsec1-sha1":
                check(f"{name} is refused", ran.returncode != 0 and b"Sha1" in ran.stderr, ran.stderr)
                continue
            check(f"{name}: {how}", ran.returncode == 0 and ran.stdout == entities, ran.stderr)
            for original, changed in changes:
                if original not in signed:
                    continue
                ran = run_example(how, KEYS / f"{key}.cert.pem", stdin=signed.replace(original, changed, 1))
                check(f"{name} is refused when changed", ran.returncode != 0 and b"Changed" in ran.stderr, ran.stderr)


def libxmlsec1_verifies(key, signed):
    root = etree.fromstring(signed)
    xmlsec.tree.add_ids(root, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(str(KEYS / f"{key}.cert.pem"), xmlsec.constants.KeyDataFormatCertPem)
    try:
        context.verify(xmlsec.tree.find_node(root, xmlsec.constants.NodeSignature))
        return True, ""
    except xmlsec.Error as error:
        return False, repr(error)


def bergshamra_verifies(key, signed):
    keys = pybergshamra.KeysManager()
    keys.add_key(pybergshamra.load_x509_cert_pem((KEYS / f"{key}.cert.pem").read_bytes()))
    try:
        result = pybergshamra.verify(pybergshamra.DsigContext(keys), signed.decode())
        return bool(result) and result.all_reference_digests_verified, result.reason
    except pybergshamra.BergshamraError as error:
        return False, repr(error)


def check_our_signatures(folder):
    for source in ["idp", "sp", "aggregate", "okta", "aws-sp"]:
        text = (FIXTURES / f"{source}.xml").read_bytes()
        for name, key, _, _, method, xmlsec1_supports in OURS:
            ran = run_example("sign", KEYS / f"{key}.key.pem", name, KEYS / f"{key}.cert.pem", stdin=text)
            check(f"{source} is signed with {name}", ran.returncode == 0, ran.stderr)
            check_ours(folder, f"{source} with {name}", (key, method, xmlsec1_supports), ran.stdout)


def check_renewed_signatures(folder):
    """Signs metadata again that others have signed, and signs the files of a planned rotation of the key."""
    signed_by_xmlsec1 = (KEYS / "xmlsec1-rsa-sha256.xml").read_bytes()
    changed = signed_by_xmlsec1.replace(b"Example login", b"Example  login")
    for name, key, _, _, method, xmlsec1_supports in OURS:
        tools = (key, method, xmlsec1_supports)
        private = KEYS / f"{key}.key.pem"
        ran = run_example("renew", private, name, stdin=changed)
        check(f"a changed file is signed again with {name}", ran.returncode == 0, ran.stderr)
        check_ours(folder, f"the renewed file with {name}", tools, ran.stdout)
        new = FIXTURES / "certificates" / "rsa3072.pem"
        for file, certificates in [("1-both.xml", 2), ("4-new.xml", 1)]:
            ran = run_example("rotate", private, name, new, file, stdin=(FIXTURES / "okta.xml").read_bytes())
            check(f"{file} is signed with {name}", ran.returncode == 0, ran.stderr)
            check_ours(folder, f"{file} with {name}", tools, ran.stdout)
            found = len(list(etree.fromstring(ran.stdout).iter("{*}KeyDescriptor")))
            check(f"{file} has {certificates} keys", found == certificates, f"but {found}")


def check_ours(folder, what, tools, signed):
    """Verifies a signature of saml-metadata with all tools, and that they refuse a changed file."""
    key, method, xmlsec1_supports = tools
    target = folder / "ours.xml"
    target.write_bytes(signed)
    if xmlsec1_supports:
        element = ENTITY.replace("EntityDescriptor", etree.fromstring(signed).tag.split("}")[1])
        is_right, output = xmlsec1(
            "--verify", "--id-attr:ID", element, "--pubkey-cert-pem", KEYS / f"{key}.cert.pem", target
        )
        check(f"xmlsec1 verifies {what}", is_right, output)
    check(f"libxmlsec1 verifies {what}", *libxmlsec1_verifies(key, signed))
    check(f"bergshamra verifies {what}", *bergshamra_verifies(key, signed))
    changed = signed.replace(b"protocolSupportEnumeration=\"", b"protocolSupportEnumeration=\"x ", 1)
    check(f"libxmlsec1 refuses a changed {what}", not libxmlsec1_verifies(key, changed)[0])
    check(f"bergshamra refuses a changed {what}", not bergshamra_verifies(key, changed)[0])
    try:
        config = signxml.SignatureConfiguration(signature_methods=frozenset([method]), expect_references=1)
        found = signxml.XMLVerifier().verify(
            signed,
            x509_cert=(KEYS / f"{key}.cert.pem").read_text(),
            id_attribute="ID",
            expect_config=config,
        )
        check(f"signxml verifies {what}", found.signed_xml.tag == etree.fromstring(signed).tag)
    except Exception as error:  # noqa: BLE001
        check(f"signxml verifies {what}", False, repr(error))


def lxml_form(bytes, exclusive, comments):
    try:
        parser = etree.XMLParser(resolve_entities=False, huge_tree=True)
        tree = etree.parse(io.BytesIO(bytes), parser)
        if tree.docinfo.doctype:
            return None
        form = io.BytesIO()
        tree.write_c14n(form, exclusive=exclusive, with_comments=comments)
        return form.getvalue()
    except (etree.XMLSyntaxError, etree.C14NError):
        return None


def compare_forms():
    files = sorted(FIXTURES.glob("*.xml")) + sorted(KEYS.glob("*.xml"))
    if CORPUS.is_dir():
        files += sorted(CORPUS.glob("*.xml"))
    else:
        print("skipped: the canonical forms of the corpus, because the corpus is missing")
    same, neither, only_lxml, only_ours = 0, 0, [], []
    for file in files:
        bytes = file.read_bytes()
        for method in ["exclusive", "exclusive-comments", "inclusive", "inclusive-comments"]:
            theirs = lxml_form(bytes, method.startswith("exclusive"), method.endswith("comments"))
            ran = run_example("c14n", method, stdin=bytes)
            found = ran.stdout if ran.returncode == 0 else None
            if found is None or theirs is None:
                kind = neither if found is theirs else 0
                if found is theirs:
                    neither = kind + 1
                elif found is None:
                    only_lxml.append(f"{file.name}: {ran.stderr.decode().strip()}")
                else:
                    only_ours.append(file.name)
                continue
            same += found == theirs
            check(f"the {method} form of {file.name} equals lxml's", found == theirs)
    print(f"canonical forms: {same} equal, {neither} refused by both")
    for line in sorted(set(only_lxml)):
        print(f"  only lxml: {line}")
    for line in sorted(set(only_ours)):
        print(f"  only saml-metadata: {line}")


def write_fixtures(folder):
    for name, _, signed in fixtures(folder):
        (KEYS / f"{name}.xml").write_bytes(signed)


arguments = sys.argv[1:]
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    if arguments == ["--fixtures"]:
        write_fixtures(folder)
        sys.exit()
    EXAMPLE = arguments[0] if arguments else TARGET / "debug" / "examples" / "signature"
    check_signatures_of_others(folder)
    check_our_signatures(folder)
    check_renewed_signatures(folder)
    compare_forms()
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
