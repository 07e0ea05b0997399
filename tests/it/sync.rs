//! Tests of the directory sync against the sandbox: written changes, request counts, and removals that must not happen.

mod adoption;
mod collisions;
mod door;
mod faults;
mod fixture;
mod generic;
mod incomplete;
mod kept;
mod lifecycle;
mod name_changes;
mod program;
mod random_changes;
mod rate_limit;
mod refusals;
mod removal_limits;
mod request_counts;
mod saves;
mod sources;
