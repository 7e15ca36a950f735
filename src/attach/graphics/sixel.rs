//! Pixels as sixels (DEC STD 070, chapter 9; VT330/VT340 Programmer Reference Manual): columns of six
//! pixels, a colour after the other, of a palette of 256.

use std::{collections::HashMap, fmt::Write as _};

use color_quant::NeuQuant;

use crate::{picture::Bitmap, reply::PictureSize};

/// How many colours most terminals have for this.
const COLORS: usize = 256;
/// How many pixels a column of sixels has.
const SIX: usize = 6;
/// Of how many pixels one is looked at to choose colours, 1 to 30: more takes less time.
const SAMPLE: i32 = 10;
/// `?` is the character for no pixel of six.
const NONE: u8 = b'?';

/// A picture as sixels, on white where it is transparent.
pub(super) fn encode(bitmap: &Bitmap) -> Vec<u8> {
    let PictureSize { width, height } = bitmap.size();
    let (palette, indices) = with_palette(bitmap.rgba());
    let mut out = format!("\x1bP0;1q\"1;1;{width};{height}");
    for (number, color) in palette.iter().enumerate() {
        // In per cent.
        let [red, green, blue] = color.map(|part| (u32::from(part) * 100 + 127) / 255);
        let _ = write!(out, "#{number};2;{red};{green};{blue}");
    }
    let mut out = out.into_bytes();
    let width = width as usize;
    for band in indices.chunks(width * SIX) {
        // Each colour that is in it, with its columns.
        let mut colors: Vec<Option<Vec<u8>>> = vec![None; palette.len()];
        for (place, &color) in band.iter().enumerate() {
            let (row, column) = (place / width, place % width);
            let columns = colors[usize::from(color)].get_or_insert_with(|| vec![0; width]);
            columns[column] |= 1 << row;
        }
        for (number, columns) in colors.iter().enumerate() {
            let Some(columns) = columns else { continue };
            out.extend(format!("#{number}").as_bytes());
            for run in columns.chunk_by(|one, other| one == other) {
                let character = NONE + run[0];
                match run.len() {
                    length @ ..=3 => out.extend(std::iter::repeat_n(character, length)),
                    length => out.extend(format!("!{length}{}", char::from(character)).as_bytes()),
                }
            }
            out.push(b'$');
        }
        out.push(b'-');
    }
    out.extend(b"\x1b\\");
    out
}

/// The colours of pixels, and of each pixel which one it has.
fn with_palette(rgba: &[u8]) -> (Vec<[u8; 3]>, Vec<u8>) {
    let mut rgba = rgba.to_vec();
    for pixel in rgba.chunks_exact_mut(4) {
        let alpha = u32::from(pixel[3]);
        for part in &mut pixel[..3] {
            let blended = (u32::from(*part) * alpha + 255 * (255 - alpha) + 127) / 255;
            *part = u8::try_from(blended).unwrap_or(255);
        }
        pixel[3] = 255;
    }
    exact(&rgba).unwrap_or_else(|| {
        let chosen = NeuQuant::new(SAMPLE, COLORS, &rgba);
        let palette = chosen.color_map_rgb().chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect();
        let mut known: HashMap<&[u8], u8> = HashMap::new();
        let nearest = |pixel| {
            let of = |pixel| u8::try_from(chosen.index_of(pixel)).unwrap_or_default();
            *known.entry(pixel).or_insert_with(|| of(pixel))
        };
        (palette, rgba.chunks_exact(4).map(nearest).collect())
    })
}

