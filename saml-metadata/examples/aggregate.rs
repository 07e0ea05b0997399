//! Writes an aggregate of a given size, for benchmarks: `aggregate 100000000 > aggregate.xml`.

use std::{
    error::Error,
    io::{self, BufWriter, Write},
};

#[path = "../benches/generate/aggregate.rs"]
mod aggregate;

fn main() -> Result<(), Box<dyn Error>> {
    let bytes = std::env::args()
        .nth(1)
        .ok_or("usage: aggregate BYTES > FILE")?
        .replace('_', "")
        .parse()?;
    let mut to = BufWriter::new(io::stdout().lock());
    aggregate::write(bytes, &mut to)?;
    to.flush()?;
    Ok(())
}
