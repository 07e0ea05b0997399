//! An operator at a terminal, asked line by line.

use std::{
    fmt,
    io::{self, BufRead, Write},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        mpsc::{self, RecvTimeoutError},
    },
    time::Duration,
};

use futures::{channel::oneshot, future::BoxFuture};
use rest_core::Secret;

use super::{Answers, Ask, AskKind, ManualStep, Operator, OperatorError};

/// An operator at a terminal: shows the manual step, reads each answer, and asks again after a wrong answer.
///
/// The operator enters a file as a path. A file to upload is written to the configured folder. A secret is read with
/// the function of [`TerminalOperator::secrets`], which should turn the echo off.
#[derive(Clone)]
pub struct TerminalOperator {
    terminal: Arc<Mutex<Terminal>>,
    folder: PathBuf,
}

type ReadSecret = dyn FnMut(&str) -> io::Result<String> + Send;

struct Terminal {
    input: LineReader,
    output: Box<dyn Write + Send>,
    secrets: Option<Box<ReadSecret>>,
}

impl TerminalOperator {
    /// Creates an operator with `output` as the screen and `input` as the keyboard. Files to upload are written to
    /// `folder`.
    pub fn new(
        input: impl BufRead + Send + 'static,
        output: impl Write + Send + 'static,
        folder: impl Into<PathBuf>,
    ) -> Self {
        let terminal = Terminal {
            input: LineReader::new(input),
            output: Box::new(output),
            secrets: None,
        };
        Self {
            terminal: Arc::new(Mutex::new(terminal)),
            folder: folder.into(),
        }
    }

    /// Sets the function that reads secrets. Its argument is the prompt.
    ///
    /// # Panics
    ///
    /// Panics if another thread panicked while it used the terminal.
    #[must_use]
    pub fn secrets(self, read: impl FnMut(&str) -> io::Result<String> + Send + 'static) -> Self {
        self.terminal
            .lock()
            .expect("no code panics while it holds the terminal")
            .secrets = Some(Box::new(read));
        self
    }
}

impl Operator for TerminalOperator {
    fn ask<'a>(
        &'a self,
        manual_step: &'a ManualStep,
    ) -> BoxFuture<'a, Result<Answers, OperatorError>> {
        let (terminal, folder, manual_step) = (
            self.terminal.clone(),
            self.folder.clone(),
            manual_step.clone(),
        );
        Box::pin(async move {
            // An answer can take minutes, and the program may end before it. A thread of the runtime would keep the runtime
            // from ending, so the question has a thread of its own, which ends when nothing waits for the answers any more.
            let (sender, answers) = oneshot::channel();
            std::thread::spawn(move || {
                let mut terminal = terminal
                    .lock()
                    .expect("no code panics while it holds the terminal");
                let talked = terminal.talk(&manual_step, &folder, &|| sender.is_canceled());
                let _is_dropped = sender.send(talked);
            });
            answers
                .await
                .unwrap_or_else(|error| Err(OperatorError::Declined(error.to_string())))
        })
    }

    fn may_ask_again(&self) -> bool {
        true
    }
}

impl Terminal {
    #[expect(
        clippy::disallowed_methods,
        reason = "a thread of its own calls this function"
    )]
    fn talk(
        &mut self,
        manual_step: &ManualStep,
        folder: &std::path::Path,
        is_dropped: &dyn Fn() -> bool,
    ) -> Result<Answers, OperatorError> {
        writeln!(self.output, "\n{manual_step}")?;
        if let Some(file) = &manual_step.file {
            std::fs::create_dir_all(folder)?;
            let path = folder.join(&file.name);
            std::fs::write(&path, &file.bytes)?;
            writeln!(
                self.output,
                "  {} is saved as {}",
                file.name,
                path.display()
            )?;
        }
        let mut answers = Answers::default();
        for ask in &manual_step.asks {
            answers = self.answer(ask, answers, is_dropped)?;
        }
        if manual_step.asks.is_empty() {
            let prompt = "Press Enter when it is done, or enter the reason why it cannot be done";
            let line = self.line(prompt, is_dropped)?;
            if !line.is_empty() {
                return Err(OperatorError::Declined(line));
            }
        }
        Ok(answers)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a thread of its own calls this function"
    )]
    fn answer(
        &mut self,
        ask: &Ask,
        answers: Answers,
        is_dropped: &dyn Fn() -> bool,
    ) -> Result<Answers, OperatorError> {
        loop {
            let line = match (ask.kind, &mut self.secrets) {
                (AskKind::Secret, Some(read)) => read(&ask.prompt)?,
                _ => self.line(&ask.prompt, is_dropped)?,
            };
            match (ask.kind, line.trim()) {
                (_, "") if ask.optional => return Ok(answers),
                (_, "") => writeln!(self.output, "  an answer is required")?,
                (AskKind::Text, text) => return Ok(answers.text(ask.key, text)),
                (AskKind::Secret, text) => return Ok(answers.secret(ask.key, Secret::new(text))),
                (AskKind::File, path) => match std::fs::read(path) {
                    Ok(bytes) => return Ok(answers.file(ask.key, bytes)),
                    Err(error) => writeln!(self.output, "  {path} cannot be read: {error}")?,
                },
            }
        }
    }

    fn line(
        &mut self,
        prompt: &str,
        is_dropped: &dyn Fn() -> bool,
    ) -> Result<String, OperatorError> {
        write!(self.output, "{prompt}: ")?;
        self.output.flush()?;
        self.input.line(is_dropped)
    }
}