/// The same where there are few enough colours to have each.
fn exact(rgba: &[u8]) -> Option<(Vec<[u8; 3]>, Vec<u8>)> {
    let (mut palette, mut known) = (Vec::new(), HashMap::new());
    let indices = rgba.chunks_exact(4).map(|pixel| {
        let color = [pixel[0], pixel[1], pixel[2]];
        if let Some(&index) = known.get(&color) {
            return Some(index);
        }
        let index = u8::try_from(palette.len()).ok()?;
        palette.push(color);
        known.insert(color, index);
        Some(index)
    });
    let indices = indices.collect::<Option<Vec<u8>>>()?;
    Some((palette, indices))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a terminal makes of sixels, in red, green and blue.
    fn decoded(sixels: &[u8], width: usize, height: usize) -> Vec<Option<[u8; 3]>> {
        let text = std::str::from_utf8(sixels).unwrap();
        let text = text.strip_prefix("\x1bP0;1q").unwrap().strip_suffix("\x1b\\").unwrap();
        let mut pixels = vec![None; width * height];
        let (mut palette, mut color) = (HashMap::new(), 0);
        let (mut x, mut y) = (0, 0);
        let mut rest = text.strip_prefix(&format!("\"1;1;{width};{height}")).unwrap();
        let numbers = |rest: &mut &str| {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(rest.len());
            let (all, behind) = rest.split_at(end);
            *rest = behind;
            all.split(';').map(|n| n.parse::<usize>().unwrap()).collect::<Vec<_>>()
        };
        while let Some(c) = rest.chars().next() {
            rest = &rest[1..];
            let mut repeat = 1;
            let c = match c {
                '!' => {
                    repeat = numbers(&mut rest)[0];
                    let c = rest.chars().next().unwrap();
                    rest = &rest[1..];
                    c
                }
                c => c,
            };
            match c {
                '#' => match numbers(&mut rest)[..] {
                    [number] => color = number,
                    [number, 2, r, g, b] => {
                        let parts = [r, g, b].map(|part| ((part * 255 + 50) / 100) as u8);
                        palette.insert(number, parts);
                    }
                    ref other => panic!("{other:?}"),
                },
                '$' => x = 0,
                '-' => (x, y) = (0, y + SIX),
                c => {
                    let bits = c as u8 - NONE;
                    for _ in 0..repeat {
                        for row in (0..SIX).filter(|row| bits & (1 << row) != 0) {
                            pixels[(y + row) * width + x] = Some(palette[&color]);
                        }
                        x += 1;
                    }
                }
            }
        }
        pixels
    }

    fn near(one: [u8; 3], other: [u8; 3], most: i16) -> bool {
        one.iter().zip(other).all(|(a, b)| (i16::from(*a) - i16::from(b)).abs() <= most)
    }

    #[test]
    fn each_pixel_has_its_colour() {
        let (width, height) = (13, 17);
        let colors = [[255, 0, 0], [0, 128, 255], [10, 20, 30], [255, 255, 255]];
        let rgba: Vec<u8> = (0..width * height)
            .flat_map(|n| {
                let [r, g, b] = colors[(n * 7 / 5) % 4];
                [r, g, b, 255]
            })
            .collect();
        let bitmap = Bitmap::of(width as u32, height as u32, rgba.clone()).unwrap();
        let shown = decoded(&encode(&bitmap), width, height);
        for (pixel, shown) in rgba.chunks(4).zip(shown) {
            // A per cent is what a colour is told to.
            assert!(near([pixel[0], pixel[1], pixel[2]], shown.unwrap(), 3), "{pixel:?} {shown:?}");
        }
    }

    #[test]
    fn of_many_colours_each_pixel_has_one_that_is_near() {
        let (width, height) = (64, 64);
        let rgba: Vec<u8> = (0..width * height)
            .flat_map(|n| [(n % 64 * 4) as u8, (n / 64 * 4) as u8, 128, 255])
            .collect();
        let bitmap = Bitmap::of(width as u32, height as u32, rgba.clone()).unwrap();
        let shown = decoded(&encode(&bitmap), width, height);
        for (pixel, shown) in rgba.chunks(4).zip(shown) {
            assert!(
                near([pixel[0], pixel[1], pixel[2]], shown.unwrap(), 48),
                "{pixel:?} {shown:?}"
            );
        }
    }

    #[test]
    fn what_is_transparent_is_white() {
        let bitmap = Bitmap::of(2, 1, vec![0, 0, 0, 0, 0, 0, 0, 255]).unwrap();
        let shown = decoded(&encode(&bitmap), 2, 1);
        assert_eq!(shown, [Some([255, 255, 255]), Some([0, 0, 0])]);
    }
}
