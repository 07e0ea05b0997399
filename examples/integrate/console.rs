//! The person at this terminal.

use std::{io, path::Path};

use okta_aws_sso::operator::TerminalOperator;

/// The person at this terminal. Files to upload are written beside the state, or here.
pub(crate) fn person(folder: Option<&Path>) -> TerminalOperator {
    TerminalOperator::new(
        io::BufReader::new(io::stdin()),
        io::stderr(),
        folder.unwrap_or_else(|| Path::new(".")),
    )
    .secrets(|prompt| rpassword::prompt_password(format!("{prompt} (not shown): ")))
}
