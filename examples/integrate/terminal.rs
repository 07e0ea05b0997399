//! The operator at this terminal.

use std::{io, path::Path};

use okta_aws_sso::operator::TerminalOperator;

/// Returns the operator at this terminal. Files to upload are written to `folder` (default: the current folder).
pub(crate) fn terminal_operator(folder: Option<&Path>) -> TerminalOperator {
    TerminalOperator::new(
        io::BufReader::new(io::stdin()),
        io::stderr(),
        folder.unwrap_or_else(|| Path::new(".")),
    )
    .secrets(|prompt| rpassword::prompt_password(format!("{prompt} (not shown): ")))
}
