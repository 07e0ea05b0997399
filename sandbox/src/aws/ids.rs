//! Ids in the forms AWS uses, the same in every run.

use std::collections::HashMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Hands out ids that depend only on what was asked for before.
///
/// An id is derived from a kind and a name, so that the order in which concurrent requests arrive
/// does not matter; a name that is used again (deleted and created anew) gets another id.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    used: HashMap<String, u32>,
}

impl Ids {
    /// A UUID, lower case with hyphens.
    pub(crate) fn uuid(&mut self, kind: &str, name: &str) -> String {
        uuid_of(&self.seed(kind, name))
    }

    /// `length` hexadecimal digits, 64 at most.
    pub(crate) fn hex(&mut self, kind: &str, name: &str, length: usize) -> String {
        let mut digits = hex_of(&digest(&self.seed(kind, name)));
        digits.truncate(length);
        digits
    }

    /// `length` upper-case letters and digits of the base 32 alphabet, 32 at most.
    pub(crate) fn base32(&mut self, kind: &str, name: &str, length: usize) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        digest(&self.seed(kind, name))
            .iter()
            .take(length)
            .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
            .collect()
    }

    /// `length` characters as in a secret: letters, digits, `+`, `/` and `=` at the end.
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

/// The SHA-256 digest of a text.
pub(crate) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The UUID that a seed always gives.
pub(crate) fn uuid_of(seed: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, seed.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_questions_get_the_same_ids_in_every_run() {
        let ask = || {
            let mut ids = Ids::default();
            (ids.uuid("user", "ada"), ids.hex("ps", "Admin", 16))
        };
        assert_eq!(ask(), ask());
    }

    #[test]
    fn a_name_that_is_used_again_gets_another_id() {
        let mut ids = Ids::default();
        assert_ne!(ids.uuid("user", "ada"), ids.uuid("user", "ada"));
    }

    #[test]
    fn secrets_have_the_length_asked_for_and_end_in_padding() {
        let secret = Ids::default().secret("token", "", 560);
        assert_eq!(secret.len(), 560);
        assert!(secret.ends_with('='));
    }
}
