//! Words of erasing a person: why, what stays of it, and why it must not happen.

use jiff::Timestamp;

use super::fault::Invalid;
use super::ids::SubjectId;
use super::text::TextRule;
use super::words::words;
use crate::Secret;
use crate::ports::cipher::Fingerprint;

words! {
    /// Why a person is erased.
    pub enum ErasureReason, "erasure reason" {
        /// The person asked for it (GDPR, article 17).
        SubjectRequest = "subject_request",
        /// The time for which the data had to be kept is over.
        RetentionEnded = "retention_ended",
        /// A court or an authority ordered it.
        CourtOrder = "court_order",
        /// The person should not have been registered.
        RegisteredInError = "registered_in_error",
    }
}

/// What stays of a person who was erased: nothing that names the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// The fingerprint of the caller's id, so that the id is known again and not given twice.
    pub fingerprint: Fingerprint,
    /// Our own id, which audit events carry.
    pub subject: SubjectId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: ErasureReason,
}

/// Why a person must not be erased: a text of the operator's, which may hold personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldReason(Secret<String>);

impl HoldReason {
    /// The longest reason, in characters.
    pub const MAX_LENGTH: usize = 500;

    /// Reads a reason.
    ///
    /// # Errors
    /// `reason.invalid` for characters that no text of one line may hold, `reason.blank`, `reason.too_long`
    /// (over 500), `field.masked`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const RULE: TextRule = TextRule {
            max: HoldReason::MAX_LENGTH,
            invalid: Invalid::new(
                "reason.invalid",
                "a text of one line, without control characters, is expected",
            ),
            blank: Invalid::new("reason.blank", "a reason is expected"),
            too_long: Invalid::new("reason.too_long", "at most 500 characters are expected"),
        };
        RULE.parse(text).map(Self)
    }

    /// The text itself. Whoever calls this keeps it out of logs and errors.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_of_a_hold_is_one_line_that_can_be_seen() {
        let code = |text: &str| HoldReason::parse(text).map_err(|invalid| invalid.code);
        assert_eq!(code(" case 7/2026 ").unwrap().expose(), "case 7/2026");
        assert!(code(&"ä".repeat(500)).is_ok());
        for (text, expected) in [
            ("", "reason.blank"),
            ("\u{200b}", "reason.blank"),
            ("a\nb", "reason.invalid"),
            ("a\u{1b}[0m", "reason.invalid"),
            (&"ä".repeat(501), "reason.too_long"),
            ("•••", "field.masked"),
        ] {
            assert_eq!(code(text), Err(expected), "{text:?}");
        }
        assert!(!format!("{:?}", code("Ada").unwrap()).contains("Ada"));
    }
}
