//! Tests: what is a file that somebody can look at, and what is none.

use proptest::prelude::*;

use super::samples::{SIDE, jpeg, jpeg_of, lossy_webp, pdf, png, webp};
use super::*;

fn check(bytes: &[u8]) -> Result<MediaType, FileFault> {
    CheckedFile::check(Secret::new(bytes.to_vec())).map(|checked| checked.media_type())
}

/// A whole file of every kind and form that is taken.
fn whole() -> Vec<(&'static str, Vec<u8>, MediaType)> {
    vec![
        ("jpeg", jpeg(false, None), MediaType::Jpeg),
        ("jpeg with restarts", jpeg(false, Some(4)), MediaType::Jpeg),
        ("progressive jpeg", jpeg(true, None), MediaType::Jpeg),
        ("grey jpeg", jpeg_of(jpeg_encoder::ColorType::Luma, 1), MediaType::Jpeg),
        ("jpeg for print", jpeg_of(jpeg_encoder::ColorType::Cmyk, 4), MediaType::Jpeg),
        ("png", png(), MediaType::Png),
        ("lossless webp", webp(), MediaType::Webp),
        ("lossy webp", lossy_webp(), MediaType::Webp),
        ("pdf", pdf(), MediaType::Pdf),
    ]
}

/// Bytes that look random and are the same every time.
fn noise(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[1]
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn whole_files_of_every_kind_are_told_by_their_bytes() {
    for (name, bytes, kind) in whole() {
        assert_eq!(check(&bytes), Ok(kind), "{name}");
    }
}

#[test]
fn a_file_knows_its_digest_and_shows_nothing_of_itself() {
    let checked = CheckedFile::check(Secret::new(pdf())).unwrap();
    assert_eq!(checked.size(), pdf().len() as u64);
    assert_eq!(checked.digest().to_hex().expose().len(), 64);
    let other = CheckedFile::check(Secret::new([pdf(), b"\n".to_vec()].concat())).unwrap();
    assert_ne!(checked.digest(), other.digest());
    let shown = format!("{checked:?}");
    assert!(
        !shown.contains(checked.digest().to_hex().expose()) && !shown.contains("37, 80, 68, 70"),
        "{shown}"
    );
}

#[test]
fn what_is_empty_too_large_or_of_another_kind_is_refused() {
    assert_eq!(check(b""), Err(FileFault::Empty));
    let mut large = png();
    large.resize(MAX_BYTES + 1, 0);
    assert_eq!(check(&large), Err(FileFault::TooLarge));
    for other in [
        &b"GIF89a\x01\x00\x01\x00"[..],
        b"BM",
        b"II*\x00",
        b"\x00\x00\x00\x20ftypheic",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html><script>alert(1)</script>",
        b"MZ",
        b"\x7fELF",
        b"PK\x03\x04",
        b"RIFF\x04\x00\x00\x00WAVE",
        b"\x89PNG\r\n\x1a",
        b"\xff\xd8",
        b" %PDF-1.7",
        b"\0",
    ] {
        assert_eq!(check(other), Err(FileFault::Unsupported), "{other:?}");
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    for (name, bytes, kind) in whole() {
        for length in 1..bytes.len() {
            // A line feed after the last word of a PDF says nothing.
            if kind == MediaType::Pdf && length >= bytes.len() - 1 {
                continue;
            }
            let cut = check(&bytes[..length]);
            assert!(
                matches!(cut, Err(FileFault::Damaged | FileFault::Unsupported)),
                "{name} at {length}: {cut:?}"
            );
            assert!(length < 12 || cut == Err(FileFault::Damaged), "{name} at {length}: {cut:?}");
        }
    }
}

#[test]
fn a_valid_header_with_a_random_body_is_refused() {
    for (name, bytes, kind) in whole() {
        if name == "lossy webp" {
            // Nearly every sequence of bits stands for some picture; what the container says is all that binds.
            continue;
        }
        for (part, seed) in [(4, 1), (4, 2), (3, 3), (2, 4), (2, 5)] {
            // Behind its tables a lossless WebP is told from noise by its length alone.
            let header = match kind {
                MediaType::Pdf => 9,
                MediaType::Webp => 8 * part + 8,
                MediaType::Jpeg | MediaType::Png => bytes.len() / part,
            };
            let body = noise(bytes.len() - header, seed);
            let made = [&bytes[..header], &body].concat();
            assert_eq!(check(&made), Err(FileFault::Damaged), "{name} from {header} on");
        }
    }
}

/// A lossless WebP whose tables are whole gives a picture whatever follows. Noise is told by needing more or less of
/// the chunk than the picture did, so of a picture that is no noise itself nearly always.
#[test]
fn noise_behind_the_tables_of_a_lossless_webp_is_nearly_always_refused() {
    let mut whole = Vec::new();
    let grain = noise(usize::from(SIDE) * usize::from(SIDE), 7);
    let pixel = |(at, grain): (usize, &u8)| {
        let (x, y) = (at % usize::from(SIDE), at / usize::from(SIDE));
        [u8::try_from(5 * x).unwrap() ^ (grain & 15), u8::try_from(5 * y).unwrap(), grain & 63]
    };
    let pixels: Vec<u8> = grain.iter().enumerate().flat_map(pixel).collect();
    let encoder = image_webp::WebPEncoder::new(&mut whole);
    encoder.encode(&pixels, SIDE.into(), SIDE.into(), image_webp::ColorType::Rgb8).unwrap();
    assert_eq!(check(&whole), Ok(MediaType::Webp));
    let half = whole.len() / 2;
    let refused = (1..=40).filter(|seed| {
        let made = [&whole[..half], &noise(whole.len() - half, *seed)].concat();
        check(&made) == Err(FileFault::Damaged)
    });
    let refused = refused.count();
    assert!(refused >= 30, "{refused} of 40");
}

#[test]
fn a_changed_byte_of_a_png_is_found_wherever_it_is() {
    let whole = png();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        assert!(check(&bytes).is_err(), "{at}");
    }
}

#[test]
fn dimensions_are_bounded_from_the_header_before_anything_is_decoded() {
    let be = |size: u32| size.to_be_bytes();
    let png_of = |width, height| {
        let mut bytes = png();
        bytes[16..20].copy_from_slice(&be(width));
        bytes[20..24].copy_from_slice(&be(height));
        bytes
    };
    // The checksum of the changed header is wrong, so that what the bounds let pass is damaged and nothing else.
    for (width, height, expected) in [
        (MAX_SIDE, 3333, FileFault::Damaged),
        (MAX_SIDE + 1, 1, FileFault::TooManyPixels),
        (1, MAX_SIDE + 1, FileFault::TooManyPixels),
        (8000, 5000, FileFault::Damaged),
        (8000, 5001, FileFault::TooManyPixels),
        (u32::MAX, u32::MAX, FileFault::TooManyPixels),
        (0, 9, FileFault::Damaged),
        (9, 0, FileFault::Damaged),
    ] {
        assert_eq!(check(&png_of(width, height)), Err(expected), "{width} x {height}");
    }
    let mut bomb = jpeg(false, None);
    let frame = bomb.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    bomb[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    assert_eq!(check(&bomb), Err(FileFault::TooManyPixels));
    // Even where nothing of a picture follows.
    assert_eq!(check(&bomb[..frame + 20]), Err(FileFault::TooManyPixels));

    let mut bomb = webp();
    bomb[21..25].copy_from_slice(&[0xff, 0xff, 0xff, 0x0f]);
    assert_eq!(check(&bomb), Err(FileFault::TooManyPixels));
    let mut bomb = lossy_webp();
    bomb[26..30].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    assert_eq!(check(&bomb), Err(FileFault::TooManyPixels));
}

#[test]
fn a_picture_in_a_container_of_another_size_is_refused_before_it_is_decoded() {
    let picture = lossy_webp();
    let container = |picture: &[u8], canvas: [u8; 6], flags: u8| {
        let mut bytes = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0".to_vec();
        bytes.extend([flags, 0, 0, 0]);
        bytes.extend(canvas);
        bytes.extend(&picture[12..]);
        let length = u32::try_from(bytes.len() - 8).unwrap();
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
        bytes
    };
    assert_eq!(check(&container(&picture, [63, 0, 0, 47, 0, 0], 0)), Ok(MediaType::Webp));
    assert_eq!(check(&container(&picture, [9, 0, 0, 9, 0, 0], 0)), Err(FileFault::Damaged));
    let mut bomb = picture.clone();
    bomb[26..30].copy_from_slice(&[0xff, 0x3f, 0xff, 0x3f]);
    assert_eq!(check(&container(&bomb, [63, 0, 0, 47, 0, 0], 0)), Err(FileFault::TooManyPixels));
}

#[test]
fn what_moves_is_refused() {
    let mut file = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut file, 2, 2);
    encoder.set_color(::png::ColorType::Grayscale);
    encoder.set_animated(2, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0; 4]).unwrap();
    writer.write_image_data(&[9; 4]).unwrap();
    drop(writer);
    assert_eq!(check(&file), Err(FileFault::Animated));

    let mut moving =
        b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\x02\0\0\x02\0\0ANIM\x06\0\0\0\0\0\0\0\0\0".to_vec();
    let length = u32::try_from(moving.len() - 8).unwrap();
    moving[4..8].copy_from_slice(&length.to_le_bytes());
    assert_eq!(check(&moving), Err(FileFault::Animated));
}

