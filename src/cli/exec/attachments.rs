//! What `exec` does with pictures and documents: writes them to a directory, or says that it does
//! not.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

use crate::reply::{Attachment, FilePlace};

/// Where pictures and documents go.
#[derive(Debug)]
pub(super) struct Attachments {
    directory: Option<PathBuf>,
}

impl Attachments {
    /// To this directory, which is made if it is not there; else nowhere.
    pub(super) fn new(directory: Option<&Path>) -> Result<Attachments, String> {
        if let Some(directory) = directory {
            fs::create_dir_all(directory)
                .map_err(|error| format!("--images {}: {error}", directory.display()))?;
        }
        Ok(Attachments { directory: directory.map(Path::to_owned) })
    }

    /// Writes one to its file. The line that says so, or why not.
    pub(super) fn keep(&self, attachment: &Attachment) -> String {
        let Attachment { file, mime, .. } = attachment;
        let name = &file.name;
        match self.write(attachment) {
            None => format!("[repl] {name} ({mime}) was not kept; `--images DIR` writes it there"),
            Some(Ok(path)) => format!("[repl] {path}"),
            Some(Err(why)) => format!("[repl] {name} could not be written: {why}"),
        }
    }

    /// One as a JSON object: with the path of its file where that was asked for, else with its data.
    pub(super) fn json(&self, attachment: &Attachment) -> Value {
        let Attachment { mime, data, .. } = attachment;
        let kind = if mime.starts_with("image/") { "image" } else { "document" };
        match self.write(attachment) {
            None => json!({"type": kind, "mimeType": mime, "data": data.as_deref()}),
            Some(Ok(path)) => json!({"type": kind, "mimeType": mime, "path": path}),
            Some(Err(why)) => json!({"type": kind, "mimeType": mime, "error": why}),
        }
    }

    /// Writes one, in the place of what an earlier run has left there: its path, or why that can't
    /// be done. `None` where nobody asked for it.
    fn write(&self, attachment: &Attachment) -> Option<Result<String, String>> {
        let path = self.directory.as_ref()?.join(&attachment.file.name);
        let Some(data) = attachment.data.as_deref() else {
            // Its host had no room for it in the reply.
            let place = match &attachment.file.place {
                FilePlace::At(path) => format!("; it is in {path}"),
                FilePlace::Failed(_) | FilePlace::Nowhere => String::new(),
            };
            return Some(Err(format!("there was no room for it in the reply{place}")));
        };
        let written = match BASE64_STANDARD.decode(data) {
            Ok(bytes) => fs::write(&path, bytes).map_err(|error| error.to_string()),
            Err(_) => Err("its data is no base64".to_owned()),
        };
        Some(written.map(|()| path.display().to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(number: u64, bytes: &[u8]) -> Attachment {
        Attachment::new(number, "image/png", BASE64_STANDARD.encode(bytes).into())
    }

    #[test]
    fn with_a_directory_each_is_a_file_there() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("a/b");
        let attachments = Attachments::new(Some(&place)).unwrap();
        let path = place.join("picture-1.png").display().to_string();
        assert_eq!(attachments.keep(&picture(1, b"first")), format!("[repl] {path}"));
        assert_eq!(fs::read(&path).unwrap(), b"first");
        let wanted = json!({"type": "image", "mimeType": "image/png", "path": path});
        assert_eq!(attachments.json(&picture(1, b"second")), wanted);
        assert_eq!(fs::read(&path).unwrap(), b"second");
        let no_base64 = Attachment::new(2, "text/html", "?".into());
        let why = "[repl] page-2.html could not be written: its data is no base64";
        assert_eq!(attachments.keep(&no_base64), why);
        let mut too_large = picture(3, b"third");
        (too_large.data, too_large.file.place) = (None, FilePlace::At("/d/picture-3.png".into()));
        let why = "[repl] picture-3.png could not be written: there was no room for it in the \
                   reply; it is in /d/picture-3.png";
        assert_eq!(attachments.keep(&too_large), why);
        assert!(!place.join("picture-3.png").exists());
    }

    #[test]
    fn without_one_it_is_said_and_json_has_the_data() {
        let attachments = Attachments::new(None).unwrap();
        let told = "[repl] picture-1.png (image/png) was not kept; `--images DIR` writes it there";
        assert_eq!(attachments.keep(&picture(1, b"first")), told);
        let data = BASE64_STANDARD.encode(b"first");
        let wanted = json!({"type": "image", "mimeType": "image/png", "data": data});
        assert_eq!(attachments.json(&picture(1, b"first")), wanted);
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Attachments::new(Some(file.path())).unwrap_err();
        let start = format!("--images {}", file.path().display());
        assert!(error.starts_with(&start), "{error}");
    }
}
