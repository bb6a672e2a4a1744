//! Whether the document that was shown is the one of the person who registered.
//!
//! The vendor says that a document is genuine and its holder before the camera. That it is the declared person's is
//! a check of its own (`id_inquiry_comparison`), which a template may lack; so what was read of the document is held
//! against what was declared, whatever the template.

use kyc_core::Secret;
use kyc_core::domain::customer::Customer;
use kyc_core::domain::discrepancy::Code;
use kyc_core::domain::text::{normalise_document_number, normalise_for_search};

use super::wire::Attributes;

/// What differs between a document that passed and what was declared. What was not read of it says nothing.
pub(super) fn with_declared(kind: &str, read: &Attributes, declared: &Customer) -> Vec<Code> {
    if !matches!(kind, "verification/government-id" | "verification/government-id-nfc") {
        return Vec::new();
    }
    let mut differs = Vec::new();
    let born = declared.date_of_birth().expose().to_string();
    if read.birthdate.as_ref().is_some_and(|read| *read.expose() != born) {
        differs.push(Code::MismatchDateOfBirth);
    }
    let number = plain_number(declared.identity_document().number().expose());
    let mut numbers = [&read.document_number, &read.identification_number].into_iter().flatten().peekable();
    if numbers.peek().is_some()
        && !numbers.any(|read| plain_number(read.expose()).expose() == number.expose())
    {
        differs.push(Code::MismatchDocumentNumber);
    }
    let names = [(&read.name_first, &read.name_last), (&read.native_name_first, &read.native_name_last)];
    let mut names = names.into_iter().filter(|(_, last)| last.is_some()).peekable();
    let declared = plain_name(declared.name().expose());
    if names.peek().is_some()
        && !names.any(|(first, last)| is_named(&declared, first.as_ref(), last.as_ref()))
    {
        differs.push(Code::MismatchName);
    }
    differs
}

/// Whether the words of the last names, and the first of the first names, are words of the declared name, or the
/// other way round: documents leave middle names out, or have more of them.
fn is_named(
    declared: &Secret<String>,
    first: Option<&Secret<String>>,
    last: Option<&Secret<String>>,
) -> bool {
    let plain = |name: Option<&Secret<String>>| plain_name(name.map_or("", |name| name.expose()));
    let (first, last) = (plain(first), plain(last));
    let (first, last) = (words(&first), words(&last));
    let declared = words(declared);
    let is_declared = |word: &&str| declared.contains(word);
    let is_read = |word: &&str| first.contains(word) || last.contains(word);
    (last.iter().all(is_declared) && first.iter().take(1).all(is_declared)) || declared.iter().all(is_read)
}

fn words(name: &Secret<String>) -> Vec<&str> {
    name.expose().split_whitespace().collect()
}

/// The words of a name, each without case, accents and script, with one space between.
fn plain_name(text: &str) -> Secret<String> {
    let is_joint = |c: char| c.is_whitespace() || matches!(c, '-' | '\'' | '\u{2019}');
    let mut plain = String::with_capacity(text.len().saturating_mul(4));
    for word in text.split(is_joint).filter(|word| !word.is_empty()) {
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.push_str(Secret::new(normalise_for_search(word)).expose());
    }
    Secret::new(plain)
}

fn plain_number(text: &str) -> Secret<String> {
    Secret::new(normalise_document_number(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(declared: &str, first: &str, last: &str, expected: bool) {
        let secret = |text: &str| Some(Secret::new(text.to_owned())).filter(|text| !text.expose().is_empty());
        let named = is_named(&plain_name(declared), secret(first).as_ref(), secret(last).as_ref());
        assert_eq!(named, expected, "{declared} / {first} / {last}");
    }

    #[test]
    fn case_accents_order_and_middle_names_make_no_other_person() {
        check("Ada Lovelace", "ADA", "LOVELACE", true);
        check("Ada Lovelace", "ADA KING", "LOVELACE", true);
        check("Ada King Lovelace", "ADA", "LOVELACE", true);
        check("Lovelace Ada", "Ada", "Lovelace", true);
        check("Zoë Müller-Lüdenscheidt", "ZOE", "MULLER LUDENSCHEIDT", true);
        check("Suharto", "", "SUHARTO", true);
        check("Jane Smith Doe", "JANE SMITH", "DOE", true);
        check("李小龍", "小龍", "李", false);
    }

    #[test]
    fn another_name_is_another_person() {
        check("Ada Lovelace", "ADA", "BYRON", false);
        check("Ada Lovelace", "ANNE", "LOVELACE", false);
        check("Ada Lovelace", "", "BYRON", false);
        check("Ada Lovelace", "ADA", "LOVELACE BYRON", true);
        check("Ada Lovelace Byron", "ANNE", "LOVELACE", false);
    }
}