#[test]
fn an_interlaced_png_is_taken_and_one_with_a_bomb_of_text_is_not_unfolded() {
    let mut file = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut file, u32::from(SIDE), u32::from(SIDE));
    encoder.set_color(::png::ColorType::Grayscale);
    encoder.add_ztxt_chunk("Comment".into(), "x".repeat(200_000)).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![7; usize::from(SIDE) * usize::from(SIDE)]).unwrap();
    drop(writer);
    assert_eq!(check(&file), Ok(MediaType::Png));
}

#[test]
fn rare_forms_of_jpeg_are_unsupported_and_ill_formed_ones_damaged() {
    let whole = jpeg(false, None);
    let frame = whole.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    for marker in [0xc3, 0xc5, 0xc9, 0xca, 0xcf] {
        let mut rare = whole.clone();
        rare[frame + 1] = marker;
        assert_eq!(check(&rare), Err(FileFault::Unsupported), "{marker:x}");
    }
    let after = |bytes: &[u8]| [&whole[..2], bytes, &whole[2..]].concat();
    assert_eq!(check(&after(&[0xff, 0xd8])), Err(FileFault::Damaged), "a second beginning");
    assert_eq!(check(&after(&[0xff, 0xe1, 0, 2, 7, 7])), Err(FileFault::Damaged), "garbage between segments");
    assert_eq!(
        check(&after(&[0xff, 0xe1, 0, 1])),
        Err(FileFault::Damaged),
        "a segment shorter than its length"
    );
    assert_eq!(
        check(&after(&[0xff, 0xff, 0xff, 0xfe, 0, 3, 7])),
        Ok(MediaType::Jpeg),
        "fill bytes and a comment"
    );
    let film = [&whole[..], b"\0\0\0\x18ftypmp42", &noise(5000, 9)].concat();
    assert_eq!(check(&film), Ok(MediaType::Jpeg), "what a camera puts behind the picture");
}

