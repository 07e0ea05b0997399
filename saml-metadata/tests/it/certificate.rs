//! Keys and certificates.

use saml_metadata::{Certificate, CertificateError, KeyUse, PublicKey};

use crate::support::{IDP, SP, certificate, change, der, document};

#[test]
fn a_key_serves_its_declared_use_or_both_without_one() {
    let certificates = |xml: &str| {
        let document = document(xml);
        let entity = document.entity().expect("an entity");
        let role = entity.roles().next().expect("a role").descriptor();
        let names = |all: Vec<Certificate>| -> Vec<String> {
            all.iter().map(|one| one.subject().to_owned()).collect()
        };
        (
            names(role.signing_certificates()),
            names(role.encryption_certificates()),
        )
    };
    let signing = "C=US, O=Example, CN=p256.example.com".to_owned();
    let encryption = "C=US, O=Example, CN=p256-encryption.example.com".to_owned();
    assert_eq!(certificates(IDP), (vec![signing.clone()], vec![encryption]));
    assert_eq!(certificates(SP), (vec![signing.clone()], vec![signing]));
    let unknown = change(
        SP,
        &[("<md:KeyDescriptor>", "<md:KeyDescriptor use='both'>")],
    );
    assert_eq!(certificates(&unknown), (vec![], vec![]));
}

#[test]
fn all_parts_of_a_key_descriptor_are_read() {
    let xml = change(
        IDP,
        &[(
            "<ds:X509Data>",
            "<ds:KeyName>idp</ds:KeyName><ds:KeyValue/><ds:X509Data>",
        )],
    );
    let document = document(&xml);
    let idp = document
        .entity()
        .expect("an entity")
        .identity_provider()
        .expect("a role");
    let keys: Vec<_> = idp.key_descriptors().collect();
    assert_eq!(keys[0].key_use(), Some(KeyUse::Signing));
    assert_eq!(keys[0].key_names().collect::<Vec<_>>(), ["idp"]);
    assert!(keys[0].has_bare_key());
    assert!(!keys[1].has_bare_key());
    assert!(keys[1].allows_use(KeyUse::Encryption));
    assert!(!keys[1].allows_use(KeyUse::Signing));
    let methods: Vec<&str> = keys[1]
        .encryption_methods()
        .map(saml_metadata::EncryptionMethod::algorithm)
        .collect();
    assert_eq!(methods, ["http://www.w3.org/2009/xmlenc11#aes256-gcm"]);
}

#[test]
fn a_certificate_has_the_details_that_consoles_show() {
    let certificate = Certificate::from_der(der("rsa2048")).expect("a certificate");
    assert_eq!(
        certificate.subject(),
        "C=US, O=Example, CN=rsa2048.example.com"
    );
    assert_eq!(certificate.issuer(), certificate.subject());
    assert_eq!(certificate.serial(), "10:01");
    assert_eq!(certificate.version(), 3);
    assert_eq!(certificate.not_before().to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(certificate.not_after().to_string(), "2036-01-01T00:00:00Z");
    assert_eq!(certificate.signature_algorithm(), "1.2.840.113549.1.1.11");
    assert!(matches!(
        certificate.public_key(),
        PublicKey::Rsa {
            bits: 2048,
            exponent: Some(65_537),
            ..
        }
    ));
    assert_eq!(certificate.der(), der("rsa2048"));
    assert_eq!(certificate.fingerprint_sha256(), FINGERPRINT);
    let pem = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/certificates/rsa2048.pem"
    ));
    assert_eq!(certificate.pem(), pem.expect("a certificate"));
}

#[test]
fn kinds_of_public_keys_are_distinguished() {
    let key = |name: &str| {
        let certificate = Certificate::from_der(der(name)).expect("a certificate");
        format!("{:?}", certificate.public_key())
    };
    assert_eq!(key("rsa3072"), "Rsa { bits: 3072, exponent: Some(65537) }");
    assert_eq!(
        key("rsa-exponent-3"),
        "Rsa { bits: 3072, exponent: Some(3) }"
    );
    assert_eq!(
        key("p256"),
        "EllipticCurve { curve: \"1.2.840.10045.3.1.7\", bits: 256 }"
    );
    assert_eq!(
        key("p192"),
        "EllipticCurve { curve: \"1.2.840.10045.3.1.1\", bits: 192 }"
    );
    assert_eq!(key("dsa"), "Dsa");
}

