//! What is kept between the steps of an attempt: the vendor's ids, and the customer's link.

use std::borrow::Cow;

use jiff::Timestamp;
use kyc_core::Secret;
use kyc_core::ports::provider::{Progress, ProviderError, Reference};
use serde::{Deserialize, Serialize};

/// The format of [`Progress`] that this version writes.
const FORMAT: u8 = 1;
/// The longest id of the vendor's, in characters.
const MAX_ID: usize = 64;

/// Where an attempt stands at the vendor.
#[derive(Clone)]
pub(super) struct Kept {
    /// The inquiry.
    pub(super) inquiry: String,
    /// The account that the vendor made for the person.
    pub(super) account: Option<String>,
    /// The customer's link, once there is one.
    pub(super) link: Option<Link>,
    /// Whether the inquiry was seen completed and is looked at a second time.
    pub(super) settling: bool,
}

/// A link of the customer's.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) url: Secret<String>,
    /// The how many'th it is, from 1: a part of the idempotency key.
    pub(super) number: u32,
    /// When another one is made.
    pub(super) renew_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Written<'a> {
    format: u8,
    inquiry: &'a str,
    account: Option<&'a str>,
    #[serde(borrow)]
    link: Option<WrittenLink<'a>>,
    settling: bool,
}

#[derive(Serialize, Deserialize)]
struct WrittenLink<'a> {
    // Borrowed, unless something in it was escaped.
    #[serde(borrow)]
    url: Cow<'a, str>,
    number: u32,
    renew_at: i64,
}

impl Kept {
    /// An inquiry that was just made.
    pub(super) const fn new(inquiry: String, account: Option<String>) -> Self {
        Self { inquiry, account, link: None, settling: false }
    }

    /// Reads what was kept. What another version wrote is [`ProviderError::Malformed`]: to begin anew would make
    /// a second inquiry.
    pub(super) fn read(progress: &Progress) -> Result<Self, ProviderError> {
        let read: Option<Written<'_>> = serde_json::from_slice(progress.expose()).ok();
        let read = read.filter(|read| read.format == FORMAT && is_id(read.inquiry));
        let read = read.ok_or(ProviderError::Malformed)?;
        let link = match read.link {
            None => None,
            Some(WrittenLink { url, number, renew_at }) => {
                let renew_at = Timestamp::from_second(renew_at).map_err(|_| ProviderError::Malformed)?;
                Some(Link { url: Secret::new(url.into_owned()), number, renew_at })
            }
        };
        let account = read.account.filter(|id| is_id(id)).map(str::to_owned);
        Ok(Self { inquiry: read.inquiry.to_owned(), account, link, settling: read.settling })
    }

    /// What the core is to keep. The buffer holds the longest one, so that it never moves and leaves no copy of the
    /// link behind.
    pub(super) fn progress(&self) -> Result<Progress, ProviderError> {
        let written = Written {
            format: FORMAT,
            inquiry: &self.inquiry,
            account: self.account.as_deref(),
            link: self.link.as_ref().map(|link| WrittenLink {
                url: Cow::Borrowed(link.url.expose()),
                number: link.number,
                renew_at: link.renew_at.as_second(),
            }),
            settling: self.settling,
        };
        let mut bytes = Vec::with_capacity(Progress::MAX_BYTES);
        serde_json::to_writer(&mut bytes, &written).map_err(|_| ProviderError::Malformed)?;
        let reference = Reference::new(self.inquiry.as_str()).ok_or(ProviderError::Malformed)?;
        Ok(Progress::new(bytes).ok_or(ProviderError::Malformed)?.known_as(reference))
    }
}

/// Whether a text can be an id of the vendor's: it becomes a part of a path.
pub(super) fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}
