//! Tests of the sandbox's real listeners with a plain HTTP client.

mod apps;
mod client;
mod console;
mod domains;
mod faults;
mod lists;
mod protocol;
mod provisioning;
mod provisioning_engine;
