//! Tests of the client over HTTP, and with a transport that loses responses.

mod errors;
mod fixture;
mod life_cycle;
mod lists;
mod lost_responses;
mod resources;
