//! Where the cells of `exec` come from: arguments, a file, standard input.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

/// What begins a line that parts a script into cells, as editors have it.
const MARKER: &str = "# %%";

/// What names standard input in place of a file or a cell.
const STANDARD_INPUT: &str = "-";

/// Where cells come from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Arguments, a cell each.
    Arguments(Vec<String>),
    /// A file.
    File(PathBuf),
    /// Standard input.
    StandardInput,
}

impl Source {
    /// What the arguments name.
    pub(super) fn new(cells: &[String], file: Option<&Path>) -> Source {
        match (cells, file) {
            (_, Some(file)) if file != Path::new(STANDARD_INPUT) => Source::File(file.to_owned()),
            (_, Some(_)) | ([], None) => Source::StandardInput,
            ([only], None) if only == STANDARD_INPUT => Source::StandardInput,
            (cells, None) => Source::Arguments(cells.to_vec()),
        }
    }

    /// Reads the cells.
    pub(super) fn cells(&self) -> Result<Vec<String>, String> {
        let text = match self {
            Source::Arguments(cells) => return Ok(cells.clone()),
            Source::File(file) => std::fs::read(file)
                .map_err(|error| format!("{} can't be read: {error}", file.display()))?,
            Source::StandardInput => {
                let mut text = Vec::new();
                let read = io::stdin().lock().read_to_end(&mut text);
                read.map_err(|error| format!("standard input can't be read: {error}"))?;
                text
            }
        };
        Ok(split_cells(&String::from_utf8_lossy(&text)))
    }
}

/// Parts a script at its `# %%` lines, each cell padded so that tracebacks name the lines of
/// the file.
fn split_cells(text: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if line.starts_with(MARKER) {
            cells.push("\n".repeat(number));
        }
        if let Some(cell) = cells.last_mut() {
            cell.push_str(line);
        }
    }
    let is_code = |line: &str| !line.trim().is_empty() && !line.starts_with(MARKER);
    cells.retain(|cell| cell.lines().any(is_code));
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_parted_at_its_markers_and_keeps_its_line_numbers() {
        let cells = split_cells("a = 1\n# %% two\nb = 2\n# %%\n\n# %%\nc\n");
        assert_eq!(cells, ["a = 1\n", "\n# %% two\nb = 2\n", "\n\n\n\n\n# %%\nc\n"]);
    }

    #[test]
    fn a_dash_is_standard_input() {
        let dash = [STANDARD_INPUT.to_owned()];
        assert_eq!(Source::new(&[], None), Source::StandardInput);
        assert_eq!(Source::new(&dash, None), Source::StandardInput);
        assert_eq!(Source::new(&[], Some(Path::new("-"))), Source::StandardInput);
        assert_eq!(
            Source::new(&[dash.clone(), dash.clone()].concat(), None),
            Source::Arguments([dash.clone(), dash].concat())
        );
    }

    #[test]
    fn a_script_without_markers_is_one_cell() {
        assert_eq!(split_cells("a\nb"), ["a\nb"]);
        assert!(split_cells("").is_empty());
    }
}
