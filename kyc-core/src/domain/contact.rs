//! How a person is reached: an e-mail address and a phone number.

use email_address::{EmailAddress, Options};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroize;

use super::fault::Invalid;
use super::text::{is_blank, is_forbidden, refuse_masked, secret_text, trimmed_nfc};
use crate::Secret;

secret_text! {
    /// An e-mail address: at most 254 bytes (RFC 5321, section 4.5.3.1.3, less the brackets), with a dot in its
    /// domain. The local part stays as it was given, since only its host may read it (RFC 5321, section 2.4);
    /// the domain is in lower case.
    ///
    /// ```
    /// use kyc_core::domain::contact::Email;
    /// assert_eq!(Email::parse("Ada@Example.COM")?.expose(), "Ada@example.com");
    /// # Ok::<(), kyc_core::domain::fault::Invalid>(())
    /// ```
    pub struct Email
}

const EMAIL_INVALID: Invalid =
    Invalid::new("email.invalid", "an e-mail address such as name@example.com is expected");

impl Email {
    /// The longest address, in bytes.
    pub const MAX_LENGTH: usize = 254;

    /// Reads an address.
    ///
    /// # Errors
    /// `email.invalid`, `field.masked`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        refuse_masked(text)?;
        // The bound is checked again at the end; this one spares us the work on a huge text.
        if text.len() > 4 * Self::MAX_LENGTH || is_blank(text) || text.chars().any(is_forbidden) {
            return Err(EMAIL_INVALID);
        }
        let given = trimmed_nfc(text);
        let (local, domain) = given.expose().rsplit_once('@').ok_or(EMAIL_INVALID)?;
        let mut address = String::with_capacity(given.expose().len().saturating_mul(4));
        address.push_str(local);
        address.push('@');
        address.extend(domain.chars().flat_map(char::to_lowercase).nfc());
        let address = Secret::new(address);
        if is_address(address.expose()) { Ok(Self(address)) } else { Err(EMAIL_INVALID) }
    }

    /// The address as an exact search compares it: all in lower case.
    #[must_use]
    pub fn normalised(&self) -> Secret<String> {
        let mut lower = String::with_capacity(self.expose().len().saturating_mul(3));
        lower.extend(self.expose().chars().flat_map(char::to_lowercase));
        Secret::new(lower)
    }
}

fn is_address(address: &str) -> bool {
    let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
    let Ok(parsed) = EmailAddress::parse_with_options(address, options) else { return false };
    let is_label =
        |label: &str| label.chars().all(|c| !c.is_ascii() || c.is_ascii_alphanumeric() || c == '-');
    let domain = parsed.domain();
    // The crate takes every atom for a label, and four numbers for a domain; the DNS doesn't (RFC 1123,
    // section 2.1).
    let named = domain.rsplit('.').next().is_some_and(|top| !top.chars().all(|c| c.is_ascii_digit()));
    let fits = address.len() <= Email::MAX_LENGTH && named && domain.split('.').all(is_label);
    let mut copy = String::from(parsed);
    copy.zeroize();
    fits && !address.chars().any(char::is_whitespace)
}

secret_text! {
    /// A phone number in the form of ITU-T E.164: `+`, country code and national number, digits only, and one
    /// that the numbering plan of its country knows.
    ///
    /// ```
    /// use kyc_core::domain::contact::PhoneNumber;
    /// assert_eq!(PhoneNumber::parse("+442079460958")?.expose(), "+442079460958");
    /// assert!(PhoneNumber::parse("020 7946 0958").is_err());
    /// # Ok::<(), kyc_core::domain::fault::Invalid>(())
    /// ```
    pub struct PhoneNumber
}

const PHONE_INVALID: Invalid = Invalid::new(
    "phone_number.invalid",
    "a valid phone number in international form is expected, such as +442079460958",
);

impl PhoneNumber {
    /// Reads a number.
    ///
    /// # Errors
    /// `phone_number.invalid`, `field.masked`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        refuse_masked(text)?;
        let text = text.trim_matches(' ');
        let digits = text.strip_prefix('+').ok_or(PHONE_INVALID)?;
        // E.164, section 6: at most 15 digits, and no country code begins with 0.
        let well_formed =
            digits.len() <= 15 && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
        if well_formed && numbering::is_assigned(digits) {
            Ok(Self::trusted(text.to_owned()))
        } else {
            Err(PHONE_INVALID)
        }
    }
}

/// The numbering plans of the world, as the metadata of libphonenumber tells them.
mod numbering {
    use phonenumber::metadata::DATABASE;

