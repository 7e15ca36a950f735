//! The pixels of pictures: whether a picture can be decoded, and one that is small enough to be
//! shown. Computes only: no I/O, no clock, no session.

use std::io::Cursor;

use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits,
    codecs::{jpeg::JpegEncoder, png::PngEncoder},
    imageops::FilterType,
    metadata::Orientation,
};
use mcp_repl_sideband::PictureLimit;

use crate::reply::{PictureKind, PictureSize};

/// How many pixels a picture may have that is decoded to be made smaller.
const MOST_PIXELS: u64 = 50_000_000;
/// How much memory decoding may take, in bytes: a picture of that many pixels, four bytes each,
/// and what the decoder needs beside it.
const MOST_MEMORY: u64 = 256 << 20;
/// From this size on, in bytes, a PNG may be a photograph, which JPEG takes much less for.
const MAY_BE_PHOTOGRAPH: usize = 128 << 10;
/// How good a JPEG is at first, of 100.
const QUALITY: u8 = 85;
/// What is tried, one after the other, to make a picture take less: the JPEG's quality, and the
/// part of each side that is left.
const SMALLER: [(u8, f64); 8] =
    [(QUALITY, 1.0), (70, 1.0), (50, 1.0), (70, 0.7), (50, 0.7), (60, 0.5), (50, 0.35), (50, 0.25)];

/// Why a picture can't be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Its data is not what its kind asks for.
    #[error("it can't be decoded: {0}")]
    Damaged(String),
    /// Decoding it would take too much time and memory.
    #[error("{0} is too large")]
    TooLarge(PictureSize),
}

/// A picture in a file format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The format.
    pub kind: PictureKind,
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// How large it is.
    pub size: PictureSize,
}

/// A picture that can be shown.
#[derive(Debug)]
pub struct Picture {
    /// The size it came in.
    pub original: PictureSize,
    /// It, no larger than the limit.
    pub encoded: Encoded,
    /// Its pixels, of the size of `encoded`.
    pixels: DynamicImage,
}

impl Picture {
    /// Decodes a picture's bytes and makes it no larger than the limit. One that is small enough
    /// stays as it is, unless a JPEG takes less than half of what it does.
    ///
    /// # Errors
    /// When it can't be decoded, or is too large for that.
    pub fn decode(
        bytes: &[u8],
        kind: PictureKind,
        limit: PictureLimit,
    ) -> Result<Picture, PictureError> {
        let (pixels, orientation) = decode(bytes, kind)?;
        let original = size_of(&pixels, orientation);
        let size = fit(original, limit);
        let stays = size == original && is_whole(bytes, kind);
        let pixels =
            if stays { turned(pixels, orientation) } else { scaled(pixels, orientation, size) };
        let encoded = if stays {
            Encoded { kind, bytes: bytes.to_vec(), size }
        } else if kind == PictureKind::Jpeg {
            jpeg(&pixels, QUALITY)?
        } else {
            png(&pixels)?
        };
        let mut picture = Picture { original, encoded, pixels };
        picture.prefer_jpeg()?;
        Ok(picture)
    }

    /// Takes a JPEG in the place of a PNG of a photograph.
    fn prefer_jpeg(&mut self) -> Result<(), PictureError> {
        let Encoded { kind, bytes, .. } = &self.encoded;
        if *kind == PictureKind::Png && bytes.len() > MAY_BE_PHOTOGRAPH {
            let jpeg = jpeg(&self.pixels, QUALITY)?;
            if jpeg.bytes.len() < bytes.len() / 2 {
                self.encoded = jpeg;
            }
        }
        Ok(())
    }

    /// The picture in at most so many bytes; `None` when it takes more, however small and coarse.
    pub fn within(&self, most: usize) -> Option<Encoded> {
        if self.encoded.bytes.len() <= most {
            return Some(self.encoded.clone());
        }
        SMALLER.into_iter().find_map(|(quality, part)| {
            let side = |side: u32| ((f64::from(side) * part) as u32).max(1);
            let (width, height) = (side(self.pixels.width()), side(self.pixels.height()));
            let smaller = if part < 1.0 {
                jpeg(&resized(&self.pixels, width, height), quality)
            } else {
                jpeg(&self.pixels, quality)
            };
            smaller.ok().filter(|smaller| smaller.bytes.len() <= most)
        })
    }
}

/// The pixels of a picture that is shown on a terminal.
#[derive(Debug)]
pub struct Bitmap(image::RgbaImage);

