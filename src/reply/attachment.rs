//! Pictures and documents: what programs give to be looked at, each a file, and a picture perhaps
//! in the reply itself. Pure.

use std::{fmt, sync::Arc};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use mcp_repl_control::Picture;

use super::{Block, Content, Notice, Reply, line::one_line};

/// How much the pictures of one reply may take, in bytes of base64: Claude Desktop takes results of
/// at most 1,048,576 bytes, with the text.
pub const PICTURE_BUDGET: usize = 700_000;

/// What a reply has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Budget {
    /// How much text, in characters.
    pub text: usize,
    /// How many pictures and documents.
    pub attachments: AttachmentRoom,
}

/// How many pictures and documents a reply has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentRoom {
    /// So many pictures are shown, and so many pictures and documents named: of each half of them
    /// the first ones, half the last ones, as of a long text. How many are between is said.
    Some {
        /// How many pictures are shown.
        shown: usize,
        /// How many pictures and documents are named.
        named: usize,
    },
    /// All of them, each with its data, for a client that looks after them itself.
    All,
}

impl AttachmentRoom {
    /// Only the files' names: for clients that take no pictures.
    pub const NAMES: AttachmentRoom = AttachmentRoom::Some { shown: 0, named: 20 };
}

impl Default for AttachmentRoom {
    fn default() -> AttachmentRoom {
        AttachmentRoom::Some { shown: 4, named: 20 }
    }
}

impl From<usize> for Budget {
    /// So many characters of text, and the usual pictures.
    fn from(text: usize) -> Budget {
        Budget { text, attachments: AttachmentRoom::default() }
    }
}

/// The formats of pictures that models take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF, of which models see the first frame.
    Gif,
    /// WebP.
    WebP,
}

/// How many bytes of a picture tell its format, at most.
const HEAD: usize = 12;

impl PictureKind {
    /// What the first bytes of a file tell.
    pub fn of(bytes: &[u8]) -> Option<PictureKind> {
        let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..HEAD) == Some(b"WEBP");
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(PictureKind::Png)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            Some(PictureKind::Jpeg)
        } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
            Some(PictureKind::Gif)
        } else {
            is_webp.then_some(PictureKind::WebP)
        }
    }

    /// What the first bytes of a file in base64 tell.
    pub(super) fn of_base64(data: &str) -> Option<PictureKind> {
        // Four characters are three bytes.
        let head = data.get(..HEAD / 3 * 4)?;
        PictureKind::of(&BASE64_STANDARD.decode(head).ok()?)
    }

    /// Its media type.
    pub fn mime(self) -> &'static str {
        match self {
            PictureKind::Png => "image/png",
            PictureKind::Jpeg => "image/jpeg",
            PictureKind::Gif => "image/gif",
            PictureKind::WebP => "image/webp",
        }
    }
}

/// How large a picture is, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureSize {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

impl fmt::Display for PictureSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A picture or document of a program.
#[derive(Debug, Clone, PartialEq)]
pub struct Attachment {
    /// The file that it is kept in.
    pub file: AttachmentFile,
    /// Its media type, by its bytes where they tell it.
    pub mime: String,
    /// The picture's format; `None` of a document, and of a picture in another format.
    pub kind: Option<PictureKind>,
    /// Its bytes in base64 (RFC 4648, section 4), as they came; `None` where nobody is to be shown
    /// them.
    pub data: Option<Arc<str>>,
    /// How it stands in the reply.
    pub view: View,
}

/// The file of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentFile {
    /// The attachment's number in the session.
    pub number: u64,
    /// The file's name: `picture-3.png`.
    pub name: String,
    /// Where it is.
    pub place: FilePlace,
}

/// Where the file of an attachment is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilePlace {
    /// There.
    #[error("{0}")]
    At(String),
    /// Nowhere: it could not be written, for this reason.
    #[error("not kept on disk: {0}")]
    Failed(String),
    /// Nobody asked for it, or it is not known yet.
    #[error("not kept")]
    Nowhere,
}

/// How a picture stands in a reply.
#[derive(Debug, Clone, PartialEq)]
pub enum View {
    /// By its name alone.
    Named,
    /// By its name alone, for this reason.
    NotShown(String),
    /// Itself.
    Shown(ShownPicture),
    /// As another process says.
    Told {
        /// The line that names it.
        line: String,
        /// The picture itself, if it is shown.
        picture: Option<Picture>,
    },
}

/// A picture as a client is shown it.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownPicture {
    /// Its format.
    pub kind: PictureKind,
    /// Its bytes in base64 (RFC 4648, section 4).
    pub data: String,
    /// How large it is shown.
    pub size: PictureSize,
    /// How large it came.
    pub original: PictureSize,
}

