//! The program `okta-aws-sso`, and its commands as functions for other programs.
//!
//! Arguments, terminal and [exit status](Status) are in one place. [`main`] is the whole program; [`integrate::main`],
//! [`scim_sync::Arguments::run`], [`saml_metadata::main`], [`access_report::main`], [`drift::main`] and [`sandbox::main`] are the
//! programs of `examples/`.

pub mod access_report;
pub mod drift;
pub mod integrate;
pub mod saml_metadata;
pub mod sandbox;
pub mod scim_sync;

mod arguments;
mod environment;
mod failure;
#[cfg(feature = "lambda")]
mod lambda;
mod options;
mod output;
mod plan_view;
mod sandbox_access;
mod status;
mod terminal;
mod variables;

use std::{future::Future, io::IsTerminal as _, process::ExitCode};

use clap::Parser;

use arguments::{Arguments, command_line};
pub use failure::Failure;
pub use options::{Connection, GuardOptions, StateLocation};
pub use status::Status;

/// Runs the program with the arguments of this process.
///
/// With the feature `lambda`, a process that AWS Lambda has started without a command or with `sync` runs `sync` for each event.
pub async fn main() -> ExitCode {
    #[cfg(feature = "lambda")]
    if lambda::is_function() {
        start_log();
        return lambda::main().await;
    }
    let arguments = match command_line() {
        Ok(arguments) => arguments,
        Err(failure) => {
            terminal::note(&failure.explain());
            return Status::Usage.into();
        }
    };
    match start(Arguments::try_parse_from(arguments)) {
        Ok(arguments) => arguments.run().await.into(),
        Err(status) => status.into(),
    }
}

/// Reads the arguments of this process, runs `program` with them until Ctrl-C or SIGTERM, and returns its exit status.
pub(crate) async fn run<A: Parser, F>(program: impl FnOnce(A) -> F) -> ExitCode
where
    F: Future<Output = Status>,
{
    match start(A::try_parse()) {
        // A box, because the future is large.
        Ok(arguments) => until_stopped(Box::pin(program(arguments))).await.into(),
        Err(status) => status.into(),
    }
}

/// Starts the log, and returns the arguments of this process.
///
/// # Errors
///
/// Returns the exit status if the arguments are wrong or ask for the help; the text is printed.
pub(crate) fn start<A>(parsed: Result<A, clap::Error>) -> Result<A, Status> {
    let arguments = parsed.map_err(|error| {
        let _closed = error.print();
        if error.use_stderr() {
            Status::Usage
        } else {
            Status::Done
        }
    })?;
    start_log();
    Ok(arguments)
}

fn start_log() {
    // A second program in one process, as in a test, keeps the first subscriber.
    let _installed = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}

/// Runs `program`; Ctrl-C and SIGTERM end it with status 130 and leave the terminal as it was.
///
/// It must not run a program that waits for a signal itself: which of two waiting futures gets the signal first is not
/// determined.
pub(crate) async fn until_stopped(program: impl Future<Output = Status>) -> Status {
    let before = terminal::Settings::read();
    tokio::select! {
        status = program => status,
        () = stop_signal() => {
            before.restore();
            terminal::note("\ninterrupted; the next run continues here");
            Status::Interrupted
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
///
/// The kernel ignores a signal without a handler in the first process of a container.
pub(crate) async fn stop_signal() {
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => signals.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}
