//! What is kept between two steps: the ids that Onfido gave.

use std::collections::BTreeMap;

use kyc_core::ports::provider::{Progress, ProviderError, Reference};
use serde::{Deserialize, Serialize};

/// The format that this version writes.
const FORMAT: u8 = 1;

/// An id of Onfido's: 1 to 64 letters, digits, `-` and `_`, so that it can stand in a path. They are UUIDs (RFC 9562)
/// by the specification; nothing here rests on that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct VendorId(String);

impl VendorId {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for VendorId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let formed = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if formed { Ok(Self(text)) } else { Err("an id is expected") }
    }
}

/// Where a verification stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    format: u8,
    /// The applicant.
    pub(super) applicant: VendorId,
    /// The files that were uploaded: our id, and Onfido's.
    pub(super) files: BTreeMap<String, VendorId>,
    /// The check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) check: Option<VendorId>,
    /// The reports that were asked for with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) reports: Vec<String>,
}

impl Kept {
    /// What is kept once there is an applicant.
    pub(super) const fn of(applicant: VendorId) -> Self {
        Self { format: FORMAT, applicant, files: BTreeMap::new(), check: None, reports: Vec::new() }
    }

    /// Reads progress. What another version wrote says that something was submitted, and not what: it is never taken
    /// for nothing.
    pub(super) fn read(progress: &Progress) -> Result<Self, ProviderError> {
        let kept: Option<Self> = serde_json::from_slice(progress.expose()).ok();
        kept.filter(|kept| kept.format == FORMAT).ok_or(ProviderError::Malformed)
    }

    /// The progress to keep. Callbacks speak of the check.
    pub(super) fn progress(&self) -> Result<Progress, ProviderError> {
        let bytes = serde_json::to_vec(self).map_err(|_| ProviderError::Malformed)?;
        let progress = Progress::new(bytes).ok_or(ProviderError::Malformed)?;
        Ok(match self.check.as_ref().and_then(|check| Reference::new(check.as_str())) {
            Some(reference) => progress.known_as(reference),
            None => progress,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> VendorId {
        VendorId::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn what_is_kept_comes_back_and_names_the_check() {
        let mut kept = Kept::of(id("8aac9ad2-2a9c-4b9e-9bc9-5f5a1b2f3c4d"));
        assert_eq!(kept.progress().unwrap().reference(), None);
        kept.files.insert("f".to_owned(), id("d"));
        kept.check = Some(id("c"));
        kept.reports = vec!["document".to_owned()];
        let progress = kept.progress().unwrap();
        assert_eq!(progress.reference().unwrap().expose(), "c");
        assert_eq!(Kept::read(&progress), Ok(kept));
    }

    #[test]
    fn the_longest_progress_fits() {
        let long = id(&"x".repeat(64));
        let mut kept = Kept::of(long.clone());
        for file in 0..8 {
            kept.files.insert(format!("{file}{}", "y".repeat(35)), long.clone());
        }
        kept.check = Some(long);
        kept.reports = vec!["facial_similarity_photo".to_owned(); 2];
        assert!(kept.progress().unwrap().expose().len() < Progress::MAX_BYTES / 2);
    }

    #[test]
    fn progress_of_another_format_is_never_taken_for_nothing() {
        for bytes in [&b""[..], b"{}", b"{\"format\":2,\"applicant\":\"a\",\"files\":{}}", b"\xff"] {
            let progress = Progress::new(bytes.to_vec()).unwrap();
            assert_eq!(Kept::read(&progress), Err(ProviderError::Malformed));
        }
    }

    #[test]
    fn an_id_can_stand_in_a_path() {
        for bad in ["", "a/b", "..", "a?b", "a b", "é", &"x".repeat(65)] {
            assert!(VendorId::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
