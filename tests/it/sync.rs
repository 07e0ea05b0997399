//! The directory sync against the sandbox: what is written, with how many requests, and what is never taken away.

mod calls;
mod faults;
mod generic;
mod guards;
mod kept;
mod names;
mod pace;
mod program;
mod random;
mod review;
mod rig;
