//! Integration tests of the facade, on the sandbox.

mod cancelled;
mod contract;
mod direct;
mod drift;
mod end_state;
mod end_to_end;
mod errors;
mod fixture;
mod interrupted;
mod killed;
mod lock;
mod operator_mistakes;
mod processes;
mod programs;
mod removals;
#[cfg(feature = "samael")]
mod saml_response;
mod schema;
mod secrets;
mod send;
mod sequential;
mod sync;
mod trust;
mod unreachable;
