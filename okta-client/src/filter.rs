//! The filter expressions that this client generates, and the order of lists.

/// Returns the expression `attribute eq "value"`.
///
/// Quotes and backslashes are escaped as in JSON: Okta's filters follow SCIM filters, whose strings
/// are JSON strings (RFC 7644, 3.4.2.2).
pub(crate) fn eq(attribute: &str, value: &str) -> String {
    format!("{attribute} eq {}", serde_json::Value::from(value))
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortOrder {
    /// The smallest or oldest first.
    Ascending,
    /// The largest or newest first.
    Descending,
}

impl SortOrder {
    /// Returns the value of users and groups.
    pub(crate) fn short(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }

    /// Returns the value of the System Log.
    pub(crate) fn long(self) -> &'static str {
        match self {
            Self::Ascending => "ASCENDING",
            Self::Descending => "DESCENDING",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::eq;

    #[test]
    fn quotes_in_a_value_are_escaped() {
        assert_eq!(eq("name", "amazon_aws_sso"), r#"name eq "amazon_aws_sso""#);
        assert_eq!(eq("name", r#"a" or "\"#), r#"name eq "a\" or \"\\""#);
    }
}