impl Bitmap {
    /// Decodes a picture's bytes and makes it no wider and no higher than that.
    ///
    /// # Errors
    /// When it can't be decoded, or is too large for that.
    pub fn decode(
        bytes: &[u8],
        kind: PictureKind,
        most: PictureSize,
    ) -> Result<Bitmap, PictureError> {
        let (pixels, orientation) = decode(bytes, kind)?;
        let size = size_of(&pixels, orientation);
        let part = |most: u32, side: u32| f64::from(most.max(1)) / f64::from(side.max(1));
        let part = part(most.width, size.width).min(part(most.height, size.height)).min(1.0);
        let side = |side: u32| ((f64::from(side) * part + 1e-6) as u32).max(1);
        let size = PictureSize { width: side(size.width), height: side(size.height) };
        Ok(Bitmap(scaled(pixels, orientation, size).into_rgba8()))
    }

    /// How large it is.
    pub fn size(&self) -> PictureSize {
        PictureSize { width: self.0.width(), height: self.0.height() }
    }

    /// Red, green, blue and alpha of each pixel, row by row.
    pub fn rgba(&self) -> &[u8] {
        self.0.as_raw()
    }

    /// It as a file.
    ///
    /// # Errors
    /// When that can't be made.
    pub fn png(&self) -> Result<Vec<u8>, PictureError> {
        Ok(png(&DynamicImage::ImageRgba8(self.0.clone()))?.bytes)
    }

    /// One of these pixels.
    #[cfg(test)]
    pub(crate) fn of(width: u32, height: u32, rgba: Vec<u8>) -> Option<Bitmap> {
        image::RgbaImage::from_raw(width, height, rgba).map(Bitmap)
    }
}

/// The largest size of the same shape that is within the limit; the size itself if it is.
fn fit(size: PictureSize, limit: PictureLimit) -> PictureSize {
    let PictureSize { width, height } = size;
    let longer = f64::from(width.max(height));
    let area = f64::from(width) * f64::from(height);
    let part = (f64::from(limit.edge) / longer).min((f64::from(limit.area) / area).sqrt());
    if part >= 1.0 {
        return size;
    }
    // What is a pixel but for the last bit of a number is one.
    let side = |side: u32| ((f64::from(side) * part + 1e-6) as u32).max(1);
    PictureSize { width: side(width), height: side(height) }
}

