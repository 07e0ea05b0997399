//! The program of the README, as a reader copies it.

include!(concat!(env!("OUT_DIR"), "/readme.rs"));

/// Uses the program. It is compiled and not run: it would connect to a real org.
pub(crate) fn is_a_program() {
    let _program = run;
}
