//! Tiny files of every kind, made by encoders of others where there are any.

use image_webp::{ColorType, WebPEncoder};
use jpeg_encoder::Encoder;

/// The side of a sample, in pixels.
pub(super) const SIDE: u16 = 48;

/// Pixels with some noise in them, so that they fill more than a header; red, green, blue.
pub(super) fn pixels(bytes_each: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[0]
    };
    let count = usize::from(SIDE) * usize::from(SIDE) * bytes_each;
    (0..count).map(|at| u8::try_from(at % 251).unwrap() / 2 + next() / 8).collect()
}

/// A JPEG of one kind or another.
pub(super) fn jpeg(is_progressive: bool, restart: Option<u16>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 80);
    encoder.set_progressive(is_progressive);
    if let Some(interval) = restart {
        encoder.set_restart_interval(interval);
    }
    encoder.encode(&pixels(3), SIDE, SIDE, jpeg_encoder::ColorType::Rgb).unwrap();
    file
}

/// A JPEG in shades of grey, or in the colours of print.
pub(super) fn jpeg_of(kind: jpeg_encoder::ColorType, bytes_each: usize) -> Vec<u8> {
    let mut file = Vec::new();
    Encoder::new(&mut file, 80).encode(&pixels(bytes_each), SIDE, SIDE, kind).unwrap();
    file
}

/// A PNG.
pub(super) fn png() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, u32::from(SIDE), u32::from(SIDE));
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&pixels(3)).unwrap();
    drop(writer);
    file
}

/// A lossless WebP.
pub(super) fn webp() -> Vec<u8> {
    let mut file = Vec::new();
    WebPEncoder::new(&mut file).encode(&pixels(3), SIDE.into(), SIDE.into(), ColorType::Rgb8).unwrap();
    file
}

/// A PDF of one empty page.
pub(super) fn pdf() -> Vec<u8> {
    let body = "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
                3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n";
    let table = "xref\n0 1\n0000000000 65535 f \ntrailer<</Size 4/Root 1 0 R>>\n";
    format!("{body}{table}startxref\n{}\n%%EOF\n", body.len()).into_bytes()
}

/// A lossy WebP, which `cwebp` made: 64 by 48 pixels of a gradient with noise.
pub(super) fn lossy_webp() -> Vec<u8> {
    const BASE64: &str = "\
         UklGRlQBAABXRUJQVlA4IEgBAAAQCgCdASpAADAAPpFAlUevsSIhLVzLaiASCWprcqsA2ERjFR+G8zG3dwQLbietNV6NP06ArV/A\
         dLUl+TDEuIhdapY6ZZ/7wNEaZR2J0bnXaLGR35YU78APAAD+/3Ig+CUgaxnCi2nwf0aqN7uosJxMGXFO4qAPqYkXjhMMTcr0VnNS\
         1qPCZJSc4AkSmuUEMxYlBSZAF44mNH/k6Fjkcl1HDsHPsxX6yPLzpNrhP2PH5VU2S/0ujSoAIjum8zLHbW+kIUyA2QVudJRGIPq+\
         Zli1F6M+M8SiVj8P8fdL51TO3PzkHS96i2WOtokSv/MdBpT7RFcWaHRQwSPwo12aHtl4lsT4hJg2pY5QsF85/lUIlsfLtvY2V52D\
         lt70cSeFCnBvZfD0jcqV+PfIaYHeVepHH9UYTNJ0knBi1PSrqw+jWETmynSRMAAA";
    data_encoding::BASE64.decode(BASE64.as_bytes()).unwrap()
}