    /// Whether some country with the country code of these digits has such a number.
    pub(super) fn is_assigned(digits: &str) -> bool {
        (1..=3).filter_map(|end| digits.split_at_checked(end)).any(|(code, national)| {
            let plans = code.parse().ok().and_then(|code: u16| DATABASE.by_code(&code));
            plans.unwrap_or_default().iter().any(|plan| {
                let kinds = plan.descriptors();
                let known = [
                    kinds.fixed_line(),
                    kinds.mobile(),
                    kinds.toll_free(),
                    kinds.premium_rate(),
                    kinds.shared_cost(),
                    kinds.personal_number(),
                    kinds.voip(),
                    kinds.pager(),
                    kinds.uan(),
                    kinds.voicemail(),
                ];
                kinds.general().is_match(national)
                    && known.into_iter().flatten().any(|kind| kind.is_match(national))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_mail_reaches_are_addresses() {
        for (given, kept) in [
            ("ada@example.com", "ada@example.com"),
            (" Ada.L+kyc@EXAMPLE.co.UK ", "Ada.L+kyc@example.co.uk"),
            ("o'connor@example.com", "o'connor@example.com"),
            ("用户@例子.公司", "用户@例子.公司"),
            ("a@xn--fsqu00a.xn--0zwm56d", "a@xn--fsqu00a.xn--0zwm56d"),
            ("a@Mu\u{308}nchen.example", "a@m\u{fc}nchen.example"),
        ] {
            assert_eq!(Email::parse(given).unwrap().expose(), kept);
        }
    }

    #[test]
    fn other_texts_are_not() {
        let long = format!("a@{}.com", "x.".repeat(130));
        for bad in [
            "",
            " ",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "ada@example..com",
            "ada@.com",
            "a@example.com.",
            "a b@example.com",
            "a@exa mple.com",
            "Ada <ada@example.com>",
            "<ada@example.com>",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a@b@example.com",
            "a@example.com\r\nBcc: b@example.com",
            "a@exa_mple.com",
            "a@-x.com",
            "\u{202e}a@example.com",
            ".a@example.com",
            "a..b@example.com",
            &long,
        ] {
            assert_eq!(Email::parse(bad).unwrap_err().code, "email.invalid", "{bad:?}");
        }
        assert_eq!(Email::parse("a••@example.com").unwrap_err().code, "field.masked");
    }

    #[test]
    fn search_ignores_the_case_of_the_local_part() {
        assert_eq!(Email::parse("Ada@Example.com").unwrap().normalised().expose(), "ada@example.com");
    }

    #[test]
    fn numbers_of_a_numbering_plan_are_numbers() {
        for good in [
            "+442079460958",
            "+16502530000",
            "+4915123456789",
            "+390236618300",
            "+78001234567",
            "+79161234567",
            "+3612345678",
            "+375291234567",
            "+5511961234567",
            "+919876543210",
            "+6591234567",
            "+80012345678",
            "+85221234567",
            "+35312222222",
            "+37061234567",
        ] {
            assert_eq!(PhoneNumber::parse(good).map(|n| n.expose().to_owned()), Ok(good.to_owned()));
        }
    }

    #[test]
    fn every_example_of_the_numbering_plans_is_a_number() {
        let mut checked = 0;
        for plan in phonenumber::metadata::DATABASE.iter() {
            let kinds = plan.descriptors();
            for example in [kinds.fixed_line(), kinds.mobile(), kinds.toll_free(), kinds.voip()] {
                if let Some(example) = example.and_then(|kind| kind.example()) {
                    let number = format!("+{}{example}", plan.country_code());
                    assert!(PhoneNumber::parse(&number).is_ok(), "{number}");
                    checked += 1;
                }
            }
        }
        assert!(checked > 400, "{checked}");
    }

    #[test]
    fn other_numbers_are_not() {
        for bad in [
            "",
            "+",
            "+0",
            "442079460958",
            "020 7946 0958",
            "+44 20 7946 0958",
            "+44",
            "+999123456789",
            "+1234",
            "+10000000000",
            "+4420794609580000",
            "+44207946095",
            "++442079460958",
            "+４４2079460958",
            "+442079460958;ext=1",
            "tel:+442079460958",
            "+4402079460958",
            "+112",
        ] {
            assert_eq!(PhoneNumber::parse(bad).unwrap_err().code, "phone_number.invalid", "{bad}");
        }
        assert_eq!(PhoneNumber::parse("+44••••••0958").unwrap_err().code, "field.masked");
    }
}
