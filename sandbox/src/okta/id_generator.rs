//! Ids in Okta's format: twenty characters, where the first three name the type of the resource.

use sha2::{Digest, Sha256};

const HEX: [u8; 16] = *b"0123456789abcdef";
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Generates ids that look random, are the same in every run, and sort in the order of generation.
#[derive(Debug)]
pub(crate) struct IdGenerator {
    last_number: u64,
    // This counter is separate, so that resource ids do not depend on the number of requests.
    opaque_count: u64,
}

impl IdGenerator {
    pub(crate) fn new() -> Self {
        // The first digit of Okta's ids has grown slowly over the years; today it is `1`.
        Self {
            last_number: 62_u64.pow(6),
            opaque_count: 0,
        }
    }

    /// Returns the next id with this prefix, such as `00u` for users.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        // The step is a prime, so that consecutive ids differ in more than the last digit.
        self.last_number += 104_729;
        let number = self.last_number;
        let tail = base62_text(&format!("{prefix}{number}"), 17 - 7);
        format!("{prefix}{}{tail}", base62(number, 7))
    }

    /// Returns a string of `length` characters that looks like a random token.
    pub(crate) fn opaque(&mut self, length: usize) -> String {
        self.opaque_count += 1;
        base62_text(&format!("opaque{}", self.opaque_count), length)
    }
}

/// Returns `length` hexadecimal digits that depend only on `seed`.
pub(crate) fn hex_text(seed: &str, length: usize) -> String {
    derive(seed, length, &HEX)
}

/// Returns `length` characters of the ids' alphabet that depend only on `seed`.
pub(crate) fn base62_text(seed: &str, length: usize) -> String {
    derive(seed, length, BASE62)
}

fn derive(seed: &str, length: usize, alphabet: &[u8]) -> String {
    let mut text = String::with_capacity(length);
    for round in 0_u32.. {
        let digest = Sha256::digest(format!("{seed}/{round}"));
        for byte in digest {
            if text.len() == length {
                return text;
            }
            text.push(char::from(alphabet[usize::from(byte) % alphabet.len()]));
        }
    }
    text
}

fn base62(mut number: u64, width: usize) -> String {
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        let index = usize::try_from(number % 62).unwrap_or_default();
        *digit = BASE62[index];
        number /= 62;
    }
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_twenty_characters_and_sort_in_the_order_of_generation() {
        let mut generator = IdGenerator::new();
        let ids: Vec<String> = (0..500).map(|_| generator.id("00u")).collect();
        assert!(
            ids.iter()
                .all(|id| id.len() == 20 && id.starts_with("00u1")),
            "{:?}",
            ids[499]
        );
        assert!(ids.is_sorted());
        assert_eq!(ids[0], IdGenerator::new().id("00u"));
    }
}
