//! Base64 with white space, as in XML, and in lines, as in PEM. The crate `base64` uses the vector
//! instructions that the processor has.

use std::sync::LazyLock;

use base64::{DecodeError, Engine as _, engine::general_purpose::PAD};

use crate::reader::chars::{collapse, is_space};

#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon")
))]
static ENGINE: LazyLock<base64::engine::Simd> =
    LazyLock::new(|| base64::engine::Simd::standard(PAD));

#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon")
)))]
static ENGINE: LazyLock<base64::engine::GeneralPurpose> =
    LazyLock::new(|| base64::engine::GeneralPurpose::new(&base64::alphabet::STANDARD, PAD));

/// Decodes base64 that may have white space anywhere.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, DecodeError> {
    // Usually only lines have white space around them, and the search for line ends checks many
    // bytes at once.
    let mut compact = Vec::with_capacity(text.len());
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]) {
        compact.extend_from_slice(collapse(&text[start..end]).as_bytes());
        start = end + 1;
    }
    ENGINE.decode(&compact).or_else(|error| {
        let before = compact.len();
        compact.retain(|byte| !is_space(*byte));
        if compact.len() == before {
            return Err(error);
        }
        ENGINE.decode(&compact)
    })
}

/// Encodes bytes without line ends.
pub(crate) fn encode(bytes: &[u8]) -> String {
    ENGINE.encode(bytes)
}

/// Encodes bytes in lines, without a line end after the last line.
pub(crate) fn encode_lines(bytes: &[u8], width: usize) -> String {
    let text = encode(bytes);
    let mut lines = String::with_capacity(text.len() + text.len() / width);
    let mut rest = text.as_str();
    while rest.len() > width {
        let (line, after) = rest.split_at(width);
        lines.push_str(line);
        lines.push('\n');
        rest = after;
    }
    lines + rest
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, encode_lines};

    #[test]
    fn white_space_anywhere_does_not_change_the_bytes() {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(1000).collect();
        let text = encode(&bytes);
        for space in [" ", "\n", "\r\n", "\t", " \t\n "] {
            for width in [1, 3, 64, 76] {
                let spaced = encode_lines(&bytes, width).replace('\n', space);
                assert_eq!(decode(&spaced), Ok(bytes.clone()), "{space:?} {width}");
            }
        }
        assert_eq!(decode(&text), Ok(bytes));
        assert!(decode(&text[1..]).is_err());
    }

    #[test]
    fn text_that_is_not_base64_is_refused() {
        let valid = encode(&[7; 300]);
        for at in [0, 70, 200, 396] {
            for wrong in ["-", "\u{e9}", "\u{200b}", "\0", "="] {
                let mut text = valid.clone();
                text.replace_range(at..=at, wrong);
                assert!(decode(&text).is_err(), "{at} {wrong:?}");
            }
        }
        // Padding that is missing, and bits after the last byte.
        for text in ["QQ", "QQ=", "QR=="] {
            assert!(decode(text).is_err(), "{text}");
        }
        assert_eq!(decode("QQ=="), Ok(b"A".to_vec()));
    }
}
