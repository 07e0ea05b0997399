//! The directory sync against the sandbox: what is written, with how many requests, and what is never taken away.

mod calls;
mod faults;
mod generic;
mod guards;
mod kept;
mod names;
mod program;
mod random;
mod rate_limit;
mod review;
mod rig;
