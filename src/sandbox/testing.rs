//! A disk for tests.

use std::path::{Path, PathBuf};

use super::{Kind, Look};

/// A disk on which these are links, those are directories with all around them, and nothing else is.
pub(super) struct Disk(
    pub(super) &'static [(&'static str, &'static str)],
    pub(super) &'static [&'static str],
);

impl Look for Disk {
    fn kind(&self, path: &Path) -> Kind {
        let is = self.1.iter().any(|place| Path::new(place).starts_with(path));
        if is { Kind::Directory } else { Kind::Missing }
    }

    fn text(&self, _: &Path) -> Option<String> {
        None
    }

    fn real(&self, path: &Path) -> PathBuf {
        let mut real = path.to_owned();
        while let Some(next) = self.0.iter().find_map(|(link, to)| {
            // As `join` has it where nothing is to be added.
            Some(Path::new(to).join(real.strip_prefix(link).ok()?).components().collect())
        }) {
            real = next;
        }
        real
    }
}