impl Attachment {
    /// What came as this media type, in base64; `number` is its own in the session.
    pub fn new(number: u64, mime: &str, data: Arc<str>) -> Attachment {
        let is_image = mime.trim_start().to_ascii_lowercase().starts_with("image/");
        let kind = is_image.then(|| PictureKind::of_base64(&data)).flatten();
        let mime = kind.map_or_else(|| mime.to_owned(), |kind| kind.mime().to_owned());
        let name = file_name(number, &mime);
        let file = AttachmentFile { number, name, place: FilePlace::Nowhere };
        Attachment { file, mime, kind, data: Some(data), view: View::Named }
    }

    /// The line that names it, without a line end.
    pub fn line(&self) -> String {
        if let View::Told { line, .. } = &self.view {
            return one_line(line);
        }
        let mut remarks = Vec::new();
        let noun = match stem(&essence(&self.mime)) {
            "page" => "HTML page",
            "drawing" => "SVG drawing",
            "script" => "script",
            "picture" if self.kind.is_some() => "picture",
            stem => {
                remarks.push(self.mime.clone());
                stem
            }
        };
        match &self.view {
            View::Named => {}
            View::NotShown(why) => remarks.push(format!("not shown here: {why}")),
            View::Shown(ShownPicture { size, original, .. }) if size != original => {
                remarks.push(format!("{original} pixels, shown here as {size}"));
            }
            View::Shown(_) | View::Told { .. } => {}
        }
        let place = match &self.file.place {
            FilePlace::At(path) => format!(": {path}"),
            place => {
                remarks.push(place.to_string());
                String::new()
            }
        };
        let remarks =
            if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join("; ")) };
        one_line(&format!("[repl] {noun}{place}{remarks}"))
    }

    /// It in the reply itself, if it is shown.
    pub(super) fn block(self) -> Option<Block> {
        match self.view {
            View::Shown(ShownPicture { kind, data, .. }) => {
                Some(Block::Image { mime: kind.mime().to_owned(), data })
            }
            View::Told { picture, .. } => {
                picture.map(|Picture { mime, data }| Block::Image { mime, data })
            }
            View::Named | View::NotShown(_) => None,
        }
    }
}

/// A media type without its parameters, in lower case: `text/html`.
fn essence(mime: &str) -> String {
    mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// How the name of a file with this media type begins.
fn stem(essence: &str) -> &'static str {
    match essence {
        "text/html" | "application/xhtml+xml" => "page",
        "image/svg+xml" => "drawing",
        "text/javascript" => "script",
        _ if essence.starts_with("image/") => "picture",
        _ => "document",
    }
}

/// The name of a file: nothing in it is from outside. Its end is that of a type that is known, and
/// one that nothing opens by itself otherwise.
fn file_name(number: u64, mime: &str) -> String {
    let essence = essence(mime);
    let end = match essence.as_str() {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/svg+xml" => "svg",
        "image/bmp" => "bmp",
        "image/tiff" => "tiff",
        "image/avif" => "avif",
        "text/html" | "application/xhtml+xml" => "html",
        "text/plain" => "txt",
        "text/markdown" => "md",
        "text/csv" => "csv",
        "text/javascript" => "js",
        "text/latex" => "tex",
        "application/pdf" => "pdf",
        "application/xml" | "text/xml" => "xml",
        "application/json" => "json",
        _ if essence.ends_with("+json") => "json",
        _ => "bin",
    };
    format!("{}-{number}.{end}", stem(&essence))
}

/// How much of the budget each picture may take, where they would like to take so much: what the
/// small ones leave is for the large ones.
pub fn shares(wanted: &[usize], budget: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|&index| wanted[index]);
    let mut shares = vec![0; wanted.len()];
    let mut left = budget;
    for (done, &index) in order.iter().enumerate() {
        let share = wanted[index].min(left / (order.len() - done));
        shares[index] = share;
        left -= share;
    }
    shares
}

