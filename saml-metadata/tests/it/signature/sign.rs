//! Signing: a signed document verifies, and its other bytes stay unchanged.

use saml_metadata::{
    Certificate, Document,
    signature::{SignError, SignatureAlgorithm, Signer, SigningKey, Verifier, VerifyingKey},
};

use super::{SIGNED, fixture, key, verifier};
use crate::support::{ALL, IDP, change, document};

fn private(name: &str) -> SigningKey {
    SigningKey::from_pkcs8_pem(&fixture(&format!("{name}.key.pem"))).expect(name)
}

#[track_caller]
fn sign(text: &str, key: &str) -> Document {
    Signer::new(&private(key))
        .sign(&document(text))
        .expect("signed")
}

/// Returns the text without its signature.
fn without_signature(text: &str) -> String {
    let start = text.find("<ds:Signature ").expect("a signature");
    let end = text.find("</ds:Signature>").expect("an end") + "</ds:Signature>".len();
    format!("{}{}", &text[..start], &text[end..])
}

#[test]
fn every_algorithm_makes_signatures_that_verify() {
    for (name, algorithm) in [
        ("rsa", SignatureAlgorithm::RsaSha256),
        ("rsa", SignatureAlgorithm::RsaSha384),
        ("rsa", SignatureAlgorithm::RsaSha512),
        ("rsa", SignatureAlgorithm::RsaPssSha256),
        ("rsa", SignatureAlgorithm::RsaPssSha384),
        ("rsa", SignatureAlgorithm::RsaPssSha512),
        ("p256", SignatureAlgorithm::EcdsaP256Sha256),
        ("p384", SignatureAlgorithm::EcdsaP384Sha384),
        ("p521", SignatureAlgorithm::EcdsaP521Sha512),
    ] {
        let private = private(name);
        let signer = Signer::new(&private).algorithm(algorithm);
        let made = signer.sign(&document(IDP)).expect(name);
        let verified = Verifier::new([key(name)]).verify(&made).expect(name);
        assert_eq!(verified.algorithm(), algorithm);
    }
}

#[test]
fn every_kind_of_key_has_a_default_algorithm() {
    for (name, algorithm) in [
        ("rsa", SignatureAlgorithm::RsaSha256),
        ("p256", SignatureAlgorithm::EcdsaP256Sha256),
        ("p384", SignatureAlgorithm::EcdsaP384Sha384),
        ("p521", SignatureAlgorithm::EcdsaP521Sha512),
    ] {
        let signed = sign(IDP, name);
        assert_eq!(
            verifier().verify(&signed).expect(name).algorithm(),
            algorithm
        );
    }
}

#[test]
fn signing_adds_only_the_signature_and_a_missing_id() {
    for (name, text) in ALL {
        let signed = sign(text, "p256");
        let root = signed.root();
        let bare = without_signature(signed.text());
        let id = root.attribute("ID").expect("an ID");
        if text.contains(&format!("ID=\"{id}\"")) {
            assert_eq!(bare, text, "{name}");
        } else {
            assert_eq!(
                bare.replacen(&format!(" ID=\"{id}\""), "", 1),
                text,
                "{name}"
            );
        }
        let first = root.children().next().expect("a child");
        assert_eq!(first.local_name(), "Signature", "{name}");
    }
}

#[test]
fn utf_16_stays_utf_16() {
    let text = change(IDP, &[("encoding=\"UTF-8\"", "encoding=\"UTF-16\"")]);
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    let read = saml_metadata::read(&bytes).expect("UTF-16");
    let signed = Signer::new(&private("p256")).sign(&read).expect("signed");
    assert_eq!(signed.bytes()[..2], [0xff, 0xfe]);
    verifier().verify(&signed).expect("verified");
}

#[test]
fn the_id_that_signing_adds_is_deterministic() {
    let text = change(IDP, &[("ID=\"_idp\" ", "")]);
    let ids: Vec<String> = (0..2)
        .map(|_| {
            sign(&text, "p256")
                .root()
                .attribute("ID")
                .expect("an ID")
                .to_owned()
        })
        .collect();
    assert_eq!(ids[0], ids[1]);
    assert!(ids[0].starts_with('_') && ids[0].len() == 33, "{}", ids[0]);
}

