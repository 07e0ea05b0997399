//! Splits a text into tokens: tags, text, comments and so on.

use quick_xml::{
    Reader as Tokenizer,
    events::Event,
    parser::{ElementParser, Parser as _},
};

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Start,
    Empty,
    End,
    Text,
    Reference,
    CData,
    Comment,
    Instruction,
    Declaration,
    Doctype,
}

impl Token {
    /// Returns the kind of an event; `None` at the end of the text.
    fn from_event(event: &Event<'_>) -> Option<Self> {
        Some(match event {
            Event::Start(_) => Self::Start,
            Event::Empty(_) => Self::Empty,
            Event::End(_) => Self::End,
            Event::Text(_) => Self::Text,
            Event::GeneralRef(_) => Self::Reference,
            Event::CData(_) => Self::CData,
            Event::Comment(_) => Self::Comment,
            Event::PI(_) => Self::Instruction,
            Event::Decl(_) => Self::Declaration,
            Event::DocType(_) => Self::Doctype,
            Event::Eof => return None,
        })
    }
}

/// The reason why there is no token.
#[derive(Debug)]
pub(crate) enum NoToken {
    /// There is no text left.
    End,
    /// The token is longer than the available text.
    Incomplete,
    /// The tokenizer has read the text up to `end` and reports an error at `at`.
    Malformed {
        error: quick_xml::Error,
        end: usize,
        at: usize,
    },
}

/// Returns the first token of a text, and its length.
///
/// If `is_last` is false, more text may follow. The function does not check names, comments and
/// matching end tags.
pub(crate) fn next_token(text: &str, is_last: bool) -> Result<(Token, usize), NoToken> {
    match fast_token(text.as_bytes()) {
        Some(found) => Ok(found),
        None => full_token(text, is_last),
    }
}

/// Returns the first token of a text if it is a complete tag or text, otherwise `None`.
///
/// This is the fast path for most tokens: the full tokenizer would read them two more times.
fn fast_token(text: &[u8]) -> Option<(Token, usize)> {
    let second = match *text {
        [b'<', second, ..] => second,
        [b'&' | b'<', ..] => return None,
        _ => return Some((Token::Text, memchr::memchr2(b'<', b'&', text)?)),
    };
    if matches!(second, b'!' | b'?') {
        return None;
    }
    let length = ElementParser::default().feed(text)? + 1;
    let token = match second {
        b'/' => Token::End,
        _ if text[..length].ends_with(b"/>") => Token::Empty,
        _ => Token::Start,
    };
    Some((token, length))
}

/// Returns the first token of a text, of any kind.
fn full_token(text: &str, is_last: bool) -> Result<(Token, usize), NoToken> {
    if !text.is_empty() && !text.starts_with(['<', '&']) {
        // The text token extends to the end of the text. The tokenizer would drop a byte order mark
        // at the start.
        return if is_last {
            Ok((Token::Text, text.len()))
        } else {
            Err(NoToken::Incomplete)
        };
    }
    let mut tokens = Tokenizer::from_str(text);
    let config = tokens.config_mut();
    // The reader checks comments itself, with its own messages. It also matches end tags: this
    // tokenizer has not seen the start tags.
    config.check_comments = false;
    config.allow_unmatched_ends = true;
    let event = tokens.read_event();
    let end = offset(tokens.buffer_position());
    match event.map(|event| Token::from_event(&event)) {
        Ok(Some(token)) => Ok((token, end)),
        Ok(None) if is_last => Err(NoToken::End),
        Ok(None) => Err(NoToken::Incomplete),
        // A token that extends to the end of the text may be valid with more text. The tokenizer
        // does not advance over `<` or `<!` alone.
        Err(_) if !is_last && (end == text.len() || matches!(text, "<" | "<!")) => {
            Err(NoToken::Incomplete)
        }
        Err(error) => Err(NoToken::Malformed {
            error,
            end,
            at: offset(tokens.error_position()),
        }),
    }
}

/// Converts a position of the tokenizer into an offset.
fn offset(position: u64) -> usize {
    usize::try_from(position).expect("the text is in memory, so its offsets fit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_path_returns_the_same_token_as_the_tokenizer() {
        let tokens = [
            "<a>",
            "<a/>",
            "</a>",
            "</a >",
            "<>",
            "</>",
            "<a b='>'/>",
            "<a b=\">\">",
            "</a b='>'>",
            "</a/>",
            "<a b='\"'>",
            "text",
            " ",
            "\u{feff}",
            "a > b",
            "'\"",
        ];
        for token in tokens {
            for next in ["<b>", "&amp;", "</b>", "<!-- -->"] {
                let text = format!("{token}{next}");
                // The tokenizer would drop a byte order mark at the start.
                let whole = format!("<x>{text}");
                let mut tokenizer = Tokenizer::from_str(&whole);
                tokenizer.config_mut().check_end_names = false;
                tokenizer.read_event().expect("a tag");
                let event = tokenizer.read_event().expect("a token");
                let end = offset(tokenizer.buffer_position()) - "<x>".len();
                let expected = Token::from_event(&event).map(|token| (token, end));
                assert_eq!(fast_token(text.as_bytes()), expected, "{text}");
            }
        }
    }

    #[test]
    fn an_unfinished_token_is_incomplete_unless_the_text_is_the_last() {
        for text in [
            "<",
            "<a",
            "<a b='>",
            "</",
            "<!",
            "<!-",
            "<!-- -",
            "<![CDATA[ ]]",
            "&",
            "&a",
            "a",
        ] {
            let found = next_token(text, false);
            assert!(
                matches!(found, Err(NoToken::Incomplete)),
                "{text}: {found:?}"
            );
            let found = next_token(text, true);
            assert!(
                !matches!(found, Err(NoToken::Incomplete)),
                "{text}: {found:?}"
            );
        }
        assert!(matches!(next_token("", true), Err(NoToken::End)));
        // More text cannot make this token valid.
        let text = "<!x this is neither a comment nor a section>";
        assert!(matches!(
            next_token(text, false),
            Err(NoToken::Malformed { at: 0, .. })
        ));
    }
}