#[test]
fn a_file_that_is_two_kinds_at_once_is_what_its_first_bytes_say() {
    let both = [jpeg(false, None), pdf()].concat();
    assert_eq!(check(&both), Ok(MediaType::Jpeg));
    let only_begins = [&[0xff, 0xd8, 0xff][..], &pdf()].concat();
    assert_eq!(check(&only_begins), Err(FileFault::Damaged));
    let page = [png(), b"<script>alert(1)</script>".to_vec()].concat();
    assert_eq!(check(&page), Ok(MediaType::Png));
    let begins_as_pdf = [b"%PDF-1.7\n".to_vec(), jpeg(false, None)].concat();
    assert_eq!(check(&begins_as_pdf), Err(FileFault::Damaged));
}

#[test]
fn a_pdf_needs_its_header_and_an_end_that_leads_to_a_cross_reference() {
    let whole = String::from_utf8(pdf()).unwrap();
    let offset = whole.find("xref\n0 1").unwrap().to_string();
    for (from, to) in [
        ("%PDF-1.7", "%PDF-x.7"),
        ("%PDF-1.7", "%PDF-1:7"),
        ("%%EOF", "%%EOX"),
        ("startxref", "startxxxx"),
        (offset.as_str(), "7"),
        (offset.as_str(), "99999999"),
        (offset.as_str(), "99999999999999999999999999"),
        (offset.as_str(), "-1"),
        (offset.as_str(), "one"),
        ("xref\n0 1", "xxxx\n0 1"),
    ] {
        assert!(whole.contains(from));
        assert_eq!(check(whole.replacen(from, to, 1).as_bytes()), Err(FileFault::Damaged), "{from} -> {to}");
    }
    let stream = whole.replace("xref\n0 1\n", "7 0 obj<</Type/XRef>>\n");
    assert_eq!(check(stream.as_bytes()), Ok(MediaType::Pdf), "a cross-reference stream");
    let appended = format!("{whole}{}", " ".repeat(900));
    assert_eq!(check(appended.as_bytes()), Ok(MediaType::Pdf));
    let appended = format!("{whole}{}", " ".repeat(1100));
    assert_eq!(check(appended.as_bytes()), Err(FileFault::Damaged), "the end is too far from the end");
}

#[test]
fn every_fault_has_a_code_of_its_own() {
    let faults = [
        FileFault::Empty,
        FileFault::TooLarge,
        FileFault::Unsupported,
        FileFault::Animated,
        FileFault::TooManyPixels,
        FileFault::Damaged,
    ];
    let codes: std::collections::BTreeSet<_> = faults.iter().map(|fault| fault.invalid().code).collect();
    assert_eq!(codes.len(), faults.len());
    assert_eq!(Side::parse("left").unwrap_err().code, "side.unknown");
}

#[test]
fn a_file_has_a_chunk_for_each_64_kib_that_it_begins() {
    let of = |size| DocumentFile {
        id: DocumentId::from_bytes([1; 16]),
        side: Side::Front,
        media_type: MediaType::Pdf,
        size,
        created_at: Timestamp::UNIX_EPOCH,
    };
    for (size, chunks) in [(1, 1), (65_536, 1), (65_537, 2), (MAX_BYTES as u64, 160)] {
        assert_eq!(of(size).chunks(), chunks);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), kind in 0..9_usize, at in 0..300_usize) {
        // As they are, behind the beginning of each kind, and in the place of a part of a whole file.
        let _ = check(&bytes);
        let (_, mut file, _) = whole().swap_remove(kind);
        let begun = [&file[..12], &bytes].concat();
        let _ = check(&begun);
        let end = (at + bytes.len()).min(file.len());
        let begin = at.min(end);
        file[begin..end].copy_from_slice(&bytes[..end - begin]);
        let _ = check(&file);
    }
}
