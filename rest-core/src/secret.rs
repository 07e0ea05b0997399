//! Secrets that stay out of logs and debug output.

use std::{borrow::Cow, fmt};

use memchr::memmem;
use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A token, key or password that is never printed by accident.
///
/// `Debug` prints `Secret(..)`; `Display`, `Serialize` and `PartialEq` are not implemented. Only
/// [`expose`](Self::expose) returns the text, so a search for that name finds every use. The memory
/// is overwritten when the secret is dropped.
///
/// ```
/// use rest_core::Secret;
///
/// let token = Secret::new("00abc");
/// assert_eq!(format!("{token:?}"), "Secret(..)");
/// assert_eq!(token.expose(), "00abc");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Returns a secret with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Returns the secret text, for code that must send it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the first 32 bits of the secret's SHA-256 digest, as 8 hexadecimal digits.
    ///
    /// It tells whether a secret is another one than an earlier run had. It is too short to find the secret with, so it may be
    /// saved.
    ///
    /// ```
    /// assert_eq!(rest_core::Secret::new("00abc").fingerprint(), "945e7ca2");
    /// ```
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::digest(self.0.as_bytes());
        let [a, b, c, d, ..] = digest[..] else {
            unreachable!("a SHA-256 digest has 32 bytes");
        };
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }

    /// Returns a text of a service without the secret, which a service may repeat in an error message.
    ///
    /// A secret of fewer than 8 bytes is kept: such a text can also be a part of other words.
    ///
    /// ```
    /// use rest_core::Secret;
    ///
    /// let token = Secret::new("00abcdefgh");
    /// let text = token.redact(b"invalid token 00abcdefgh");
    /// assert_eq!(&*text, b"invalid token (a secret)");
    /// ```
    #[must_use]
    pub fn redact<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let secret = self.0.as_bytes();
        if secret.len() < MIN_REDACTED || memmem::find(text, secret).is_none() {
            return Cow::Borrowed(text);
        }
        let mut redacted = Vec::with_capacity(text.len());
        let mut kept_up_to = 0;
        for at in memmem::find_iter(text, secret) {
            redacted.extend_from_slice(&text[kept_up_to..at]);
            redacted.extend_from_slice(b"(a secret)");
            kept_up_to = at + secret.len();
        }
        redacted.extend_from_slice(&text[kept_up_to..]);
        Cow::Owned(redacted)
    }
}

/// The length from which on a secret is replaced in the texts of services.
const MIN_REDACTED: usize = 8;

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_output_omits_the_text() {
        #[derive(Debug)]
        #[expect(dead_code, reason = "the test reads only its Debug output")]
        struct Holder {
            token: Secret,
        }
        let holder = Holder {
            token: Secret::new("hunter2"),
        };
        assert_eq!(format!("{holder:?}"), "Holder { token: Secret(..) }");
        assert_eq!(format!("{:#?}", Secret::new("hunter2")), "Secret(..)");
    }

    #[test]
    fn every_copy_of_the_secret_is_removed_from_a_text() {
        let secret = Secret::new("hunter2hunter2");
        for (text, redacted) in [
            ("", ""),
            ("hunter2", "hunter2"),
            ("hunter2hunter2", "(a secret)"),
            (
                "a hunter2hunter2, b hunter2hunter2 c",
                "a (a secret), b (a secret) c",
            ),
        ] {
            assert_eq!(&*secret.redact(text.as_bytes()), redacted.as_bytes());
        }
        assert_eq!(&*Secret::new("a").redact(b"a banana"), b"a banana");
        assert_eq!(&*Secret::new("").redact(b"a"), b"a");
    }

    #[test]
    fn a_secret_is_deserialized_from_a_string() {
        let secret: Secret = serde_json::from_str("\"hunter2\"").expect("a string");
        assert_eq!(secret.expose(), "hunter2");
    }
}
