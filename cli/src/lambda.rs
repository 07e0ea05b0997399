//! The command `sync` as an AWS Lambda function: one sync for each event.

use std::process::ExitCode;

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use okta_aws_sso::sync::SyncReport;
use serde::de::IgnoredAny;

use crate::{
    Failure, Status,
    arguments::{self, Arguments},
    terminal,
};

/// Returns whether AWS Lambda has started this process as a function: without a command, or with `sync`.
///
/// Another program in a function may run the other commands, and must not lose its events to them.
pub(crate) fn is_function() -> bool {
    std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some()
        && arguments::command().is_none_or(|command| command == "sync")
}

/// Handles events until AWS Lambda ends the process.
pub(crate) async fn main() -> ExitCode {
    let handler = service_fn(|_: LambdaEvent<IgnoredAny>| async {
        // A box, because the future is large.
        Box::pin(sync())
            .await
            .map_err(|failure| diagnostic(&failure))
    });
    match lambda_runtime::run(handler).await {
        Ok(()) => Status::Done.into(),
        Err(error) => {
            terminal::note(&format!("error: the Lambda Runtime API failed: {error}"));
            Status::Failed.into()
        }
    }
}

/// Runs one sync with the options of this process and of `SYNC_OPTIONS`. Returns the report, or `None` after a dry run.
async fn sync() -> Result<Option<SyncReport>, Failure> {
    let (status, report) = Arguments::of_job()?.sync().await?;
    // A failed or withheld change is an error of the invocation, so the alarms of the function report it.
    let report = report.map(SyncReport::complete).transpose()?;
    match status {
        // Only a dry run has this status without a report.
        Status::Failed => Err(Failure::Input {
            message: "source or target could not be read completely, or records contradict each other, so removals wait"
                .to_owned(),
            help: "see the plan in the log".into(),
        }),
        _ => Ok(report),
    }
}

/// Returns the error of an invocation. The crate of the runtime logs it.
fn diagnostic(failure: &Failure) -> Diagnostic {
    Diagnostic {
        error_type: format!("{:?}", failure.problem().kind),
        error_message: failure.explain(),
    }
}
