//! The client on the wire, and against a transport that loses answers.

mod errors;
mod fixture;
mod life_cycle;
mod lists;
mod lost;
mod resources;
