//! The terminal: width, colors, and settings that must be restored.

use std::{
    io::{self, IsTerminal as _, Write as _},
    thread,
};

use textwrap::{Options, WordSeparator, WordSplitter};
use tokio::sync::oneshot;

use crate::Failure;

/// Prints a text to standard output. Colors are left out in a pipe and with `NO_COLOR`.
pub(crate) fn print(text: &str) {
    // A reader that closes the pipe early is not an error.
    let _closed = writeln!(anstream::stdout(), "{}", fitted(text));
}

/// Prints a text to standard error.
pub(crate) fn note(text: &str) {
    let _closed = writeln!(anstream::stderr(), "{text}");
}

/// Returns the width of the terminal at standard output, or `None` in a pipe.
pub(crate) fn width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let (width, _) = terminal_size::terminal_size()?;
    Some(usize::from(width.0)).filter(|width| *width > 0)
}

/// Breaks the lines of a text between words, so that they fit into the terminal. Later lines of a paragraph are indented.
pub(crate) fn fitted(text: &str) -> String {
    width().map_or_else(|| text.to_owned(), |width| wrapped(text, width))
}

fn wrapped(text: &str, width: usize) -> String {
    let lines = text.split('\n').map(|line| {
        let indent = line.len() - line.trim_start().len();
        let hanging = " ".repeat((indent + 4).min(width / 2));
        let options = Options::new(width)
            .subsequent_indent(&hanging)
            .break_words(false)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation);
        textwrap::fill(line, options)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Asks the operator whether a plan may be applied.
pub(crate) async fn confirm() -> Result<bool, Failure> {
    #[expect(clippy::disallowed_methods, reason = "nothing is read")]
    if !io::stdin().is_terminal() {
        return Err(Failure::input(
            "the plan needs a confirmation, and standard input is not a terminal",
            "pass --yes to apply the plan, or --plan-only to show it",
        ));
    }
    let _closed = write!(io::stderr(), "\nEnter `yes` to apply this plan: ");
    let (sender, answer) = oneshot::channel();
    // A read from a terminal cannot be cancelled, and a thread of the runtime would keep the program from ending at Ctrl-C.
    #[expect(clippy::disallowed_methods, reason = "a thread of its own reads")]
    thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line);
        let _is_dropped = sender.send(read.map(|_| line));
    });
    let read = answer.await.map_err(io::Error::other).flatten();
    let line = read.map_err(|error| Failure::input(error.to_string(), "pass --yes"))?;
    Ok(line.trim() == "yes")
}

/// The settings of the terminal at standard input. A prompt for a secret turns the echo off.
pub(crate) struct Settings(#[cfg(unix)] Option<rustix::termios::Termios>);

impl Settings {
    /// Reads the settings.
    #[expect(clippy::disallowed_methods, reason = "nothing is read")]
    pub(crate) fn read() -> Self {
        #[cfg(unix)]
        return Self(rustix::termios::tcgetattr(io::stdin()).ok());
        #[cfg(not(unix))]
        Self()
    }

    /// Restores the settings.
    #[expect(clippy::disallowed_methods, reason = "nothing is read")]
    pub(crate) fn restore(&self) {
        #[cfg(unix)]
        if let Some(settings) = &self.0 {
            use rustix::termios::{OptionalActions, tcsetattr};
            let _no_terminal = tcsetattr(io::stdin(), OptionalActions::Now, settings);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn lines_break_between_words_only() {
        let text =
            "     + membership of ada.lovelace@example.com in group aws-platform-admins\n  x";
        let narrow = wrapped(text, 40);
        assert_eq!(
            narrow,
            "     + membership of\n         ada.lovelace@example.com in\n         group aws-platform-admins\n  x"
        );
        assert_eq!(wrapped(text, 200), text);
    }

    #[test]
    fn a_word_that_is_wider_than_the_terminal_stays_whole() {
        let url = "https://d-1234567890.awsapps.com/start";
        assert!(wrapped(&format!("Sign in at {url}"), 20).contains(url));
    }
}