#[test]
fn an_id_is_escaped_in_the_reference() {
    let signed = sign(&change(IDP, &[("\"_idp\"", "\"a&amp;&quot;b\"")]), "p256");
    let verified = verifier().verify(&signed).expect("verified");
    assert_eq!(verified.element().attribute("ID"), Some("a&\"b"));
}

#[test]
fn the_certificate_is_included_on_request() {
    let private = private("rsa");
    let pem = fixture("rsa.cert.pem");
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let certificate = Certificate::from_base64(&body).expect("a certificate");
    let signed = Signer::new(&private)
        .certificate(&certificate)
        .sign(&document(IDP))
        .expect("signed");
    let signature = signed.root().children().next().expect("a signature");
    let shown = signature
        .descendants()
        .find(|element| element.local_name() == "X509Certificate")
        .expect("a certificate");
    assert_eq!(
        Certificate::from_base64(shown.text()).expect("a certificate"),
        certificate
    );
    assert!(
        !sign(IDP, "rsa")
            .root()
            .children()
            .next()
            .expect("a signature")
            .source()
            .contains("KeyInfo")
    );
}

#[track_caller]
fn check_refused(text: &str, message: &str) {
    let error = Signer::new(&private("p256"))
        .sign(&document(text))
        .expect_err("refused");
    assert_eq!(error.to_string(), message);
}

#[test]
fn documents_that_cannot_be_signed_are_refused() {
    check_refused(SIGNED, "the document is already signed");
    check_refused(
        "<a/>",
        "the root element is not `EntityDescriptor` or `EntitiesDescriptor` of SAML metadata",
    );
    check_refused(
        &change(IDP, &[("<md:Extensions>", "<md:Extensions Id=\"_idp\">")]),
        "the ID \"_idp\" of the element is not unique in the document",
    );
    check_refused(
        &change(
            IDP,
            &[("<md:Extensions>", "<md:Extensions xmlns:a=\"relative\">")],
        ),
        "the document has no canonical form",
    );
}

#[test]
fn an_algorithm_that_does_not_fit_the_key_is_refused() {
    for algorithm in [
        SignatureAlgorithm::EcdsaP384Sha384,
        SignatureAlgorithm::RsaSha256,
        SignatureAlgorithm::RsaSha1,
    ] {
        let private = private("p256");
        let signer = Signer::new(&private).algorithm(algorithm);
        let error = signer.sign(&document(IDP)).expect_err("refused");
        assert_eq!(
            error.to_string(),
            format!("the key cannot sign with {}", algorithm.uri())
        );
    }
}

#[test]
fn signing_with_sha1_is_refused() {
    let private = private("rsa");
    let signer = Signer::new(&private).algorithm(SignatureAlgorithm::RsaSha1);
    signer.sign(&document(IDP)).expect_err("refused");
}

#[test]
fn debug_output_hides_the_private_key() {
    assert_eq!(format!("{:?}", private("p256")), "SigningKey(P256, ..)");
    let private = private("rsa");
    let shown = format!("{:?}", Signer::new(&private));
    assert!(
        shown.starts_with("Signer { key: SigningKey(Rsa, ..), algorithm: RsaSha256"),
        "{shown}"
    );
}

#[test]
fn private_keys_in_other_formats_are_refused_with_the_reason() {
    let message = |pem: &str| {
        SigningKey::from_pkcs8_pem(pem)
            .expect_err("refused")
            .to_string()
    };
    assert_eq!(message("nothing"), "there is no PEM section PRIVATE KEY");
    let old = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    assert_eq!(
        message(old),
        "the private key is not unencrypted PKCS #8; convert it with `openssl pkcs8 -topk8 -nodes`"
    );
    assert_eq!(
        message(&old.replace("RSA ", "").replace("AAAA", "*")),
        "the PEM section is not base64"
    );
    assert_eq!(
        message(&old.replace("RSA ", "")),
        "the key is neither RSA of 2048 to 8192 bits nor on the curve P-256, P-384 or P-521"
    );
}

