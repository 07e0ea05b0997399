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
    run(async |arguments: Arguments| arguments.run().await).await
}

/// Reads the arguments of this process, runs `program` with them, and returns its exit status.
///
/// Ctrl-C ends the program with status 130 and leaves the terminal as it was.
pub(crate) async fn run<A: Parser, F>(program: impl FnOnce(A) -> F) -> ExitCode
where
    F: Future<Output = Status>,
{
    let arguments = match A::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _closed = error.print();
            return if error.use_stderr() {
                Status::Usage.into()
            } else {
                Status::Done.into()
            };
        }
    };
    // A second program in one process, as in a test, keeps the first subscriber.
    let _installed = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .try_init();
    let before = terminal::Settings::read();
    tokio::select! {
        // The program comes first: the sandbox ends by itself at Ctrl-C.
        biased;
        status = program(arguments) => status.into(),
        _ = tokio::signal::ctrl_c() => {
            before.restore();
            terminal::note("\ninterrupted; the next run continues here");
            Status::Interrupted.into()
        }
    }
}
