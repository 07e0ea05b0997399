//! Where tags, texts, comments and so on begin and end.

use quick_xml::{
    Reader as Tokenizer,
    events::Event,
    parser::{ElementParser, Parser as _},
};

/// What the tokenizer tells apart.
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
    fn of(event: &Event<'_>) -> Option<Self> {
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

/// Why there is no token.
#[derive(Debug)]
pub(crate) enum NoToken {
    /// There is no text left.
    End,
    /// The token goes on behind the text that is there.
    Part,
    /// The tokenizer has taken the text up to `end`, and refuses what is at `at`.
    Wrong {
        error: quick_xml::Error,
        end: usize,
        at: usize,
    },
}

/// Returns the token that a text begins with, and its length.
///
/// Where `is_last` is not set, more text may follow. Names, comments and what end tags end are not
/// looked at.
pub(crate) fn next_token(text: &str, is_last: bool) -> Result<(Token, usize), NoToken> {
    match usual_token(text.as_bytes()) {
        Some(found) => Ok(found),
        None => odd_token(text, is_last),
    }
}

/// Returns the tag or text that a text begins with; `None` if it begins with something else, or
/// does not have the end of it.
///
/// Most tokens are such, and the whole tokenizer would go over them twice more.
fn usual_token(text: &[u8]) -> Option<(Token, usize)> {
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

/// Returns the token that a text begins with, of whatever kind.
fn odd_token(text: &str, is_last: bool) -> Result<(Token, usize), NoToken> {
    if !text.is_empty() && !text.starts_with(['<', '&']) {
        // Text up to the end. The tokenizer would drop a byte order mark at its beginning.
        return if is_last {
            Ok((Token::Text, text.len()))
        } else {
            Err(NoToken::Part)
        };
    }
    let mut tokens = Tokenizer::from_str(text);
    let config = tokens.config_mut();
    // The reader checks comments in its words, and compares end tags with start tags, which this
    // tokenizer has not seen.
    config.check_comments = false;
    config.allow_unmatched_ends = true;
    let event = tokens.read_event();
    let end = place(tokens.buffer_position());
    match event.map(|event| Token::of(&event)) {
        Ok(Some(token)) => Ok((token, end)),
        Ok(None) if is_last => Err(NoToken::End),
        Ok(None) => Err(NoToken::Part),
        // What ends with the text may be fine once more of it is there; so little is not taken.
        Err(_) if !is_last && (end == text.len() || matches!(text, "<" | "<!")) => {
            Err(NoToken::Part)
        }
        Err(error) => Err(NoToken::Wrong {
            error,
            end,
            at: place(tokens.error_position()),
        }),
    }
}

/// Turns a tokenizer's position into one of the text, which is in memory and thus fits.
fn place(position: u64) -> usize {
    usize::try_from(position).expect("a place in a text in memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_look_at_a_token_sees_what_the_tokenizer_sees() {
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
            for behind in ["<b>", "&amp;", "</b>", "<!-- -->"] {
                let text = format!("{token}{behind}");
                // A mark in front would be dropped.
                let whole = format!("<x>{text}");
                let mut tokenizer = Tokenizer::from_str(&whole);
                tokenizer.config_mut().check_end_names = false;
                tokenizer.read_event().expect("a tag");
                let event = tokenizer.read_event().expect("a token");
                let end = place(tokenizer.buffer_position()) - "<x>".len();
                let expected = Token::of(&event).map(|token| (token, end));
                assert_eq!(usual_token(text.as_bytes()), expected, "{text}");
            }
        }
    }

    #[test]
    fn a_token_without_its_end_is_a_part_until_nothing_follows() {
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
            assert!(matches!(found, Err(NoToken::Part)), "{text}: {found:?}");
            let found = next_token(text, true);
            assert!(!matches!(found, Err(NoToken::Part)), "{text}: {found:?}");
        }
        assert!(matches!(next_token("", true), Err(NoToken::End)));
        // What is wrong whatever follows is so at once.
        let text = "<!x this is neither a comment nor a section>";
        assert!(matches!(
            next_token(text, false),
            Err(NoToken::Wrong { at: 0, .. })
        ));
    }
}