#[test]
fn two_certificates_of_one_key_have_the_same_public_key() {
    let read = |name: &str| Certificate::from_der(der(name)).expect("a certificate");
    let (old, new) = (read("expired"), read("p256"));
    assert_ne!(old.fingerprint_sha256(), new.fingerprint_sha256());
    assert_eq!(old.public_key_der(), new.public_key_der());
}

#[test]
fn an_unreadable_certificate_is_refused_with_the_reason() {
    let base64 = certificate("p256");
    let error = |text: &str| {
        Certificate::from_base64(text)
            .expect_err("refused")
            .to_string()
    };
    assert!(
        Certificate::from_base64(&format!("\n {} \r\n\t{}", &base64[..20], &base64[20..])).is_ok()
    );
    assert_eq!(error(" \n"), "the certificate is empty");
    assert_eq!(
        error(&format!(
            "-----BEGIN CERTIFICATE-----{base64}-----END CERTIFICATE-----"
        )),
        "the certificate is PEM, not plain base64"
    );
    assert_eq!(
        error("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t"),
        "the certificate is base64 of PEM, not base64 of DER"
    );
    assert_eq!(error("MII*"), "the certificate is not base64");
    assert_eq!(error("MIIB"), "the bytes are not an X.509 certificate");
    let longer = [der("p256"), vec![0, 0]].concat();
    assert!(matches!(
        Certificate::from_der(longer),
        Err(CertificateError::TrailingBytes { count: 2, .. })
    ));
}

const FINGERPRINT: &str = "FE:A7:41:6D:3B:D9:81:07:42:63:3D:2E:D5:E6:F6:DF:00:3E:4E:BB:58:17:53:65:55:B8:23:F3:A2:E1:CB:74";

#[test]
fn a_certificate_is_found_among_other_pem_sections() {
    let certificate = Certificate::from_der(der("p256")).expect("a certificate");
    let other = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let text = format!("Bag Attributes\n{other}{}", certificate.pem());
    assert_eq!(Certificate::from_pem(&text).expect("PEM"), certificate);

    for text in ["", other, "MIIB"] {
        let error = Certificate::from_pem(text).expect_err("no certificate");
        assert_eq!(
            error.to_string(),
            "the text has no valid PEM section CERTIFICATE"
        );
    }
    let broken = certificate.pem().replace("MII", "!!!");
    let error = Certificate::from_pem(&broken).expect_err("not base64");
    assert!(std::error::Error::source(&error).is_some(), "{error}");
}

#[test]
fn a_pem_file_with_several_certificates_is_never_read_as_its_first() {
    let [first, second] =
        ["p256", "rsa2048"].map(|name| Certificate::from_der(der(name)).expect("a certificate"));
    let both = format!("{}{}", first.pem(), second.pem());
    let error = Certificate::from_pem(&both).expect_err("two certificates");
    assert_eq!(
        error.to_string(),
        "the text has 2 PEM sections CERTIFICATE where one is expected"
    );
    let all = Certificate::all_from_pem(&both).expect("two certificates");
    assert_eq!(all, [first.clone(), second]);
    let broken = format!("{}{}", first.pem(), first.pem().replace("MII", "!!!"));
    assert!(Certificate::all_from_pem(&broken).is_err());
}

#[test]
fn a_certificate_file_is_der_pem_or_base64() {
    let certificate = Certificate::from_der(der("p256")).expect("a certificate");
    let base64 = certificate.base64();
    assert!(!base64.contains('\n') && certificate.pem().replace('\n', "").contains(&base64));
    for file in [
        der("p256"),
        certificate.pem().into_bytes(),
        base64.into_bytes(),
    ] {
        assert_eq!(
            Certificate::from_file(&file).expect("a certificate"),
            certificate
        );
    }
    let error = Certificate::from_file(b"\xff\xfenothing").expect_err("no certificate");
    assert_eq!(error.to_string(), "the bytes are not an X.509 certificate");
}
