//! An operator at a terminal, asked line by line.

use std::{
    fmt,
    io::{self, BufRead, Write},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use futures::future::BoxFuture;
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
    input: Box<dyn BufRead + Send>,
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
            input: Box::new(input),
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
            // An answer can take minutes, so it must not block a thread of the runtime.
            let talk = move || {
                terminal
                    .lock()
                    .expect("no code panics while it holds the terminal")
                    .talk(&manual_step, &folder)
            };
            tokio::task::spawn_blocking(talk)
                .await
                .unwrap_or_else(|error| Err(OperatorError::Declined(error.to_string())))
        })
    }

    fn may_ask_again(&self) -> bool {
        true
    }
}

impl Terminal {
    fn talk(
        &mut self,
        manual_step: &ManualStep,
        folder: &std::path::Path,
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
            answers = self.answer(ask, answers)?;
        }
        if manual_step.asks.is_empty() {
            self.line("Press Enter when it is done, or enter the reason why it cannot be done")
                .and_then(|line| {
                    if line.is_empty() {
                        Ok(())
                    } else {
                        Err(OperatorError::Declined(line))
                    }
                })?;
        }
        Ok(answers)
    }

    fn answer(&mut self, ask: &Ask, answers: Answers) -> Result<Answers, OperatorError> {
        loop {
            let line = match (ask.kind, &mut self.secrets) {
                (AskKind::Secret, Some(read)) => read(&ask.prompt)?,
                _ => self.line(&ask.prompt)?,
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

    fn line(&mut self, prompt: &str) -> Result<String, OperatorError> {
        write!(self.output, "{prompt}: ")?;
        self.output.flush()?;
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            return Err(OperatorError::Absent);
        }
        Ok(line.trim().to_owned())
    }
}

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
