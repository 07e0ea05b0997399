//! Typed, validated ids of Okta's resources.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    str::FromStr,
};

use serde::{Deserialize, Serialize};

/// The id of a `T`, such as `Id<Group>`. Ids of different resources have different types.
///
/// An id is never empty and contains only ASCII letters, digits, `-` and `_`, so it cannot change
/// the path of a URL.
///
/// ```
/// use okta_client::{App, Id};
///
/// let id = Id::<App>::parse("0oa1gjh63g214q0Hq0g4")?;
/// assert_eq!(id.to_string(), "0oa1gjh63g214q0Hq0g4");
/// assert!(Id::<App>::parse("..").is_err());
/// # Ok::<(), okta_client::ParseIdError>(())
/// ```
#[derive(Serialize, Deserialize)]
#[serde(into = "String", try_from = "String", bound = "")]
pub struct Id<T> {
    text: String,
    of: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// Parses an id.
    ///
    /// # Errors
    ///
    /// Fails if `text` is empty, is longer than 128 bytes, or contains a character that is not
    /// allowed in an id.
    pub fn parse(text: impl Into<String>) -> Result<Self, ParseIdError> {
        let text = text.into();
        let problem = if text.is_empty() {
            Problem::Empty
        } else if text.len() > MAX_LEN {
            Problem::TooLong
        } else if let Some(character) = text
            .chars()
            .find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'))
        {
            Problem::Character(character)
        } else {
            return Ok(Self {
                text,
                of: PhantomData,
            });
        };
        Err(ParseIdError { problem })
    }

    /// Returns the id as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

// These traits are implemented by hand, because derived implementations would
// require the same traits of `T`.

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        Self {
            text: self.text.clone(),
            of: PhantomData,
        }
    }
}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({:?})", self.text)
    }
}

impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<T> FromStr for Id<T> {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl<T> TryFrom<String> for Id<T> {
    type Error = ParseIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(text)
    }
}

impl<T> From<Id<T>> for String {
    fn from(id: Id<T>) -> Self {
        id.text
    }
}

/// The error of [`Id::parse`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseIdError {
    problem: Problem,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problem {
            Problem::Empty => f.write_str("an Okta id cannot be empty"),
            Problem::TooLong => write!(f, "an Okta id has at most {MAX_LEN} characters"),
            Problem::Character(character) => {
                write!(f, "an Okta id cannot contain the character {character:?}")
            }
        }
    }
}

impl std::error::Error for ParseIdError {}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Problem {
    Empty,
    TooLong,
    Character(char),
}

// Okta's ids have 20 characters, and key ids have 43.
const MAX_LEN: usize = 128;

#[cfg(test)]
mod tests {
    use super::Id;
    use crate::{App, Group};

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        assert_eq!(
            Id::<App>::parse(text).expect_err("an error").to_string(),
            expected
        );
        let json = serde_json::to_string(text).expect("a string");
        assert!(
            serde_json::from_str::<Id<App>>(&json).is_err(),
            "{text} is deserialized as an id"
        );
    }

    #[test]
    fn a_string_that_could_change_the_path_of_a_url_is_not_an_id() {
        check_error("", "an Okta id cannot be empty");
        check_error(".", "an Okta id cannot contain the character '.'");
        check_error("..", "an Okta id cannot contain the character '.'");
        check_error("0oa/..", "an Okta id cannot contain the character '/'");
        check_error("0oa?x", "an Okta id cannot contain the character '?'");
        check_error("0oa%2e", "an Okta id cannot contain the character '%'");
        check_error("0oa\n", "an Okta id cannot contain the character '\\n'");
        check_error("0oä", "an Okta id cannot contain the character 'ä'");
        check_error(&"a".repeat(129), "an Okta id has at most 128 characters");
    }

    #[test]
    fn an_id_is_serialized_as_a_string() {
        let id: Id<Group> = serde_json::from_str("\"00g_-1\"").expect("an id");
        assert_eq!(id.as_str(), "00g_-1");
        assert_eq!(serde_json::to_string(&id).expect("JSON"), "\"00g_-1\"");
        assert_eq!(format!("{id:?} {id}"), "Id(\"00g_-1\") 00g_-1");
    }
}
