//! Signing keys of an application, with self-signed RSA certificates in Okta's format.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::{Method, StatusCode};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, KeyPair, PKCS_RSA_SHA256, SerialNumber,
    date_time_ymd, string::Ia5String,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use x509_parser::public_key::PublicKey;

use super::{
    App, Org,
    id_generator::base62_text,
    query::Call,
    reply::{Refusal, Reply},
    timestamps::millis,
};

/// One signing key with its certificate.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) kid: String,
    /// The certificate in DER.
    pub(crate) certificate: Vec<u8>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    created: Timestamp,
    expires: Timestamp,
}

impl Key {
    /// Creates key number `number` of an org, valid for `years` years from the day of `now`.
    ///
    /// The private keys are fixtures, so that an org has the same certificates in every run.
    pub(super) fn generate(number: usize, subdomain: &str, years: i64, now: Timestamp) -> Self {
        let pair = fixture(number);
        let mut params = CertificateParams::default();
        params.distinguished_name = subject(subdomain);
        params.serial_number = Some(serial(number, now));
        set_validity(&mut params, now, years);
        let certificate = params
            .self_signed(&pair)
            .expect("the certificate parameters are valid")
            .der()
            .to_vec();
        let kid = base62_text(&format!("kid/{subdomain}/{number}"), 43);
        Self::new(kid, certificate, now)
    }

    /// Creates the key of a certificate for an RSA key.
    pub(super) fn new(kid: String, certificate: Vec<u8>, created: Timestamp) -> Self {
        let (_, parsed) =
            x509_parser::parse_x509_certificate(&certificate).expect("the certificate is valid");
        let Ok(PublicKey::RSA(rsa)) = parsed.public_key().parsed() else {
            unreachable!("the fixture is an RSA key");
        };
        let expires = Timestamp::from_second(parsed.validity().not_after.timestamp());
        Self {
            kid,
            modulus: unsigned(rsa.modulus),
            exponent: unsigned(rsa.exponent),
            expires: expires.expect("the certificate ends in this millennium"),
            certificate,
            created,
        }
    }

    /// Returns the certificate in base64, without line breaks.
    pub(crate) fn base64(&self) -> String {
        STANDARD.encode(&self.certificate)
    }

    pub(super) fn document(&self) -> Value {
        json!({
            "kty": "RSA",
            "created": millis(self.created),
            "lastUpdated": millis(self.created),
            "expiresAt": millis(self.expires),
            "kid": self.kid,
            "use": "sig",
            "x5c": [self.base64()],
            "x5t#S256": URL_SAFE_NO_PAD.encode(Sha256::digest(&self.certificate)),
            "e": URL_SAFE_NO_PAD.encode(&self.exponent),
            "n": URL_SAFE_NO_PAD.encode(&self.modulus),
        })
    }
}

impl Org {
    pub(super) fn keys_endpoint(
        &mut self,
        call: &Call<'_>,
        app: &str,
        path: &[&str],
    ) -> Result<Reply, Refusal> {
        match (call.method, path) {
            (&Method::GET, []) => {
                call.allow_only(&[])?;
                let keys = self.app(app)?.keys.iter();
                Ok(Reply::ok(keys.map(Key::document).collect()))
            }
            (&Method::POST, ["generate"]) => self.generate_key(call, app),
            (&Method::POST, [kid, "clone"]) => self.clone_key(call, app, kid),
            (&Method::GET, [kid]) => {
                let key = self.app(app)?.key(kid);
                let key = key.ok_or_else(|| Refusal::not_found(kid, "ApplicationKeyStore"))?;
                Ok(Reply::ok(key.document()))
            }
            _ => Err(Refusal::method()),
        }
    }

    fn generate_key(&mut self, call: &Call<'_>, app: &str) -> Result<Reply, Refusal> {
        call.allow_only(&["validityYears"])?;
        let years = call
            .parameter("validityYears")
            .and_then(|years| years.parse().ok());
        let Some(years @ 2..=10) = years else {
            return Err(Refusal::invalid(
                "validityYears",
                "validityYears: must be a number from 2 to 10",
            ));
        };
        self.signing_app(app)?;
        let key = self.new_key(years, call.now);
        let document = key.document();
        self.app_mut(app)?.keys.push(key);
        Ok(Reply::with_status(StatusCode::CREATED, document))
    }

    fn clone_key(&mut self, call: &Call<'_>, app: &str, kid: &str) -> Result<Reply, Refusal> {
        call.allow_only(&["targetAid"])?;
        let Some(target) = call.parameter("targetAid") else {
            return Err(Refusal::missing_parameter("targetAid"));
        };
        let missing = || Refusal::not_found(kid, "ApplicationKeyStore");
        let key = self.app(app)?.key(kid).ok_or_else(missing)?.clone();
        if self.signing_app(target)?.key(kid).is_some() {
            // Source: the example "Duplicate key credential error" in Okta's API description.
            let cause = "Key already exists in the list of key credentials for the target app.";
            return Err(Refusal::invalid("cloneKey", cause));
        }
        let document = key.document();
        self.app_mut(target)?.keys.push(key);
        Ok(Reply::with_status(StatusCode::CREATED, document))
    }

