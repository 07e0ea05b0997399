//! Integration tests of the facade, on the sandbox.

mod adoption;
mod cancelled;
mod catalog_app;
mod contract;
mod custom_domain;
mod direct;
mod drift;
mod end_state;
mod end_to_end;
mod errors;
mod estate;
mod fixture;
mod group_push;
mod interrupted;
mod killed;
mod lock;
mod operator_mistakes;
mod processes;
mod profile_mapping;
mod programs;
mod removals;
mod rights;
#[cfg(feature = "samael")]
mod saml_response;
mod schema;
mod scope;
mod secrets;
mod selectors;
mod send;
mod sequential;
mod sign_on_policy;
mod sync;
mod system_log;
mod trust;
mod unreachable;
