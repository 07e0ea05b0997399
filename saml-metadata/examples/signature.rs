//! Verifies, signs and canonicalizes metadata, from standard input to standard output.
//!
//! `verify` fails unless the file is signed with the key, and prints the signed entityIDs:
//! `cargo run -p saml-metadata --features signature --example signature -- verify KEY.pem < signed.xml`
//! (or `verify-stream`). The other commands are `… sign KEY.pem rsa-sha256 [CERTIFICATE.pem] <
//! metadata.xml`, `… renew` with the same arguments for signed metadata, `… rotate KEY.pem rsa-sha256
//! NEW.pem FILE` for a file of the plan that replaces the signing key, such as `1-both.xml`, and
//! `… c14n exclusive < metadata.xml` (also `inclusive`; both also with `-comments`).
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
    rollover::RotationRequest,
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
        ["renew", key, algorithm] => renew(&document, key, algorithm)?,
        ["rotate", key, algorithm, new, file] => {
            let file = file_of_rotation(&document, new, file)?;
            sign(&file, key, algorithm, None)?
        }
        ["c14n", "exclusive"] => Method::exclusive().document(&document)?,
        ["c14n", "exclusive-comments"] => Method::exclusive().comments(true).document(&document)?,
        ["c14n", "inclusive"] => Method::inclusive().document(&document)?,
        ["c14n", "inclusive-comments"] => Method::inclusive().comments(true).document(&document)?,
        _ => {
            return Err(
                "usage: verify KEY, verify-stream KEY, sign KEY ALGORITHM [CERTIFICATE], renew KEY \
                 ALGORITHM, rotate KEY ALGORITHM NEW FILE or c14n METHOD"
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
    let key = SigningKey::from_file(&fs::read(key)?)?;
    let mut signer = signer(&key, algorithm)?;
    if let Some(path) = certificate {
        signer = signer.certificate(&Certificate::from_file(&fs::read(path)?)?);
    }
    Ok(signer.sign(document)?.bytes().to_vec())
}

fn renew(document: &Document, key: &str, algorithm: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let key = SigningKey::from_file(&fs::read(key)?)?;
    Ok(signer(&key, algorithm)?.renew(document)?.bytes().to_vec())
}

fn signer<'k>(key: &'k SigningKey, algorithm: &str) -> Result<Signer<'k>, Box<dyn Error>> {
    let known = ALGORITHMS.into_iter().find(|(name, _)| *name == algorithm);
    let (_, algorithm) = known.ok_or("unknown algorithm")?;
    Ok(Signer::new(key).algorithm(algorithm))
}

fn file_of_rotation(
    document: &Document,
    new: &str,
    name: &str,
) -> Result<Document, Box<dyn Error>> {
    let new = Certificate::from_file(&fs::read(new)?)?;
    let start = "2026-11-24T12:00:00Z".parse()?;
    let plan = RotationRequest::new(document, &new, start).plan()?;
    let mut files = plan.steps.iter().flat_map(|step| &step.files);
    let file = files.find(|file| file.name == name).ok_or("unknown file")?;
    Ok(read(&file.bytes)?)
}
