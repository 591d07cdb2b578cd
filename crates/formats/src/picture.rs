//! Small pictures of attached ones. What was attached is somebody else's file: it is looked at within bounds, and
//! what comes out is a picture of our own making.

use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// The largest picture that is opened, each way and unpacked.
const LARGEST: u32 = 12_000;
const MEMORY: u64 = 128 << 20;

/// The picture as a PNG no larger than this each way; what is wrong with it in words. One that is small already
/// keeps its size.
pub fn thumbnail(bytes: &[u8], width: u32, height: u32) -> Result<Vec<u8>, String> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|_| "It is no picture.".to_owned())?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Gif)) {
        return Err("It is no PNG, JPEG or GIF.".to_owned());
    }
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(LARGEST);
    limits.max_image_height = Some(LARGEST);
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let picture = reader.decode().map_err(|e| match e {
        image::ImageError::Limits(_) => "The picture is too large to be made smaller here.".to_owned(),
        _ => "The picture is broken.".to_owned(),
    })?;
    let fits = picture.width() <= width && picture.height() <= height;
    let small = if fits { picture } else { picture.thumbnail(width, height) };
    // Colours of 16 bits are more than a small picture shows.
    let small = DynamicImage::ImageRgba8(small.into_rgba8());
    let mut out = Cursor::new(Vec::new());
    small.write_to(&mut out, ImageFormat::Png).map_err(|_| "The picture is broken.".to_owned())?;
    Ok(out.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(width, height).write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    #[test]
    fn a_picture_of_each_kind_becomes_a_small_png_of_its_shape() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif] {
            let small = thumbnail(&written(400, 100, format), 200, 200).unwrap();
            let read = image::load_from_memory_with_format(&small, ImageFormat::Png).unwrap();
            assert_eq!((read.width(), read.height()), (200, 50), "{format:?}");
        }
        let small = thumbnail(&written(20, 10, ImageFormat::Png), 200, 200).unwrap();
        let read = image::load_from_memory_with_format(&small, ImageFormat::Png).unwrap();
        assert_eq!((read.width(), read.height()), (20, 10));
    }

    #[test]
    fn what_unpacks_to_more_than_is_good_is_not_opened() {
        // A few hundred bytes that say that they are 400 million pixels.
        let mut bomb = written(10, 10, ImageFormat::Png);
        bomb[16..20].copy_from_slice(&20_000u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&20_000u32.to_be_bytes());
        let checksum = crc(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
        assert!(thumbnail(&bomb, 200, 200).unwrap_err().contains("too large"));
        // Within the bounds each way, and too much together.
        bomb[16..20].copy_from_slice(&11_000u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&11_000u32.to_be_bytes());
        let checksum = crc(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
        assert!(thumbnail(&bomb, 200, 200).unwrap_err().contains("too large"));
        for bad in [&b""[..], b"no picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", &bomb[..40]] {
            assert!(thumbnail(bad, 200, 200).is_err());
        }
    }

    /// The checksum of a PNG chunk (RFC 2083, 15).
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
            })
        })
    }
}
