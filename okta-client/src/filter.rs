//! The filter expressions that this client generates.

/// Returns the expression `attribute eq "value"`.
///
/// Quotes and backslashes are escaped as in JSON: Okta's filters follow SCIM filters, whose strings
/// are JSON strings (RFC 7644, 3.4.2.2).
pub(crate) fn eq(attribute: &str, value: &str) -> String {
    format!("{attribute} eq {}", serde_json::Value::from(value))
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
