//! Standard streams where there are no Unix descriptors: tokio's own, on its blocking threads.

use std::io;

use super::{Input, Output};

/// Standard input.
pub(super) fn input() -> io::Result<Input> {
    Ok(Box::new(tokio::io::stdin()))
}

/// Standard output.
pub(super) fn output() -> io::Result<Output> {
    Ok(Box::new(tokio::io::stdout()))
}
