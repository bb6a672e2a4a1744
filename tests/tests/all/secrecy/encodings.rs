//! The encodings in which a value might leak.
//!
//! * The forms of a text: as it is, in upper and lower case, as an exact search folds it, its digits, its
//!   letters and digits, its parts between punctuation, a day in other orders. Forms of fewer than
//!   [`SHORTEST`] characters are left out, since logs and hashes hold any of them by chance.
//! * Each form: as it is (UTF-8), base64 and base64url at all three offsets, hexadecimal of both cases, UTF-16
//!   of both orders. The whole value also as JSON escapes and URL-encoding write it.
//! * Its digits as a number, where it needs more than four bytes: as `SQLite` stores an integer (big-endian, in
//!   six bytes or eight) and a row id (base 128). A shorter number would be met by chance, so that a day
//!   stored as a number, or a short document number, would not be found so.

use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};
use kyc_core::domain::text::normalise_for_search;

/// The shortest form that is searched for, in characters. Eight decimal digits at a place of a log are met by
/// chance once in 10^8.
const SHORTEST: usize = 8;

/// Bytes to search for, and the name of what they are.
pub(super) type Encoded = (String, Vec<u8>);

/// Everything to search for, to find this value.
pub(super) fn all(value: &str) -> Vec<Encoded> {
    let mut encoded = Vec::new();
    for (name, form) in forms(value) {
        encoded.push((name.clone(), form.as_bytes().to_vec()));
        for (encoding, bytes) in encodings(&form) {
            encoded.push((format!("{name}, {encoding}"), bytes));
        }
    }
    let escapes = [
        ("JSON escapes", json(value, false)),
        ("JSON escapes, all", json(value, true)),
        ("URL-encoded", url(value, &HEXUPPER, "%20")),
        ("URL-encoded, lower case", url(value, &HEXLOWER, "%20")),
        ("form-encoded", url(value, &HEXUPPER, "+")),
    ];
    encoded.extend(escapes.map(|(name, text)| (name.to_owned(), text.into_bytes())));
    encoded.extend(numbers(value));
    encoded
}

/// The texts that say the same.
fn forms(value: &str) -> Vec<(String, String)> {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let letters_and_digits: String = value.chars().filter(|c| c.is_alphanumeric()).collect();
    let mut forms = vec![
        ("raw", value.to_owned()),
        ("upper case", value.to_uppercase()),
        ("lower case", value.to_lowercase()),
        ("folded", normalise_for_search(value)),
        ("digits only", digits),
        ("letters and digits", letters_and_digits.clone()),
        ("letters and digits, lower case", letters_and_digits.to_lowercase()),
        ("letters and digits, upper case", letters_and_digits.to_uppercase()),
    ];
    if let [year, month, day] = *value.split('-').collect::<Vec<_>>()
        && value.len() == 10
    {
        forms.extend([
            ("day.month.year", format!("{day}.{month}.{year}")),
            ("day/month/year", format!("{day}/{month}/{year}")),
            ("month/day/year", format!("{month}/{day}/{year}")),
            ("year/month/day", format!("{year}/{month}/{day}")),
            ("day, month and year", format!("{day}{month}{year}")),
        ]);
    }
    let parts = value.split(|c: char| !c.is_alphanumeric());
    forms.extend(parts.flat_map(|part| {
        [
            ("part", part.to_owned()),
            ("part, upper case", part.to_uppercase()),
            ("part, lower case", part.to_lowercase()),
        ]
    }));
    forms
        .into_iter()
        .filter(|(_, form)| form.chars().count() >= SHORTEST)
        .map(|(name, form)| (name.to_owned(), form))
        .collect()
}

