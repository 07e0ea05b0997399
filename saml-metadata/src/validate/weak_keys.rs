//! Detects weak RSA keys by the ROCA fingerprint.

/// The primes of the ROCA fingerprint. The primes that rule out most moduli come first.
///
/// Modulo the other small primes, every number is a power of 65537.
const PRIMES: [u32; 17] = [
    FIRST, 37, 79, 11, 61, 73, 127, 151, 13, 17, 19, 53, 71, 103, 107, 109, 157,
];

/// The first prime, which rules out 15 of 16 moduli.
const FIRST: u32 = 97;

/// Returns whether a modulus has the fingerprint of Infineon's generator (CVE-2017-15361).
///
/// The generator made primes of the form k·M + (65537^a mod M) for a product M of small primes,
/// so the modulus is a power of 65537 modulo each of them (Nemec and others, "The Return of
/// Coppersmith's Attack", 2017). About one in 2^28 random moduli has the fingerprint too.
pub(super) fn is_roca(modulus: &[u8]) -> bool {
    !modulus.is_empty()
        && is_power_of_65537(remainder_of_first(modulus), FIRST)
        && PRIMES[1..]
            .iter()
            .all(|prime| is_power_of_65537(remainder(modulus, *prime), *prime))
}

/// Returns the remainder of a division by [`FIRST`].
///
/// 2^48 - 1 is a multiple of 97, so a number and the sum of its digits of 48 bits have the same
/// remainder. Sums are much faster than divisions.
fn remainder_of_first(big_endian: &[u8]) -> u32 {
    let digit = |bytes: &[u8]| bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
    let sum: u128 = big_endian.rchunks(6).map(digit).map(u128::from).sum();
    u32::try_from(sum % u128::from(FIRST)).expect("a remainder is smaller than its divisor")
}

fn remainder(big_endian: &[u8], divisor: u32) -> u32 {
    // Takes four bytes at a time, because a division is slow. The first group may be shorter.
    let (head, words) = big_endian.as_rchunks::<4>();
    let divisor = u64::from(divisor);
    let head = head
        .iter()
        .fold(0, |rest, byte| (rest * 256 + u64::from(*byte)) % divisor);
    let rest = words.iter().fold(head, |rest, word| {
        ((rest << 32) + u64::from(u32::from_be_bytes(*word))) % divisor
    });
    u32::try_from(rest).expect("a remainder is smaller than its divisor")
}

fn is_power_of_65537(residue: u32, prime: u32) -> bool {
    let base = 65_537 % prime;
    let mut power = 1;
    loop {
        if power == residue {
            return true;
        }
        power = power * base % prime;
        if power == 1 {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_65537_have_the_fingerprint() {
        // 65537, and 65537 squared.
        assert!(is_roca(&[1, 0, 1]));
        assert!(is_roca(&[1, 0, 2, 0, 1]));
    }

    #[test]
    fn the_remainder_is_right_for_numbers_of_every_length() {
        let bytes: Vec<u8> = (1..=15).collect();
        for length in 0..=bytes.len() {
            let bytes = &bytes[..length];
            let number = bytes.iter().fold(0u128, |n, b| n * 256 + u128::from(*b));
            for prime in PRIMES {
                assert_eq!(
                    u128::from(remainder(bytes, prime)),
                    number % u128::from(prime)
                );
            }
            assert_eq!(remainder_of_first(bytes), remainder(bytes, FIRST));
        }
    }

    #[test]
    fn other_numbers_do_not_have_the_fingerprint() {
        assert!(!is_roca(&[]));
        assert!(!is_roca(&[1, 0, 3]));
        assert!(!is_roca(&[0xc5; 256]));
    }
}
