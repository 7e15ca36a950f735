//! A picture's file as what a terminal is sent to show it.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::{Cell, Protocol, Room, sixel};
use crate::{
    picture::Bitmap,
    reply::{PictureKind, PictureSize},
};

/// The most of a picture's data in one escape sequence, in bytes of base64 (kitty's protocol).
const CHUNK: usize = 4096;

/// A picture as it is drawn from where the cursor is, which stays there, or comes back to where it
/// was saved (DECSC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drawing {
    /// What the terminal is sent.
    pub(crate) bytes: Vec<u8>,
    /// How many rows it takes.
    pub(crate) rows: u16,
}

/// Makes a picture, whose file is `data` in base64, fit for the terminal: no wider than that, and no
/// higher than half of it. `None` where it can't be decoded.
pub(crate) fn draw(data: &str, protocol: Protocol, room: Room) -> Option<Drawing> {
    let bytes = BASE64_STANDARD.decode(data).ok()?;
    let kind = PictureKind::of(&bytes)?;
    let cell = room.cell.unwrap_or(Cell::UNKNOWN);
    let rows = (room.size.rows / 2).max(1);
    let most = PictureSize {
        width: u32::from(room.size.columns) * u32::from(cell.width),
        height: u32::from(rows) * u32::from(cell.height),
    };
    let bitmap = Bitmap::decode(&bytes, kind, most).ok()?;
    let PictureSize { width, height } = bitmap.size();
    let cells = |pixels: u32, side: u16| {
        u16::try_from(pixels.div_ceil(u32::from(side))).unwrap_or(u16::MAX)
    };
    let columns = cells(width, cell.width).clamp(1, room.size.columns.max(1));
    let rows = cells(height, cell.height).clamp(1, rows);
    let bytes = match protocol {
        Protocol::Kitty => {
            // Where a cell's size is known it is shown pixel by pixel.
            let place = match room.cell {
                Some(_) => String::new(),
                None => format!(",c={columns},r={rows}"),
            };
            kitty(&bitmap.png().ok()?, &place)
        }
        Protocol::Iterm2 => iterm2(&bitmap.png().ok()?, columns, rows),
        Protocol::Sixel => in_place(&sixel::encode(&bitmap)),
    };
    Some(Drawing { bytes, rows })
}

/// Sent and shown at the cursor, which stays (`C=1`), and not answered (`q=2`).
fn kitty(png: &[u8], place: &str) -> Vec<u8> {
    let data = BASE64_STANDARD.encode(png);
    let mut out = Vec::with_capacity(data.len() + data.len() / CHUNK * 16 + 64);
    let mut chunks = data.as_bytes().chunks(CHUNK).peekable();
    let mut control = format!("a=T,f=100,C=1,q=2{place},");
    while let Some(chunk) = chunks.next() {
        let more = u8::from(chunks.peek().is_some());
        out.extend(format!("\x1b_G{control}m={more};").as_bytes());
        out.extend(chunk);
        out.extend(b"\x1b\\");
        control.clear();
    }
    out
}

fn iterm2(png: &[u8], columns: u16, rows: u16) -> Vec<u8> {
    let (size, data) = (png.len(), BASE64_STANDARD.encode(png));
    in_place(
        format!(
            "\x1b]1337;File=inline=1;size={size};width={columns};height={rows};\
             preserveAspectRatio=1:{data}\x07"
        )
        .as_bytes(),
    )
}

/// What moves the cursor to a place of the terminal's own choice, with the cursor put back.
fn in_place(drawing: &[u8]) -> Vec<u8> {
    [b"\x1b7", drawing, b"\x1b8"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::Size;

    const CELL: Cell = Cell { width: 10, height: 20 };

    /// A picture of this size in base64, red.
    fn picture(width: u32, height: u32) -> String {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[255, 0, 0].repeat((width * height) as usize)).unwrap();
        writer.finish().unwrap();
        BASE64_STANDARD.encode(file)
    }

    fn drawn(picture: &str, protocol: Protocol, cell: Option<Cell>) -> (String, u16) {
        let room = Room { size: Size { columns: 80, rows: 24 }, cell };
        let Drawing { bytes, rows } = draw(picture, protocol, room).unwrap();
        (String::from_utf8(bytes).unwrap(), rows)
    }

    /// The size of the picture whose file this is, in base64.
    fn size_of(data: &str) -> (u32, u32) {
        let bytes = BASE64_STANDARD.decode(data).unwrap();
        let reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        (reader.info().width, reader.info().height)
    }

    #[test]
    fn a_picture_is_no_wider_than_the_terminal_and_no_higher_than_half_of_it() {
        for (size, shown, rows) in [
            ((100, 41), (100, 41), 3),
            ((1600, 100), (800, 50), 3),
            ((480, 4800), (24, 240), 12),
            ((1, 1), (1, 1), 1),
        ] {
            let picture = picture(size.0, size.1);
            let (kitty, taken) = drawn(&picture, Protocol::Kitty, Some(CELL));
            assert_eq!(taken, rows, "{size:?}");
            let data: String = kitty
                .split_terminator("\x1b\\")
                .map(|part| part.strip_prefix("\x1b_G").unwrap().split_once(';').unwrap().1)
                .collect();
            assert_eq!(size_of(&data), shown);
            let (iterm, taken) = drawn(&picture, Protocol::Iterm2, Some(CELL));
            assert_eq!(taken, rows);
            let data = iterm.strip_suffix("\x07\x1b8").unwrap().split_once(':').unwrap().1;
            assert_eq!(size_of(data), shown);
            let (sixel, taken) = drawn(&picture, Protocol::Sixel, Some(CELL));
            assert_eq!(taken, rows);
            assert!(sixel.contains(&format!("\"1;1;{};{}", shown.0, shown.1)), "{sixel}");
        }
    }

    #[test]
    fn where_the_size_of_a_cell_is_unknown_the_place_is_told_in_cells() {
        let (kitty, rows) = drawn(&picture(60, 36), Protocol::Kitty, None);
        assert!(kitty.starts_with("\x1b_Ga=T,f=100,C=1,q=2,c=10,r=3,m=0;"), "{kitty}");
        assert_eq!(rows, 3);
        let (iterm, _) = drawn(&picture(60, 36), Protocol::Iterm2, None);
        assert!(iterm.contains(";width=10;height=3;"), "{iterm}");
    }

    #[test]
    fn what_is_no_picture_is_not_drawn() {
        let room = Room { size: Size::default(), cell: None };
        for data in ["", "?", "AAAA", "iVBORw0KGgoAAAAA"] {
            assert_eq!(draw(data, Protocol::Kitty, room), None, "{data}");
        }
        // A terminal of no size is none either.
        let none = Room { size: Size { columns: 0, rows: 0 }, cell: None };
        let drawn = draw(&picture(10, 10), Protocol::Sixel, none);
        assert!(drawn.is_none_or(|drawing| drawing.rows == 1));
    }
}
