//! Ids in AWS's formats, identical in every run.

use std::collections::HashMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A generator of ids that depend only on earlier requests for ids.
///
/// Each id is derived from a kind and a name, so the order of concurrent requests does not matter. A
/// repeated name, for example of a recreated user, gets a different id.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    used: HashMap<String, u32>,
}

impl Ids {
    /// Returns a UUID, lower case with hyphens.
    pub(crate) fn uuid(&mut self, kind: &str, name: &str) -> String {
        uuid_of(&self.seed(kind, name))
    }

    /// Returns `length` hexadecimal digits, at most 64.
    pub(crate) fn hex(&mut self, kind: &str, name: &str, length: usize) -> String {
        let mut digits = hex_of(&digest(&self.seed(kind, name)));
        digits.truncate(length);
        digits
    }

    /// Returns `length` upper-case letters and digits of the base 32 alphabet, at most 32.
    pub(crate) fn base32(&mut self, kind: &str, name: &str, length: usize) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        digest(&self.seed(kind, name))
            .iter()
            .take(length)
            .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
            .collect()
    }

    /// Returns a secret of `length` characters: letters, digits, `+` and `/`, with `=` at the end.
    pub(crate) fn secret(&mut self, kind: &str, name: &str, length: usize) -> String {
        use base64::Engine as _;
        let seed = self.seed(kind, name);
        let mut bytes = Vec::new();
        for block in 0.. {
            if bytes.len() * 4 / 3 >= length {
                break;
            }
            bytes.extend(digest(&format!("{seed}/{block}")));
        }
        let mut text = base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes);
        text.truncate(length.saturating_sub(1));
        text.push('=');
        text
    }

    fn seed(&mut self, kind: &str, name: &str) -> String {
        let key = format!("{kind}/{name}");
        let times = self.used.entry(key.clone()).or_default();
        *times += 1;
        format!("{key}/{times}")
    }
}

/// Returns the SHA-256 digest of a text.
pub(crate) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Returns bytes as lower-case hexadecimal digits.
pub(crate) fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the UUID for a seed; the same seed always gives the same UUID.
pub(crate) fn uuid_of(seed: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, seed.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_identical_in_every_run() {
        let generate = || {
            let mut ids = Ids::default();
            (ids.uuid("user", "ada"), ids.hex("ps", "Admin", 16))
        };
        assert_eq!(generate(), generate());
    }

    #[test]
    fn a_repeated_name_gets_a_different_id() {
        let mut ids = Ids::default();
        assert_ne!(ids.uuid("user", "ada"), ids.uuid("user", "ada"));
    }

    #[test]
    fn secrets_have_the_requested_length_and_end_in_padding() {
        let secret = Ids::default().secret("token", "", 560);
        assert_eq!(secret.len(), 560);
        assert!(secret.ends_with('='));
    }
}
