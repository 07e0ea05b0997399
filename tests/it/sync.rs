//! Tests of the directory sync against the sandbox: written changes, request counts, and removals that must not happen.

mod adoption;
mod attribute_rules;
mod attributes;
mod collisions;
mod faults;
mod fixture;
mod generic;
mod guard;
mod incomplete;
mod kept;
mod leavers;
mod lifecycle;
mod name_changes;
mod okta_source;
mod program;
mod random_changes;
mod rate_limit;
mod refusals;
mod request_counts;
mod running;
mod saves;
mod sources;