/// A picture's first frame, and how it is to be turned.
fn decode(bytes: &[u8], kind: PictureKind) -> Result<(DynamicImage, Orientation), PictureError> {
    let damaged = |error: image::ImageError| PictureError::Damaged(error.to_string());
    let format = match kind {
        PictureKind::Png => ImageFormat::Png,
        PictureKind::Jpeg => ImageFormat::Jpeg,
        PictureKind::Gif => ImageFormat::Gif,
        PictureKind::WebP => ImageFormat::WebP,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MOST_PIXELS || decoder.total_bytes() > MOST_MEMORY {
        return Err(PictureError::TooLarge(PictureSize { width, height }));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let pixels = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    Ok((pixels, orientation))
}

/// Whether the file has an end, which decoders do without and the models' own may not.
fn is_whole(bytes: &[u8], kind: PictureKind) -> bool {
    match kind {
        PictureKind::Png => bytes.ends_with(b"\0\0\0\0IEND\xae\x42\x60\x82"),
        PictureKind::Jpeg => bytes.ends_with(b"\xff\xd9"),
        PictureKind::Gif => bytes.ends_with(b"\x3b"),
        // The container says how long it is, behind its own head of 8 bytes.
        PictureKind::WebP => bytes
            .get(4..8)
            .and_then(|length| length.try_into().ok())
            .is_some_and(|length| bytes.len() - 8 >= u32::from_le_bytes(length) as usize),
    }
}

/// The size as it is seen.
fn size_of(pixels: &DynamicImage, orientation: Orientation) -> PictureSize {
    let (width, height) = (pixels.width(), pixels.height());
    match orientation {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => PictureSize { width: height, height: width },
        _ => PictureSize { width, height },
    }
}

/// The picture as it is seen, of this size, with 8 bits a channel.
fn scaled(pixels: DynamicImage, orientation: Orientation, size: PictureSize) -> DynamicImage {
    let pixels = if pixels.color().has_alpha() {
        DynamicImage::ImageRgba8(pixels.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(pixels.into_rgb8())
    };
    let PictureSize { width, height } = size;
    // First made smaller, then turned: that is the less work.
    let lies = size_of(&pixels, orientation) != size_of(&pixels, Orientation::NoTransforms);
    let (width, height) = if lies { (height, width) } else { (width, height) };
    turned(resized(&pixels, width, height), orientation)
}

fn turned(mut pixels: DynamicImage, orientation: Orientation) -> DynamicImage {
    pixels.apply_orientation(orientation);
    pixels
}

fn resized(pixels: &DynamicImage, width: u32, height: u32) -> DynamicImage {
    if (width, height) == (pixels.width(), pixels.height()) {
        return pixels.clone();
    }
    // Averages are enough, and fast, as far as twice the size that is wanted.
    let is_far = pixels.width() / width.max(1) >= 4 && pixels.height() / height.max(1) >= 4;
    let near = is_far.then(|| pixels.thumbnail_exact(width * 2, height * 2));
    near.as_ref().unwrap_or(pixels).resize_exact(width, height, FilterType::CatmullRom)
}

fn png(pixels: &DynamicImage) -> Result<Encoded, PictureError> {
    let mut bytes = Vec::new();
    let (width, height) = (pixels.width(), pixels.height());
    PngEncoder::new(&mut bytes)
        .write_image(pixels.as_bytes(), width, height, ExtendedColorType::from(pixels.color()))
        .map_err(|error| PictureError::Damaged(error.to_string()))?;
    Ok(Encoded { kind: PictureKind::Png, bytes, size: PictureSize { width, height } })
}

/// A JPEG, which knows no transparency: what is transparent is white.
fn jpeg(pixels: &DynamicImage, quality: u8) -> Result<Encoded, PictureError> {
    let opaque = if pixels.color().has_alpha() {
        let mut pixels = pixels.to_rgba8();
        for pixel in pixels.pixels_mut() {
            let [red, green, blue, alpha] = pixel.0;
            let on_white = |channel: u8| {
                let (channel, alpha) = (u32::from(channel), u32::from(alpha));
                ((channel * alpha + 255 * (255 - alpha) + 127) / 255) as u8
            };
            pixel.0 = [on_white(red), on_white(green), on_white(blue), 255];
        }
        DynamicImage::ImageRgba8(pixels).into_rgb8()
    } else {
        pixels.to_rgb8()
    };
    let mut bytes = Vec::new();
    let (width, height) = opaque.dimensions();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .write_image(&opaque, width, height, ExtendedColorType::Rgb8)
        .map_err(|error| PictureError::Damaged(error.to_string()))?;
    Ok(Encoded { kind: PictureKind::Jpeg, bytes, size: PictureSize { width, height } })
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};
    use proptest::prelude::*;

    use super::*;

    const LIMIT: PictureLimit = PictureLimit { edge: 1568, area: 1_150_000 };

    /// One for tests, since unoptimised code is slow with many pixels.
    const SMALL: PictureLimit = PictureLimit { edge: 200, area: 10_000 };

    /// The bytes of a picture in a format.
    fn file(pixels: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        pixels.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// Pixels that no format makes small: a xorshift of their place.
    fn noise(width: u32, height: u32) -> RgbImage {
        let mut state = 0x2545_f491_u32;
        RgbImage::from_fn(width, height, |_, _| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let [a, b, c, _] = state.to_le_bytes();
            Rgb([a, b, c])
        })
    }

    /// Pixels as of a photograph: smooth, with a little noise.
    fn photograph(width: u32, height: u32) -> RgbImage {
        let mut noise = noise(width, height);
        for (x, y, pixel) in noise.enumerate_pixels_mut() {
            let wave = |x: u32| (f64::from(x) / 40.0).sin() * 100.0 + 120.0;
            pixel.0 = [(wave(x), 0), (wave(y), 1), (wave(x + y), 2)]
                .map(|(wave, channel)| wave as u8 + pixel.0[channel] / 32);
        }
        noise
    }

    fn seen(encoded: &Encoded) -> RgbaImage {
        image::load_from_memory(&encoded.bytes).unwrap().into_rgba8()
    }

    fn size(width: u32, height: u32) -> PictureSize {
        PictureSize { width, height }
    }

    #[test]
    fn a_picture_that_is_small_enough_stays_as_it_is_in_each_format() {
        for (kind, format) in [
            (PictureKind::Png, ImageFormat::Png),
            (PictureKind::Jpeg, ImageFormat::Jpeg),
            (PictureKind::Gif, ImageFormat::Gif),
            (PictureKind::WebP, ImageFormat::WebP),
        ] {
            let bytes = file(photograph(60, 40), format);
            assert_eq!(PictureKind::of(&bytes), Some(kind));
            let picture = Picture::decode(&bytes, kind, LIMIT).unwrap();
            assert_eq!(picture.encoded, Encoded { kind, bytes, size: size(60, 40) });
        }
    }

    #[test]
    fn a_larger_one_is_scaled_in_its_shape() {
        let red = RgbaImage::from_pixel(1000, 500, Rgba([255, 0, 0, 255]));
        let bytes = file(red, ImageFormat::Png);
        let picture = Picture::decode(&bytes, PictureKind::Png, SMALL).unwrap();
        assert_eq!((picture.original, picture.encoded.size), (size(1000, 500), size(141, 70)));
        assert_eq!(picture.encoded.kind, PictureKind::Png);
        let seen = seen(&picture.encoded);
        assert_eq!(seen.dimensions(), (141, 70));
        assert!(seen.pixels().all(|pixel| pixel.0 == [255, 0, 0, 255]));
    }

    #[test]
    fn a_png_of_a_photograph_becomes_a_jpeg_and_one_of_lines_does_not() {
        let bytes = file(photograph(500, 400), ImageFormat::Png);
        let picture = Picture::decode(&bytes, PictureKind::Png, LIMIT).unwrap();
        assert_eq!(picture.encoded.kind, PictureKind::Jpeg);
        assert!(picture.encoded.bytes.len() < bytes.len() / 2);
        let mut lines = GrayImage::from_pixel(600, 400, Luma([255]));
        for x in 0..600 {
            let y = (f64::from(x) / 90.0).sin() * 180.0 + 200.0;
            lines.put_pixel(x, y as u32, Luma([0]));
        }
        let bytes = file(lines, ImageFormat::Png);
        let picture = Picture::decode(&bytes, PictureKind::Png, LIMIT).unwrap();
        assert_eq!(picture.encoded.bytes, bytes);
    }

    #[test]
    fn what_is_transparent_is_white_in_a_jpeg() {
        let mut pixels = RgbaImage::from_pixel(64, 64, Rgba([0, 0, 0, 0]));
        (0..32).for_each(|x| (0..64).for_each(|y| pixels.put_pixel(x, y, Rgba([0, 0, 255, 255]))));
        let encoded = jpeg(&pixels.into(), QUALITY).unwrap();
        let seen = seen(&encoded);
        let near = |pixel: &Rgba<u8>, wanted: [u8; 3]| {
            pixel.0.iter().zip(wanted).all(|(&is, wanted)| is.abs_diff(wanted) < 16)
        };
        assert!(near(seen.get_pixel(8, 8), [0, 0, 255]), "{:?}", seen.get_pixel(8, 8));
        assert!(near(seen.get_pixel(56, 8), [255; 3]), "{:?}", seen.get_pixel(56, 8));
    }

    #[test]
    fn what_takes_too_much_is_made_smaller_until_it_fits() {
        let bytes = file(noise(300, 300), ImageFormat::Png);
        let picture = Picture::decode(&bytes, PictureKind::Png, LIMIT).unwrap();
        for most in [60_000, 20_000, 4_000] {
            let encoded = picture.within(most).expect("it fits");
            assert!(encoded.bytes.len() <= most);
            assert_eq!(seen(&encoded).dimensions(), (encoded.size.width, encoded.size.height));
        }
        assert_eq!(picture.within(100), None);
        // What fits stays as it is.
        assert_eq!(picture.within(usize::MAX), Some(picture.encoded.clone()));
    }

    #[test]
    fn one_without_an_end_is_written_anew_or_said_to_be_damaged() {
        let whole = file(photograph(300, 200), ImageFormat::Jpeg);
        let cut = &whole[..whole.len() - 2];
        let picture = Picture::decode(cut, PictureKind::Jpeg, LIMIT).unwrap();
        assert!(picture.encoded.bytes.ends_with(b"\xff\xd9"));
        let whole = file(photograph(300, 200), ImageFormat::Png);
        let cut = &whole[..whole.len() / 2];
        let error = Picture::decode(cut, PictureKind::Png, LIMIT).unwrap_err();
        assert!(matches!(error, PictureError::Damaged(_)), "{error}");
    }

    /// A PNG that says it is this large, and has data for nothing.
    fn bomb(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = file(RgbaImage::new(1, 1), ImageFormat::Png);
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let head = chunk(b"IHDR", &bytes[16..29]);
        bytes[8..33].copy_from_slice(&head);
        bytes
    }

    /// A chunk of a PNG (section 5.3), with its checksum.
    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let body = [kind, data].concat();
        let mut crc = u32::MAX;
        for byte in &body {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
            }
        }
        let length = (data.len() as u32).to_be_bytes();
        [&length[..], &body, &(!crc).to_be_bytes()].concat()
    }

    #[test]
    fn one_that_is_far_too_large_is_not_decoded() {
        for (width, height) in [(50_000, 50_000), (2_000_000_000, 2_000_000_000), (1, u32::MAX)] {
            assert!(Picture::decode(&bomb(width, height), PictureKind::Png, LIMIT).is_err());
        }
        let error = Picture::decode(&bomb(50_000, 50_000), PictureKind::Png, LIMIT).unwrap_err();
        assert_eq!(error, PictureError::TooLarge(size(50_000, 50_000)));
        let error = Picture::decode(&bomb(0, 7), PictureKind::Png, LIMIT).unwrap_err();
        assert!(matches!(error, PictureError::Damaged(_)), "{error}");
    }

    #[test]
    fn data_that_unfolds_to_far_more_than_the_picture_does_no_harm() {
        use std::io::Write as _;
        // 100 MiB of zeros, for a picture of one pixel; as its pixels, and as a text beside it (PNG,
        // sections 11.2.3 and 11.3.3.3).
        let mut zeros = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        (0..100).for_each(|_| zeros.write_all(&[0; 1 << 20]).unwrap());
        let zeros = zeros.finish().unwrap();
        let pixel = file(RgbaImage::new(1, 1), ImageFormat::Png);
        for (kind, head) in [(b"IDAT", &b""[..]), (b"zTXt", b"key\0\0")] {
            let mut bytes = pixel[..33].to_vec();
            bytes.extend(chunk(kind, &[head, &zeros].concat()));
            bytes.extend(&pixel[33..]);
            let picture = Picture::decode(&bytes, PictureKind::Png, LIMIT).unwrap();
            assert_eq!(picture.encoded.size, size(1, 1));
        }
    }

    #[test]
    fn an_extreme_shape_keeps_a_pixel() {
        assert_eq!(fit(size(100_000, 1), LIMIT), size(1568, 1));
        let bytes = file(RgbImage::new(30_000, 2), ImageFormat::Png);
        let picture = Picture::decode(&bytes, PictureKind::Png, LIMIT).unwrap();
        assert_eq!(picture.encoded.size, size(1568, 1));
    }

    #[test]
    fn a_photograph_that_lies_on_its_side_is_turned_when_it_is_scaled() {
        // An EXIF segment (APP1) that says: turn by 90 degrees clockwise (orientation 6).
        let mut exif =
            b"\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
        exif.extend(b"\0\x06\0\0\0\0\0\0");
        let mut bytes = file(photograph(400, 200), ImageFormat::Jpeg);
        bytes.splice(2..2, exif);
        let picture = Picture::decode(&bytes, PictureKind::Jpeg, SMALL).unwrap();
        assert_eq!((picture.original, picture.encoded.size), (size(200, 400), size(70, 141)));
        assert_eq!(seen(&picture.encoded).dimensions(), (70, 141));
    }

    proptest! {
        #[test]
        fn what_fits_is_within_the_limit(
            width in 1..100_000_u32, height in 1..100_000_u32, edge in 64..1568_u32,
        ) {
            let area = u64::from(edge) * u64::from(edge) * 1_150_000 / (1568 * 1568);
            let limit = PictureLimit { edge, area: area as u32 };
            let fits = fit(PictureSize { width, height }, limit);
            prop_assert!(fits.width.max(fits.height) <= edge);
            prop_assert!(fits.width * fits.height <= limit.area);
            prop_assert!(fits.width >= 1 && fits.height >= 1);
        }

        #[test]
        fn bytes_of_any_kind_panic_in_no_decoder(
            kind in prop::sample::select(vec![
                PictureKind::Png, PictureKind::Jpeg, PictureKind::Gif, PictureKind::WebP,
            ]),
            place in 0..2000_usize,
            with in prop::collection::vec(any::<u8>(), 0..40),
            cut in 0..4000_usize,
        ) {
            let format = match kind {
                PictureKind::Png => ImageFormat::Png,
                PictureKind::Jpeg => ImageFormat::Jpeg,
                PictureKind::Gif => ImageFormat::Gif,
                PictureKind::WebP => ImageFormat::WebP,
            };
            let mut bytes = file(photograph(30, 20), format);
            let end = (place + with.len()).min(bytes.len());
            let place = place.min(end);
            bytes.splice(place..end, with);
            bytes.truncate(cut);
            let _ = Picture::decode(&bytes, kind, LIMIT);
        }
    }
}
