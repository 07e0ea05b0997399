//! Takes the program out of the README, so that this crate compiles what a reader copies.

fn main() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    println!("cargo::rerun-if-changed={readme}");
    let text = std::fs::read_to_string(readme).expect("the README");
    let program = text
        .split("```rust,no_run\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("the README has a program");
    let out = std::env::var("OUT_DIR").expect("a build script has OUT_DIR");
    std::fs::write(format!("{out}/readme.rs"), program).expect("the program is written");
}
