//! DPoP (RFC 9449): the checks of proofs, and the nonces of the authorization server.
//!
//! The texts of the refusals are Okta's where they are recorded: the header that is missing, a proof that was used
//! before, a proof that is too old, and `htu`. The other texts follow their pattern.

use http::Method;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::ThumbprintHash;

use super::jwt::Jwt;
use crate::okta::id_generator::base62_text;

/// The properties of a request that its proof must name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    pub(super) method: &'a Method,
    /// The URL without query and fragment.
    pub(super) url: &'a str,
    /// The hash of the access token, if the request has one.
    pub(super) token_hash: Option<&'a str>,
}

/// A proof whose signature and claims are valid. Its `jti` and its nonce are not checked.
#[derive(Debug)]
pub(super) struct Proof {
    /// The thumbprint of the key that signed it (RFC 7638).
    pub(super) thumbprint: String,
    pub(super) id: String,
    pub(super) nonce: Option<String>,
}

impl Proof {
    /// Checks a proof for a request (RFC 9449 4.3). Fails with the description of the error.
    pub(super) fn check(
        proof: &str,
        target: Target<'_>,
        now: Timestamp,
    ) -> Result<Self, &'static str> {
        let jwt = Jwt::parse(proof).ok_or("The DPoP proof JWT is invalid.")?;
        if jwt.header.typ.as_deref() != Some("dpop+jwt") {
            return Err("'typ' header in the DPoP proof JWT is invalid.");
        }
        let private = ["d", "p", "q", "k"];
        let raw = jwt.raw_jwk();
        let key = jwt.header.jwk.as_ref();
        let key = key.filter(|_| private.iter().all(|member| raw.get(member).is_none()));
        let key = key.ok_or("'jwk' header in the DPoP proof JWT is invalid.")?;
        if !jwt.is_signed_by(key) {
            return Err("The DPoP proof JWT signature is invalid.");
        }
        if jwt.text("htm") != Some(target.method.as_str()) {
            return Err("'htm' claim in the DPoP proof JWT is invalid.");
        }
        if jwt.text("htu") != Some(target.url) {
            return Err("'htu' claim in the DPoP proof JWT is invalid.");
        }
        if jwt.text("ath") != target.token_hash {
            return Err("'ath' claim in the DPoP proof JWT is invalid.");
        }
        let issued = jwt.time("iat");
        let issued = issued.ok_or("'iat' claim in the DPoP proof JWT is invalid.")?;
        let age = now.duration_since(issued);
        if age > TOLERANCE {
            return Err("The DPoP proof JWT is issued more than five minutes in the past.");
        }
        if -age > TOLERANCE {
            return Err("The DPoP proof JWT is issued more than five minutes in the future.");
        }
        let id = jwt.text("jti").filter(|id| !id.is_empty());
        let id = id.ok_or("'jti' claim in the DPoP proof JWT is invalid.")?;
        Ok(Self {
            thumbprint: key.thumbprint(ThumbprintHash::SHA256),
            id: id.to_owned(),
            nonce: jwt.text("nonce").map(str::to_owned),
        })
    }
}

/// The nonces of the authorization server. Okta renews the nonce every 24 hours and accepts the old one for three
/// more days (Okta's DPoP guide).
#[derive(Debug)]
pub(super) struct Nonces {
    count: u32,
    current: String,
    since: Timestamp,
    /// The replaced nonces, and the times until which they are accepted.
    replaced: Vec<(String, Timestamp)>,
}

impl Nonces {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            count: 0,
            current: nonce(0),
            since: now,
            replaced: Vec::new(),
        }
    }

    /// Returns the nonce for the next proof.
    pub(super) fn current(&mut self, now: Timestamp) -> &str {
        let due = crate::clock::after(self.since, LIFETIME);
        if due <= now {
            let until = crate::clock::after(due, OVERLAP);
            let old = self.replace(now);
            self.replaced.push((old, until));
        }
        &self.current
    }

    /// Returns whether a proof may have this nonce.
    pub(super) fn accepts(&mut self, nonce: &str, now: Timestamp) -> bool {
        if self.current(now) == nonce {
            return true;
        }
        self.replaced.retain(|(_, until)| now < *until);
        self.replaced.iter().any(|(old, _)| old == nonce)
    }

    /// Replaces the nonce, and refuses all earlier ones.
    pub(super) fn revoke(&mut self, now: Timestamp) {
        self.replace(now);
        self.replaced.clear();
    }

    fn replace(&mut self, now: Timestamp) -> String {
        self.count += 1;
        self.since = now;
        std::mem::replace(&mut self.current, nonce(self.count))
    }
}

fn nonce(number: u32) -> String {
    base62_text(&format!("dpop-nonce{number}"), 32)
}

/// The largest difference between a proof's `iat` and the server's time.
pub(super) const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
const LIFETIME: SignedDuration = SignedDuration::from_hours(24);
const OVERLAP: SignedDuration = SignedDuration::from_hours(3 * 24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_renewed_every_day_and_the_old_one_is_accepted_for_three_more_days() {
        let start = Timestamp::UNIX_EPOCH;
        let after = |hours| crate::clock::after(start, SignedDuration::from_hours(hours));
        let mut nonces = Nonces::new(start);
        let first = nonces.current(start).to_owned();
        assert_eq!(nonces.current(after(23)), first);
        assert_ne!(nonces.current(after(24)), first);
        assert!(nonces.accepts(&first, after(24 + 71)));
        assert!(!nonces.accepts(&first, after(24 + 72)));
        assert!(!nonces.accepts("invented", after(24)));
    }

    #[test]
    fn a_revoked_nonce_is_refused_at_once() {
        let start = Timestamp::UNIX_EPOCH;
        let mut nonces = Nonces::new(start);
        let first = nonces.current(start).to_owned();
        nonces.revoke(start);
        assert!(!nonces.accepts(&first, start));
    }
}
