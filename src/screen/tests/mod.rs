//! Bytes in, text out.

mod alacritty;
mod crop;
mod differential;
mod dump;
mod page;
mod recordings;
mod transcript;

use super::*;

/// A screen that was fed `bytes`.
fn screen(columns: u16, rows: u16, bytes: &str) -> Screen {
    let mut screen = Screen::new(Size { columns, rows });
    screen.feed(bytes.as_bytes());
    screen
}

/// What a screen has to tell that was not told yet.
fn told(screen: &mut Screen) -> String {
    let mut out = String::new();
    screen.drain(&mut |text| out.push_str(text));
    screen.report(&mut out);
    out
}

/// The transcript of some bytes on a page of 20 by 5.
fn transcript(bytes: &str) -> String {
    told(&mut screen(20, 5, bytes))
}

/// The page after some bytes, 20 by 5.
fn page(bytes: &str) -> String {
    screen(20, 5, bytes).page_text()
}

/// A cluster without the tabs the transcript keeps in it.
fn seen(cluster: &str) -> String {
    let blank = if cluster.starts_with('\t') { " " } else { "" };
    format!("{blank}{}", cluster.replace('\t', ""))
}
