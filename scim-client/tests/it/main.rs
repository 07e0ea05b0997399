//! Tests of the client over HTTP, and with a transport that loses responses.

mod error_facts;
mod errors;
mod fixture;
mod items;
mod judge;
mod life_cycle;
mod lists;
mod lost_responses;
mod resources;
mod send;
