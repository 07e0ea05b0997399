//! Serves an Okta org and an AWS organization on this machine, to try the integration without a tenant.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser};
use sandbox::{Sandbox, ScimProfile, ServiceApp};

use crate::{Failure, Status, output::Output, sandbox_access, stop_signal, terminal};

/// Serves an Okta org, an AWS organization and their consoles on the loopback interface, until it is stopped with Ctrl-C.
#[derive(Parser, Debug)]
#[command(name = "sandbox")]
struct Program {
    #[command(flatten)]
    arguments: Arguments,
}

/// The arguments of the sandbox.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The file for the addresses and credentials, as JSON. It is written when all services answer.
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
    /// The SCIM service to serve: `aws` behaves like AWS's and answers after automatic provisioning is enabled; `generic`
    /// follows the RFCs and answers from the start, at `scim.url` with the token `scim.token`.
    #[arg(long, value_enum, default_value_t = Profile::Aws)]
    scim_profile: Profile,
    /// Adds a service app to the Okta org, which gets access tokens with a private key and DPoP. Its `client_id`,
    /// `private_key` (a JWK) and `scopes` stand beside the API token.
    #[arg(long)]
    okta_oauth: bool,
    /// Starts with access in Identity Center, to try the report and the drift on it. Okta is not connected.
    #[arg(long, value_enum)]
    access: Option<sandbox_access::Access>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Profile {
    Aws,
    Generic,
}

/// Runs the program `sandbox` with the arguments of this process.
pub async fn main() -> ExitCode {
    match crate::start(Program::try_parse()) {
        Ok(program) => program.arguments.run().await.into(),
        Err(status) => status.into(),
    }
}

impl Arguments {
    pub(crate) async fn run(self) -> Status {
        Output::new(false, true).end(serve(self).await)
    }
}

async fn serve(args: Arguments) -> Result<Status, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::input(
            format!("the sandbox cannot be served: {error}"),
            "run it again",
        )
    };
    // The delays are long enough to see a run wait for provisioning and assignments.
    let mut builder = Sandbox::builder();
    if args.okta_oauth {
        // The Python SDK of Okta reads RSA keys only.
        let app = ServiceApp::with_all_scopes("Automation").rsa_key();
        builder = builder.service_app(app);
    }
    if let Some(access) = args.access {
        builder = builder.company(access.company());
    }
    let sandbox = builder
        .page_size(None)
        .scim_profile(match args.scim_profile {
            Profile::Aws => ScimProfile::Aws,
            Profile::Generic => ScimProfile::Generic,
        })
        .provisioning_delay(Duration::from_millis(1200))
        .operation_delay(Duration::from_millis(400))
        .start()
        .await
        .map_err(|error| failed(&error))?;
    let ready = format!("{:#}", sandbox.ready());
    let _closed = writeln!(io::stdout(), "{ready}");
    if let Some(path) = args.ready_file {
        write_ready_file(&path, &ready)?;
    }
    terminal::note("serving; press Ctrl-C to stop");
    stop_signal().await;
    let requests = sandbox.requests();
    let writes = sandbox.writes();
    terminal::note(&format!(
        "served {}, including {}",
        count(requests.len(), "request"),
        count(writes.len(), "write")
    ));
    Ok(Status::Done)
}

/// Writes the file that says that the sandbox is ready.
#[expect(
    clippy::disallowed_methods,
    reason = "the program writes the file before it serves"
)]
fn write_ready_file(path: &Path, ready: &str) -> Result<(), Failure> {
    // The rename is atomic, so that a program that waits for the file never reads a part of it.
    let temporary = path.with_extension("part");
    let written = std::fs::write(&temporary, ready);
    written
        .and_then(|()| std::fs::rename(&temporary, path))
        .map_err(|error| {
            let message = format!("{} cannot be written: {error}", path.display());
            Failure::input(message, "pass the path of a file that can be written")
        })
}

/// Returns a number with a noun, such as `1 request` or `2 requests`.
fn count(number: usize, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}
