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
mod options;
mod output;
mod plan_view;
mod sandbox_access;
mod status;
mod terminal;

use std::{future::Future, process::ExitCode};

use clap::Parser;

use arguments::Arguments;
pub use failure::Failure;
pub use options::{Connection, GuardOptions};
pub use status::Status;

/// Runs the program with the arguments of this process.
pub async fn main() -> ExitCode {
    match start::<Arguments>() {
        Ok(arguments) => arguments.run().await.into(),
        Err(status) => status.into(),
    }
}

/// Reads the arguments of this process, runs `program` with them until Ctrl-C, and returns its exit status.
pub(crate) async fn run<A: Parser, F>(program: impl FnOnce(A) -> F) -> ExitCode
where
    F: Future<Output = Status>,
{
    match start() {
        // A box, because the future is large.
        Ok(arguments) => until_ctrl_c(Box::pin(program(arguments))).await.into(),
        Err(status) => status.into(),
    }
}

/// Reads the arguments of this process, and starts the log.
///
/// # Errors
///
/// Returns the exit status if the arguments are wrong or ask for the help; the text is printed.
pub(crate) fn start<A: Parser>() -> Result<A, Status> {
    let arguments = A::try_parse().map_err(|error| {
        let _closed = error.print();
        if error.use_stderr() {
            Status::Usage
        } else {
            Status::Done
        }
    })?;
    // A second program in one process, as in a test, keeps the first subscriber.
    let _installed = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .try_init();
    Ok(arguments)
}

/// Runs `program`; Ctrl-C ends it with status 130 and leaves the terminal as it was.
///
/// It must not run a program that waits for Ctrl-C itself: which of two waiting futures gets the signal first is not
/// determined.
pub(crate) async fn until_ctrl_c(program: impl Future<Output = Status>) -> Status {
    let before = terminal::Settings::read();
    tokio::select! {
        status = program => status,
        _ = tokio::signal::ctrl_c() => {
            before.restore();
            terminal::note("\ninterrupted; the next run continues here");
            Status::Interrupted
        }
    }
}
