//! Verifies, signs and canonicalizes metadata, from standard input to standard output.
//!
//! `verify` fails unless the file is signed with the key, and prints the signed entityIDs:
//! `cargo run -p saml-metadata --features signature --example signature -- verify KEY.pem < signed.xml`
//! (or `verify-stream`). The other commands are `… sign KEY.pem rsa-sha256 [CERTIFICATE.pem] <
//! metadata.xml` and `… c14n exclusive < metadata.xml` (also `inclusive`; both also with `-comments`).
#![expect(clippy::disallowed_methods, reason = "the package has no async code")]

use std::{
    env,
    error::Error,
    fs,
    io::{Read as _, Write as _, stdin, stdout},
};

use saml_metadata::{
    Certificate, Document,
    c14n::Method,
    read,
    signature::{SignatureAlgorithm, Signer, SigningKey, Verifier, VerifyingKey},
};

const ALGORITHMS: [(&str, SignatureAlgorithm); 9] = [
    ("rsa-sha256", SignatureAlgorithm::RsaSha256),
    ("rsa-sha384", SignatureAlgorithm::RsaSha384),
    ("rsa-sha512", SignatureAlgorithm::RsaSha512),
    ("rsa-pss-sha256", SignatureAlgorithm::RsaPssSha256),
    ("rsa-pss-sha384", SignatureAlgorithm::RsaPssSha384),
    ("rsa-pss-sha512", SignatureAlgorithm::RsaPssSha512),
    ("ecdsa-sha256", SignatureAlgorithm::EcdsaP256Sha256),
    ("ecdsa-sha384", SignatureAlgorithm::EcdsaP384Sha384),
    ("ecdsa-sha512", SignatureAlgorithm::EcdsaP521Sha512),
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut bytes = Vec::new();
    stdin().read_to_end(&mut bytes)?;
    let document = read(&bytes)?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = match arguments[..] {
        ["verify", key] => verify(&document, key)?,
        ["verify-stream", key] => verify_stream(&bytes, key)?,
        ["sign", key, algorithm] => sign(&document, key, algorithm, None)?,
        ["sign", key, algorithm, certificate] => {
            sign(&document, key, algorithm, Some(certificate))?
        }
        ["c14n", "exclusive"] => Method::exclusive().document(&document)?,
        ["c14n", "exclusive-comments"] => Method::exclusive().comments(true).document(&document)?,
        ["c14n", "inclusive"] => Method::inclusive().document(&document)?,
        ["c14n", "inclusive-comments"] => Method::inclusive().comments(true).document(&document)?,
        _ => {
            return Err(
                "usage: verify KEY, verify-stream KEY, sign KEY ALGORITHM [CERTIFICATE] or c14n METHOD"
                    .into(),
            );
        }
    };
    Ok(stdout().write_all(&output)?)
}

fn verify(document: &Document, key: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let key = VerifyingKey::from_pem(&fs::read_to_string(key)?)?;
    let verified = Verifier::new([key]).verify(document)?;
    let entities = verified
        .entities()
        .map(|entity| format!("{}\n", entity.entity_id()));
    Ok(entities.collect::<String>().into_bytes())
}

fn verify_stream(bytes: &[u8], key: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let key = VerifyingKey::from_pem(&fs::read_to_string(key)?)?;
    let mut ids = Vec::new();
    for verified in Verifier::new([key]).verify_stream(|| Ok(bytes))? {
        writeln!(ids, "{}", verified?.entity().entity_id())?;
    }
    Ok(ids)
}

fn sign(
    document: &Document,
    key: &str,
    algorithm: &str,
    certificate: Option<&str>,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let key = SigningKey::from_pkcs8_pem(&fs::read_to_string(key)?)?;
    let known = ALGORITHMS.into_iter().find(|(name, _)| *name == algorithm);
    let (_, algorithm) = known.ok_or("unknown algorithm")?;
    let mut signer = Signer::new(&key).algorithm(algorithm);
    if let Some(path) = certificate {
        let pem = fs::read_to_string(path)?;
        let body: String = pem
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .collect();
        signer = signer.certificate(&Certificate::from_base64(&body)?);
    }
    Ok(signer.sign(document)?.bytes().to_vec())
}