#[test]
fn a_certificate_of_another_key_is_refused() {
    let private = private("rsa");
    let other = Certificate::from_pem(&fixture("other.cert.pem")).expect("a certificate");
    let error = Signer::new(&private)
        .certificate(&other)
        .sign(&document(IDP));
    let error = error.expect_err("another key");
    assert!(matches!(error, SignError::OtherKey { .. }));
    assert!(
        error.to_string().contains(&other.fingerprint_sha256()),
        "{error}"
    );
    let with_id = document(IDP);
    let error = Signer::new(&private)
        .certificate(&other)
        .sign_element(with_id.root());
    assert!(matches!(error, Err(SignError::OtherKey { .. })));
    for name in ["rsa", "p256", "p384", "p521"] {
        let private = self::private(name);
        let own = Certificate::from_pem(&fixture(&format!("{name}.cert.pem"))).expect(name);
        let signer = Signer::new(&private).certificate(&own);
        assert!(signer.sign(&document(IDP)).is_ok(), "{name}");
    }
}

#[test]
fn a_signature_is_renewed_and_the_rest_stays() {
    let old = sign(IDP, "rsa");
    let until = "2027-01-01T00:00:00Z".parse().expect("a time");
    let edited = old
        .edit()
        .set_valid_until(old.root(), until)
        .apply()
        .expect("an edit");
    assert!(verifier().verify(&edited).is_err());
    let private = private("p256");
    let renewed = Signer::new(&private).renew(&edited).expect("signed");
    let verified = verifier().verify(&renewed).expect("verified");
    assert_eq!(verified.algorithm(), SignatureAlgorithm::EcdsaP256Sha256);
    assert_eq!(
        without_signature(renewed.text()),
        without_signature(edited.text())
    );
    // A document without a signature is signed.
    let first = Signer::new(&private).renew(&document(IDP)).expect("signed");
    verifier().verify(&first).expect("verified");
}

#[test]
fn a_removed_signature_leaves_the_document_as_it_was_before() {
    let signed = sign(IDP, "rsa");
    let bare = signed
        .edit()
        .remove_signature(signed.root())
        .apply()
        .expect("an edit");
    assert_eq!(bare.text(), IDP);
}

#[test]
fn an_entity_alone_keeps_its_signature_only_if_it_stays_valid() {
    let signed = sign(IDP, "rsa");
    let body = signed.root().source();
    let group = |validity: &str| {
        let xmlns = "xmlns='urn:oasis:names:tc:SAML:2.0:metadata'";
        let text = format!("<EntitiesDescriptor {xmlns}{validity}>{body}</EntitiesDescriptor>");
        let group = document(&text);
        group
            .entities()
            .next()
            .expect("one")
            .to_document()
            .expect("a document")
    };
    verifier().verify(&group("")).expect("verified");
    let shorter = group(" validUntil='2026-11-25T00:00:00Z'");
    assert_eq!(
        shorter.root().attribute("validUntil"),
        Some("2026-11-25T00:00:00Z")
    );
    assert!(!shorter.text().contains("<ds:Signature"));
}

#[test]
fn keys_are_read_from_pem_and_der_files_and_only_one_at_a_time() {
    let pem = fixture("p256.cert.pem");
    let certificate = Certificate::from_pem(&pem).expect("a certificate");
    for file in [
        pem.as_bytes(),
        certificate.der(),
        certificate.public_key_der(),
    ] {
        assert_eq!(VerifyingKey::from_file(file).expect("a key"), key("p256"));
    }
    let both = format!("{pem}{}", fixture("rsa.cert.pem"));
    assert_eq!(
        VerifyingKey::from_file(both.as_bytes())
            .expect_err("two keys")
            .to_string(),
        "the text has 2 certificates or public keys where one is expected; put each into a file of its own"
    );
    let private = fixture("p256.key.pem");
    let der = private
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect::<String>();
    let der = {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        STANDARD.decode(der).expect("base64")
    };
    for file in [private.as_bytes(), &der] {
        let read = SigningKey::from_file(file).expect("a key");
        assert_eq!(*read.verifying_key(), key("p256"));
    }
}
