//! `…/apps/{id}/credentials/csrs`: certificate signing requests for new signing keys.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, Issuer, KeyPair, PKCS_RSA_SHA256, PublicKeyData,
    SignatureAlgorithm,
};
use serde_json::{Map, Value, json};
use x509_parser::{certification_request::X509CertificationRequest, prelude::FromDer};

use super::{
    Org,
    id_generator::base62_text,
    keys::{Key, fixture, set_validity},
    query::Call,
    reply::{Refusal, Reply},
    timestamps::millis,
};
use crate::clock::after;

/// A certificate signing request that has no certificate yet.
#[derive(Debug)]
pub(super) struct Csr {
    id: String,
    created: Timestamp,
    /// The request in DER.
    der: Vec<u8>,
    /// The public key in DER (`SubjectPublicKeyInfo`).
    public_key: Vec<u8>,
}

impl Csr {
    fn document(&self, app: &str, host: &str) -> Value {
        let address = format!(
            "http://{host}/api/v1/apps/{app}/credentials/csrs/{}",
            self.id
        );
        let publish = format!("{address}/lifecycle/publish");
        json!({
            "id": self.id,
            "created": millis(self.created),
            "csr": STANDARD.encode(&self.der),
            "kty": "RSA",
            "_links": {
                "self": { "href": address, "hints": { "allow": ["GET", "DELETE"] } },
                "publish": { "href": publish, "hints": { "allow": ["POST"] } },
            },
        })
    }
}

impl Org {
    /// Handles the requests as JSON. Okta also returns them as `application/pkcs10`.
    pub(super) fn csrs_endpoint(
        &mut self,
        call: &Call<'_>,
        app: &str,
        path: &[&str],
    ) -> Result<Reply, Refusal> {
        call.allow_only(&[])?;
        let missing = |id: &str| Refusal::not_found(id, "Csr");
        match (call.method, path) {
            (&Method::GET, []) => {
                let csrs = self.app(app)?.csrs.values();
                let documents = csrs.map(|csr| csr.document(app, &call.host)).collect();
                Ok(Reply::ok(documents))
            }
            (&Method::POST, []) => self.create_csr(call, app),
            (&Method::GET, [id]) => {
                let csr = self.app(app)?.csrs.get(*id).ok_or_else(|| missing(id))?;
                Ok(Reply::ok(csr.document(app, &call.host)))
            }
            (&Method::DELETE, [id]) => {
                let csrs = &mut self.app_mut(app)?.csrs;
                csrs.remove(*id).ok_or_else(|| missing(id))?;
                Ok(Reply::no_content())
            }
            (&Method::POST, [id, "lifecycle", "publish"]) => self.publish_csr(call, app, id),
            (_, [] | [_] | [_, "lifecycle", "publish"]) => Err(Refusal::method()),
            _ => Err(Refusal::not_found(call.path, "Endpoint")),
        }
    }

    fn create_csr(&mut self, call: &Call<'_>, app: &str) -> Result<Reply, Refusal> {
        let body = call.json_object()?;
        let params = params(&body)?;
        self.signing_app(app)?;
        self.key_count += 1;
        let pair = fixture(self.key_count);
        let der = params
            .serialize_request(&pair)
            .expect("the parameters are those of a request")
            .der()
            .to_vec();
        let csr = Csr {
            id: base62_text(&format!("csr/{}/{}", self.subdomain, self.key_count), 43),
            created: call.now,
            der,
            public_key: pair.subject_public_key_info(),
        };
        let document = csr.document(app, &call.host);
        self.app_mut(app)?.csrs.insert(csr.id.clone(), csr);
        Ok(Reply::with_status(StatusCode::CREATED, document))
    }

    /// Turns a request into a key, with a certificate in DER. Okta also accepts PEM and Base64.
    fn publish_csr(&mut self, call: &Call<'_>, app: &str, id: &str) -> Result<Reply, Refusal> {
        if !["application/pkix-cert", "application/x-x509-ca-cert"].contains(&call.media_type()) {
            return Err(Refusal::media_type());
        }
        let missing = || Refusal::not_found(id, "Csr");
        let csr = self.app(app)?.csrs.get(id).ok_or_else(missing)?;
        let parsed = x509_parser::parse_x509_certificate(call.body);
        // Both texts: examples of "Publish a certificate signing request" in Okta's API description.
        let refused = |cause: &str| Err(Refusal::invalid("certificate", cause));
        let Ok((_, certificate)) = parsed else {
            return refused("The certificate doesn't match the CSR.");
        };
        if certificate.public_key().raw != csr.public_key {
            return refused("The certificate doesn't match the CSR.");
        }
        let soon = after(call.now, SignedDuration::from_hours(90 * 24));
        if certificate.validity().not_after.timestamp() <= soon.as_second() {
            return refused("The certificate must be valid for more than 90 days.");
        }
        let kid = base62_text(&format!("kid/{id}"), 43);
        let key = Key::new(kid, call.body.to_vec(), call.now);
        let document = key.document();
        let app = self.app_mut(app)?;
        app.csrs.remove(id);
        app.keys.push(key);
        Ok(Reply::with_status(StatusCode::CREATED, document))
    }
}

/// Returns the parameters of a request from the body of a call (`CsrMetadata`).
fn params(body: &Map<String, Value>) -> Result<CertificateParams, Refusal> {
    let names = body
        .get("subjectAltNames")
        .and_then(|names| names["dnsNames"].as_array());
    let names = names.into_iter().flatten().filter_map(Value::as_str);
    let names: Vec<String> = names.map(str::to_owned).collect();
    let mut params =
        CertificateParams::new(names).map_err(|_error| Refusal::not_allowed("dnsNames"))?;
    params.distinguished_name = DistinguishedName::new();
    for (field, kind) in [
        ("countryName", DnType::CountryName),
        ("stateOrProvinceName", DnType::StateOrProvinceName),
        ("localityName", DnType::LocalityName),
        ("organizationName", DnType::OrganizationName),
        ("organizationalUnitName", DnType::OrganizationalUnitName),
        ("commonName", DnType::CommonName),
    ] {
        let value = body
            .get("subject")
            .and_then(|subject| subject[field].as_str());
        if let Some(value) = value {
            params.distinguished_name.push(kind, value);
        }
    }
    Ok(params)
}

/// The public key of a certificate signing request.
struct PublicKey<'a>(&'a [u8]);

impl PublicKeyData for PublicKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

/// Returns the certificate, valid for one year, that a certification authority issues for a request in Base64.
pub(crate) fn issue_certificate(csr: &str, now: Timestamp) -> Option<Vec<u8>> {
    let der = STANDARD.decode(csr).ok()?;
    let (_, csr) = X509CertificationRequest::from_der(&der).ok()?;
    let info = &csr.certification_request_info;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for attribute in info.subject.iter_attributes() {
        let oid: Vec<u64> = attribute.attr_type().iter()?.collect();
        let value = attribute.as_str().ok()?;
        params
            .distinguished_name
            .push(DnType::from_oid(&oid), value);
    }
    set_validity(&mut params, now, 1);
    let issuer = Issuer::new(CertificateParams::default(), KeyPair::generate().ok()?);
    let key = PublicKey(&info.subject_pki.subject_public_key.data);
    Some(params.signed_by(&key, &issuer).ok()?.der().to_vec())
}
