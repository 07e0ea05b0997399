//! Secrets that stay out of logs and debug output.

use std::fmt;

use serde::{Deserialize, Deserializer};
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
}

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
    fn a_secret_is_deserialized_from_a_string() {
        let secret: Secret = serde_json::from_str("\"hunter2\"").expect("a string");
        assert_eq!(secret.expose(), "hunter2");
    }
}
