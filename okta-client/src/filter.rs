//! Okta's filter expressions, as far as this client writes them itself.

/// Returns the expression `attribute eq "value"`.
///
/// Quotes and backslashes are escaped as in JSON, which SCIM filters, the model of Okta's, take
/// their strings from (RFC 7644, 3.4.2.2).
pub(crate) fn eq(attribute: &str, value: &str) -> String {
    format!("{attribute} eq {}", serde_json::Value::from(value))
}

#[cfg(test)]
mod tests {
    use super::eq;

    #[test]
    fn a_value_cannot_end_its_quotes() {
        assert_eq!(eq("name", "amazon_aws_sso"), r#"name eq "amazon_aws_sso""#);
        assert_eq!(eq("name", r#"a" or "\"#), r#"name eq "a\" or \"\\""#);
    }
}
