//! Whatever a program gives for a picture, decoding it does not panic, and what is to be shown of it
//! is within the limits.
//!
//! `cargo +nightly fuzz run pictures`; `.ci/run` does the same with the stable compiler. The first
//! byte chooses the format, whose first bytes are put in front of the rest.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_repl::{picture::Picture, reply::PictureKind};
use mcp_repl_sideband::PictureLimit;

const LIMIT: PictureLimit = PictureLimit { edge: 64, area: 2048 };
const MOST: usize = 1000;

fuzz_target!(|data: &[u8]| {
    let Some((&format, rest)) = data.split_first() else { return };
    let (kind, head): (_, &[u8]) = match format % 4 {
        0 => (PictureKind::Png, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0"),
        1 => (PictureKind::Jpeg, b"\xff\xd8\xff"),
        2 => (PictureKind::Gif, b"GIF89a"),
        _ => (PictureKind::WebP, b"RIFF\0\0\0\0WEBPVP8"),
    };
    let bytes = [head, rest].concat();
    let Ok(picture) = Picture::decode(&bytes, kind, LIMIT) else { return };
    let size = picture.encoded.size;
    assert!(size.width.max(size.height) <= LIMIT.edge && size.width * size.height <= LIMIT.area);
    assert!(picture.within(MOST).is_none_or(|smaller| smaller.bytes.len() <= MOST));
});