    /// Returns an application that signs assertions.
    pub(super) fn signing_app(&self, app: &str) -> Result<&App, Refusal> {
        let app = self.app(app)?;
        if app.keys.is_empty() {
            let cause = "The app does not sign anything";
            return Err(Refusal::invalid("signOnMode", cause));
        }
        Ok(app)
    }

    pub(super) fn new_key(&mut self, years: i64, now: Timestamp) -> Key {
        self.key_count += 1;
        Key::generate(self.key_count, &self.subdomain, years, now)
    }
}

/// Returns the key pair of key number `number` of an org.
pub(super) fn fixture(number: usize) -> KeyPair {
    KeyPair::from_pem_and_sign_algo(FIXTURES[number % FIXTURES.len()], &PKCS_RSA_SHA256)
        .expect("the fixture is an RSA key")
}

/// Returns the subject of Okta's certificates.
fn subject(subdomain: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CountryName, "US");
    name.push(DnType::StateOrProvinceName, "California");
    name.push(DnType::LocalityName, "San Francisco");
    name.push(DnType::OrganizationName, "Okta");
    name.push(DnType::OrganizationalUnitName, "SSOProvider");
    name.push(DnType::CommonName, subdomain);
    let email = Ia5String::try_from("info@okta.com").expect("the address is ASCII");
    name.push(
        DnType::CustomDnType(EMAIL_ADDRESS.to_vec()),
        DnValue::Ia5String(email),
    );
    name
}

/// Returns a serial number in Okta's format: the current time in milliseconds, plus the key number.
fn serial(number: usize, now: Timestamp) -> SerialNumber {
    let millis = now.as_millisecond().unsigned_abs() + number as u64;
    SerialNumber::from(millis)
}

/// Returns year, month and day of a timestamp.
fn day(time: Timestamp) -> (i32, u8, u8) {
    let day = time.to_zoned_datetime(TimeZone::UTC).date();
    let small = |number: i8| u8::try_from(number).unwrap_or(1);
    (day.year().into(), small(day.month()), small(day.day()))
}

/// Makes a certificate valid for `years` years from the day of `now`.
pub(super) fn set_validity(params: &mut CertificateParams, now: Timestamp, years: i64) {
    let ((y, m, d), (last_y, last_m, last_d)) = (day(now), day(years_later(now, years)));
    params.not_before = date_time_ymd(y, m, d);
    params.not_after = date_time_ymd(last_y, last_m, last_d);
}

/// Returns the start of the same day, `years` years later.
fn years_later(time: Timestamp, years: i64) -> Timestamp {
    let later = time
        .to_zoned_datetime(TimeZone::UTC)
        .checked_add(years.years());
    let start = later.and_then(|later| later.start_of_day());
    start.map_or(time, |start| start.timestamp())
}

/// Removes the leading zero byte that DER adds to a positive integer.
fn unsigned(integer: &[u8]) -> Vec<u8> {
    integer.strip_prefix(&[0]).unwrap_or(integer).to_vec()
}

const EMAIL_ADDRESS: &[u64] = &[1, 2, 840, 113_549, 1, 9, 1];

/// Private keys for tests. They only sign certificates of fictional orgs.
const FIXTURES: [&str; 3] = [
    include_str!("signing-key-1.pem"),
    include_str!("signing-key-2.pem"),
    include_str!("signing-key-3.pem"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_reproducible_and_differ_for_each_key() {
        let now = Timestamp::UNIX_EPOCH;
        let first = Key::generate(1, "analytical", 10, now);
        assert_eq!(
            first.certificate,
            Key::generate(1, "analytical", 10, now).certificate
        );
        let second = Key::generate(2, "analytical", 10, now);
        assert_ne!(first.certificate, second.certificate);
        assert_ne!(first.kid, second.kid);
        assert_eq!(first.kid.len(), 43);
    }

    #[test]
    fn a_certificate_names_the_org_and_has_the_requested_validity() {
        let key = Key::generate(1, "analytical", 10, Timestamp::UNIX_EPOCH);
        let (_, parsed) =
            x509_parser::parse_x509_certificate(&key.certificate).expect("a certificate");
        assert_eq!(
            parsed.subject().to_string(),
            "C=US, ST=California, L=San Francisco, O=Okta, OU=SSOProvider, CN=analytical, Email=info@okta.com"
        );
        assert_eq!(
            parsed.validity().not_after.timestamp(),
            key.expires.as_second()
        );
        assert_eq!(key.modulus.len(), 256);
    }
}
