//! Ids in Okta's form: twenty characters that start with three letters for the kind of thing.

use sha2::{Digest, Sha256};

const HEX: [u8; 16] = *b"0123456789abcdef";
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Makes ids that look random, are the same in every run, and sort in the order they were made.
#[derive(Debug)]
pub(crate) struct Mint {
    ids: u64,
    // Counted apart, so that the ids of things do not depend on how many requests there were.
    opaques: u64,
}

impl Mint {
    pub(crate) fn new() -> Self {
        // Okta's ids start with a digit that has grown slowly over the years; `1` is today's.
        Self {
            ids: 62_u64.pow(6),
            opaques: 0,
        }
    }

    /// The next id of a kind, such as `00u` for users.
    pub(crate) fn id(&mut self, kind: &str) -> String {
        // A prime, so that neighbours do not differ in their last digit only.
        self.ids += 104_729;
        let number = self.ids;
        let tail = scramble(&format!("{kind}{number}"), 17 - 7);
        format!("{kind}{}{tail}", base62(number, 7))
    }

    /// Text of `length` characters that nobody could guess if this were a real org.
    pub(crate) fn opaque(&mut self, length: usize) -> String {
        self.opaques += 1;
        scramble(&format!("opaque{}", self.opaques), length)
    }
}

/// `length` hexadecimal digits that depend on nothing but `seed`.
pub(crate) fn hex(seed: &str, length: usize) -> String {
    draw(seed, length, &HEX)
}

/// `length` characters out of the alphabet of ids that depend on nothing but `seed`.
pub(crate) fn scramble(seed: &str, length: usize) -> String {
    draw(seed, length, DIGITS)
}

fn draw(seed: &str, length: usize, alphabet: &[u8]) -> String {
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
        let place = usize::try_from(number % 62).unwrap_or_default();
        *digit = DIGITS[place];
        number /= 62;
    }
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_twenty_characters_and_sort_in_the_order_they_were_made() {
        let mut mint = Mint::new();
        let ids: Vec<String> = (0..500).map(|_| mint.id("00u")).collect();
        assert!(
            ids.iter()
                .all(|id| id.len() == 20 && id.starts_with("00u1")),
            "{:?}",
            ids[499]
        );
        assert!(ids.is_sorted());
        assert_eq!(ids[0], Mint::new().id("00u"));
    }
}