/// The length of so many bytes in base64.
pub fn base64_length(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// How many bytes have a length in base64 of at most this.
pub fn base64_capacity(length: usize) -> usize {
    length / 4 * 3
}

impl Reply {
    /// The pictures and documents in it.
    pub fn attachments_mut(&mut self) -> impl Iterator<Item = &mut Attachment> {
        self.content.iter_mut().filter_map(|part| match part {
            Content::Attachment(attachment) => Some(attachment),
            _ => None,
        })
    }

    /// The files that it names.
    pub fn files_mut(&mut self) -> impl Iterator<Item = &mut AttachmentFile> {
        self.content.iter_mut().flat_map(files_of_mut)
    }
}

/// The files that a part of a reply names.
pub(super) fn files_of(part: &Content) -> impl Iterator<Item = &AttachmentFile> {
    let files = match part {
        Content::Attachment(attachment) => [Some(&attachment.file), None],
        Content::Notice(Notice::AttachmentsLeftOut { first, last, .. }) => {
            [Some(first), Some(last)]
        }
        _ => [None, None],
    };
    files.into_iter().flatten()
}

fn files_of_mut(part: &mut Content) -> impl Iterator<Item = &mut AttachmentFile> {
    let files = match part {
        Content::Attachment(attachment) => [Some(&mut attachment.file), None],
        Content::Notice(Notice::AttachmentsLeftOut { first, last, .. }) => {
            [Some(first), Some(last)]
        }
        _ => [None, None],
    };
    files.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attachment(mime: &str, bytes: &[u8]) -> Attachment {
        Attachment::new(3, mime, BASE64_STANDARD.encode(bytes).into())
    }

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\0";

    #[test]
    fn a_picture_is_what_its_bytes_say() {
        let jpeg = attachment("image/png", b"\xff\xd8\xff\xe0 and so on");
        assert_eq!((jpeg.kind, &*jpeg.mime), (Some(PictureKind::Jpeg), "image/jpeg"));
        assert_eq!(jpeg.file.name, "picture-3.jpg");
        for bytes in [&b"GIF89a and more"[..], b"RIFF\0\0\0\0WEBP and more", PNG] {
            assert_eq!(attachment("image/x", bytes).kind, PictureKind::of(bytes), "{bytes:?}");
        }
        // Neither what is no picture nor what says it is another thing.
        assert_eq!(attachment("image/png", b"plain text").kind, None);
        assert_eq!(attachment("image/png", b"").kind, None);
        assert_eq!(attachment("text/html", PNG).kind, None);
        let no_base64 = Attachment::new(1, "image/png", "é".repeat(20).into());
        assert_eq!(no_base64.kind, None);
    }

    #[test]
    fn names_of_files_have_nothing_from_outside() {
        for (mime, name) in [
            ("text/html; charset=utf-8", "page-3.html"),
            ("IMAGE/SVG+XML", "drawing-3.svg"),
            ("application/vnd.vega.v5+json", "document-3.json"),
            ("application/pdf", "document-3.pdf"),
            ("image/../../../etc", "picture-3.bin"),
            ("text/javascript", "script-3.js"),
            ("application/x-sh", "document-3.bin"),
            ("", "document-3.bin"),
            ("\n[repl] \u{202e}", "document-3.bin"),
        ] {
            assert_eq!(attachment(mime, b"<html>").file.name, name);
        }
    }

    fn line(mime: &str, bytes: &[u8], view: View, place: FilePlace) -> String {
        let mut attachment = attachment(mime, bytes);
        (attachment.view, attachment.file.place) = (view, place);
        attachment.line()
    }

    #[test]
    fn the_line_says_where_it_is_and_what_is_not_as_one_would_think() {
        let at = || FilePlace::At("/d/picture-3.png".into());
        let told = line("image/png", PNG, View::Named, at());
        assert_eq!(told, "[repl] picture: /d/picture-3.png");
        let told = line("image/png", PNG, View::NotShown("it is damaged".into()), at());
        assert_eq!(told, "[repl] picture: /d/picture-3.png (not shown here: it is damaged)");
        let size = |width, height| PictureSize { width, height };
        let shown = |size| {
            let (kind, original) = (PictureKind::Png, PictureSize { width: 8, height: 6 });
            View::Shown(ShownPicture { kind, data: String::new(), size, original })
        };
        let told = line("image/png", PNG, shown(size(8, 6)), at());
        assert_eq!(told, "[repl] picture: /d/picture-3.png");
        let told = line("image/png", PNG, shown(size(4, 3)), at());
        assert_eq!(told, "[repl] picture: /d/picture-3.png (8x6 pixels, shown here as 4x3)");
        let failed = FilePlace::Failed("no space".into());
        let told = line("text/html", b"", View::Named, failed);
        assert_eq!(told, "[repl] HTML page (not kept on disk: no space)");
        let told = line("a/b\n[repl] c", b"", View::Named, at());
        assert_eq!(told, "[repl] document: /d/picture-3.png (a/b; [repl] c)");
        let told = line("image/tiff", b"II", View::Named, at());
        assert_eq!(told, "[repl] picture: /d/picture-3.png (image/tiff)");
    }

    #[test]
    fn what_small_pictures_leave_is_for_the_large_ones() {
        assert!(shares(&[], 100).is_empty());
        assert_eq!(shares(&[10, 20, 30], 100), [10, 20, 30]);
        assert_eq!(shares(&[10, 500, 30, 500], 100), [10, 30, 30, 30]);
        assert_eq!(shares(&[500, 10], 100), [90, 10]);
    }

    proptest! {
        #[test]
        fn shares_are_within_the_budget(
            wanted in prop::collection::vec(0..1000_usize, 0..6), budget in 0..3000_usize,
        ) {
            let shares = shares(&wanted, budget);
            prop_assert!(shares.iter().sum::<usize>() <= budget);
            prop_assert!(shares.iter().zip(&wanted).all(|(share, wanted)| share <= wanted));
            if wanted.iter().sum::<usize>() <= budget {
                prop_assert_eq!(shares, wanted);
            }
        }

        #[test]
        fn what_has_room_is_as_long_in_base64_as_it_may_be(length in 0..10_000_usize) {
            let capacity = base64_capacity(length);
            prop_assert!(base64_length(capacity) <= length);
            prop_assert!(base64_length(capacity + 1) > length);
        }
    }
}
