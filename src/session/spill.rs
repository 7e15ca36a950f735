//! The files that hold text too long for a reply.

use std::{fs::File, io::Write, path::PathBuf};

/// Writes the text of one reply after the other to files in a directory.
#[derive(Debug)]
pub struct Spill {
    directory: PathBuf,
    files: u64,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    path: PathBuf,
    file: Result<File, String>,
}

impl Spill {
    /// Writes to `directory`, which must exist when the first text comes.
    pub fn new(directory: PathBuf) -> Spill {
        Spill { directory, files: 0, current: None }
    }

    /// Adds to the current reply's text.
    pub fn write(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let current = self.current.get_or_insert_with(|| {
            self.files += 1;
            let path = self.directory.join(format!("output-{}.txt", self.files));
            let file = File::create_new(&path).map_err(|error| error.to_string());
            Current { path, file }
        });
        if let Ok(file) = &mut current.file
            && let Err(error) = file.write_all(text.as_bytes())
        {
            current.file = Err(error.to_string());
        }
    }

    /// Ends the current reply's text. Where it is, or why it is not all there; `None` if
    /// there was none.
    pub fn finish(&mut self) -> Option<Result<String, String>> {
        let Current { path, file } = self.current.take()?;
        Some(file.map(|_| path.display().to_string()))
    }
}