fn encodings(form: &str) -> Vec<Encoded> {
    let bytes = form.as_bytes();
    let mut encoded = vec![
        ("hexadecimal".to_owned(), HEXLOWER.encode(bytes).into_bytes()),
        ("hexadecimal, upper case".to_owned(), HEXUPPER.encode(bytes).into_bytes()),
        ("UTF-16 LE".to_owned(), form.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16 BE".to_owned(), form.encode_utf16().flat_map(u16::to_be_bytes).collect()),
    ];
    for offset in 0..3 {
        encoded.push((format!("base64 at {offset}"), base64(&BASE64, bytes, offset)));
        encoded.push((format!("base64url at {offset}"), base64(&BASE64URL, bytes, offset)));
    }
    encoded
}

/// The characters of base64 that depend on these bytes alone, when so many others stand before them.
fn base64(alphabet: &data_encoding::Encoding, bytes: &[u8], offset: usize) -> Vec<u8> {
    let mut padded = vec![0; offset];
    padded.extend(bytes);
    // A character holds six bits; the first whole one after the other bytes, and the last whole one.
    let (from, until) = ((offset * 8).div_ceil(6), padded.len() * 8 / 6);
    alphabet.encode(&padded).into_bytes()[from..until].to_vec()
}

fn json(value: &str, all: bool) -> String {
    let unit = |unit: &mut u16| format!("\\u{unit:04x}");
    let escape = |c: char| match c {
        '"' | '\\' if !all => vec![format!("\\{c}")],
        _ if c.is_ascii() && !all => vec![c.to_string()],
        _ => c.encode_utf16(&mut [0; 2]).iter_mut().map(unit).collect(),
    };
    value.chars().flat_map(escape).collect()
}

fn url(value: &str, digits: &data_encoding::Encoding, space: &str) -> String {
    let encode = |byte: u8| match byte {
        b' ' => space.to_owned(),
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{}", digits.encode(&[byte])),
    };
    value.bytes().map(encode).collect()
}

fn numbers(value: &str) -> Vec<Encoded> {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let Some(number) = digits.parse::<u64>().ok().filter(|number| *number > u64::from(u32::MAX)) else {
        return Vec::new();
    };
    let big_endian = number.to_be_bytes();
    // Six bytes are the last ones of eight.
    let integer = if number < 1 << 47 { &big_endian[2..] } else { &big_endian[..] };
    vec![("integer".to_owned(), integer.to_vec()), ("row id".to_owned(), base128(number))]
}

/// Seven bits a byte, the highest bit on all but the last: a variable-length integer of the `SQLite` file format
/// (section 1.6) below 2^56.
fn base128(number: u64) -> Vec<u8> {
    let groups = (64 - number.leading_zeros()).div_ceil(7);
    let group = |index: u32| u8::try_from(number >> (7 * index) & 0x7F).unwrap();
    (0..groups).rev().map(|index| group(index) | if index == 0 { 0 } else { 0x80 }).collect()
}

#[test]
fn encodings_are_those_of_the_standards() {
    // RFC 4648, section 10; RFC 3986, section 2.1; RFC 8259, section 7.
    assert_eq!(base64(&BASE64, b"foobar", 0), b"Zm9vYmFy");
    for (before, offset) in [("", 0), ("x", 1), ("xy", 2), ("xyz", 3)] {
        let whole = BASE64.encode(format!("{before}canary 1987?>after").as_bytes());
        let part = String::from_utf8(base64(&BASE64, b"canary 1987?>", offset % 3)).unwrap();
        assert!(whole.contains(&part), "{part} in {whole}");
        assert!(part.len() >= 16, "{part}");
    }
    assert_eq!(url("a b@Ü", &HEXUPPER, "%20"), "a%20b%40%C3%9C");
    assert_eq!(url("a b@Ü", &HEXLOWER, "+"), "a+b%40%c3%9c");
    assert_eq!(json("a\"Ü", false), "a\\\"\\u00dc");
    assert_eq!(json("a\"", true), "\\u0061\\u0022");
    assert_eq!(base128(447_400_123_456), [0x8D, 0x82, 0xD9, 0x80, 0xB8, 0x40]);
}

#[test]
fn short_forms_are_left_out_and_long_ones_are_there() {
    let names = |value| forms(value).into_iter().map(|(_, form)| form).collect::<Vec<_>>();
    assert!(names("Ada").is_empty());
    assert!(!names("AB-123456-Q").contains(&"123456".to_owned()));
    let day = names("1987-03-29");
    for form in ["1987-03-29", "19870329", "29.03.1987", "29/03/1987", "03/29/1987", "29031987"] {
        assert!(day.contains(&form.to_owned()), "{form}");
    }
    let name = names("Zorvaline Ümlautova");
    for form in ["zorvaline ümlautova", "ZORVALINE ÜMLAUTOVA", "zorvalineumlautova", "zorvaline", "Ümlautova"]
    {
        assert!(name.contains(&form.to_owned()), "{form}");
    }
}
