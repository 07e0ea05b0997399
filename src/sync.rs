//! The directory sync.

mod directory;
mod guard;
mod plan;
mod planner;
mod profile;

pub use directory::{Directory, Group, User};
pub use guard::{Guard, Refusal};
pub use plan::{Counts, Gone, GroupChange, Member, Skipped, Standing, SyncPlan, UserChange};
pub use planner::{GroupRemoval, Removal};
pub use profile::{Attribute, Profile};