/// Reads lines in a thread of its own.
///
/// A read from a terminal cannot be cancelled. If the question is dropped, the read goes on, and the next question gets its
/// line.
struct LineReader {
    requests: mpsc::Sender<()>,
    lines: mpsc::Receiver<io::Result<String>>,
    is_reading: bool,
    /// A line that arrived for a question that was dropped.
    unused: Option<String>,
}

impl LineReader {
    #[expect(
        clippy::disallowed_methods,
        reason = "the thread of the reader waits for requests"
    )]
    fn new(mut input: impl BufRead + Send + 'static) -> Self {
        let (requests, requested) = mpsc::channel();
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            while let Ok(()) = requested.recv() {
                let mut line = String::new();
                let read = input.read_line(&mut line).map(|_| line);
                if sender.send(read).is_err() {
                    break;
                }
            }
        });
        Self {
            requests,
            lines,
            is_reading: false,
            unused: None,
        }
    }

    /// Returns the next line without its end. Fails if the input has ended or the question is dropped.
    #[expect(
        clippy::disallowed_methods,
        reason = "a thread of its own calls this function"
    )]
    fn line(&mut self, is_dropped: &dyn Fn() -> bool) -> Result<String, OperatorError> {
        if let Some(line) = self.unused.take() {
            return Ok(line);
        }
        if !self.is_reading {
            let sent = self.requests.send(());
            sent.map_err(|_ended| OperatorError::Absent)?;
            self.is_reading = true;
        }
        loop {
            match self.lines.recv_timeout(POLL) {
                Ok(line) => {
                    self.is_reading = false;
                    let line = line?;
                    if line.is_empty() {
                        return Err(OperatorError::Absent);
                    }
                    let line = line.trim().to_owned();
                    if is_dropped() {
                        self.unused = Some(line);
                        return Err(OperatorError::Absent);
                    }
                    return Ok(line);
                }
                Err(RecvTimeoutError::Timeout) if !is_dropped() => {}
                Err(_) => return Err(OperatorError::Absent),
            }
        }
    }
}

/// The time after which a dropped question is noticed.
const POLL: Duration = Duration::from_millis(100);

impl fmt::Debug for TerminalOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TerminalOperator")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::ManualStepKind;

    #[tokio::test]
    async fn an_empty_answer_is_asked_again() {
        let manual_step = ManualStep::new(
            ManualStepKind::AccessPortal,
            "Read the address",
            "AWS console",
        )
        .instructions(["Open Settings"])
        .ask("url", AskKind::Text, "Address")
        .ask("token", AskKind::Secret, "Token");
        let operator =
            TerminalOperator::new(&b"\nhttps://a.example\nt0k3n\n"[..], io::sink(), "unused");
        let answers = operator.ask(&manual_step).await.expect("answers");
        assert_eq!(answers.get("url"), Some("https://a.example"));
        assert_eq!(
            answers.get_secret("token").map(Secret::expose),
            Some("t0k3n")
        );
        assert!(!format!("{answers:?}").contains("t0k3n"));
    }

    /// A keyboard: lines arrive when the test types them.
    struct Keyboard(mpsc::Receiver<String>, io::Cursor<Vec<u8>>);

    impl io::Read for Keyboard {
        #[expect(
            clippy::disallowed_methods,
            reason = "the thread of the reader calls this function"
        )]
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            let read = self.1.read(bytes)?;
            if read > 0 {
                return Ok(read);
            }
            let Ok(line) = self.0.recv() else {
                return Ok(0);
            };
            self.1 = io::Cursor::new(line.into_bytes());
            self.1.read(bytes)
        }
    }

    #[tokio::test]
    async fn a_dropped_question_does_not_block_the_next_one() {
        let (keys, keyboard) = mpsc::channel();
        let keyboard = io::BufReader::new(Keyboard(keyboard, io::Cursor::default()));
        let operator = TerminalOperator::new(keyboard, io::sink(), "unused");
        let manual_step = |key| {
            ManualStep::new(ManualStepKind::AccessPortal, "Read", "AWS console").ask(
                key,
                AskKind::Text,
                "Address",
            )
        };
        let (first, second) = (manual_step("first"), manual_step("second"));
        // Polled once and dropped, as a deadline does.
        assert!(futures::poll!(operator.ask(&first)).is_pending());
        keys.send("https://a.example\n".to_owned())
            .expect("a keyboard");
        let answers = operator.ask(&second).await.expect("answers");
        assert_eq!(answers.get("second"), Some("https://a.example"));
    }

    #[tokio::test]
    async fn a_closed_terminal_counts_as_no_operator() {
        let manual_step = ManualStep::new(ManualStepKind::SignIn, "Sign in", "browser");
        let operator = TerminalOperator::new(&b""[..], io::sink(), "unused");
        assert!(matches!(
            operator.ask(&manual_step).await,
            Err(OperatorError::Absent)
        ));
    }
}
