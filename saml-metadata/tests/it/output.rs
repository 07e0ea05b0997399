//! Output formats of findings: JSON and SARIF for programs, text for a terminal.

#[cfg(feature = "serde")]
mod json;
#[cfg(feature = "report")]
mod terminal;
