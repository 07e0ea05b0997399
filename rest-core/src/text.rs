//! Texts of services, for messages.

/// Returns a text of a service as one line of at most 500 characters, without control characters.
///
/// The services' own messages have fewer than 300 characters. A text that reaches a terminal or a
/// log must not start a new line there, nor control the terminal.
#[must_use]
pub fn to_single_line(text: &str) -> String {
    text.split(|found: char| found.is_whitespace() || found.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(MAX_CHARACTERS)
        .collect()
}

const MAX_CHARACTERS: usize = 500;

#[cfg(test)]
mod tests {
    use super::to_single_line;

    #[test]
    fn a_text_of_a_service_becomes_one_line_of_limited_length() {
        assert_eq!(to_single_line("a\r\n\u{1b}[31m  b\t"), "a [31m b");
        assert_eq!(to_single_line(&"é".repeat(600)).chars().count(), 500);
    }
}
