//! What a reader is told of discrepancies: all of them, or without those that would tip the customer off.

use super::discrepancy::{Code, Discrepancy, ProviderCode, REVIEW_PENDING, Severity};
use super::field::Field;
use super::ids::ProviderName;
use super::words::Vocabulary;

/// How much of what was found a reader is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// All of it.
    Everything,
    /// That somebody looks, in place of what must not come to the customer's ears (FATF recommendation 21).
    WithoutTippingOff,
}

/// The code of a discrepancy as a reader is told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToldCode {
    /// The code itself.
    Code(Code),
    /// Somebody looks: [`REVIEW_PENDING`].
    ReviewPending,
}

impl ToldCode {
    /// Every code, [`ToldCode::ReviewPending`] last.
    const ALL: [Self; Code::ALL.len() + 1] = {
        let mut all = [Self::ReviewPending; Code::ALL.len() + 1];
        let mut at = 0;
        while at < Code::ALL.len() {
            all[at] = Self::Code(Code::ALL[at]);
            at += 1;
        }
        all
    };
}

impl Vocabulary for ToldCode {
    const NAME: &'static str = "discrepancy code";
    const WORDS: &'static [Self] = &Self::ALL;

    fn word(self) -> &'static str {
        match self {
            Self::Code(code) => code.as_str(),
            Self::ReviewPending => REVIEW_PENDING,
        }
    }
}

/// A discrepancy as a reader is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What it is.
    pub code: ToldCode,
    /// The field that it concerns, where there is one.
    pub field: Option<Field>,
    /// How grave it is.
    pub severity: Severity,
    /// The provider that said so; none where it is our own rule, or must not be told.
    pub provider: Option<ProviderName>,
    /// The provider's own code for it.
    pub provider_code: Option<ProviderCode>,
    /// What it means, in a sentence.
    pub message: &'static str,
}

impl Telling {
    /// The discrepancies as this reader is told of them: however many must not be told, that somebody looks is said
    /// once, at the end.
    #[must_use]
    pub fn of(self, discrepancies: &[Discrepancy]) -> Vec<Told> {
        let (told, kept): (Vec<_>, Vec<_>) = discrepancies
            .iter()
            .partition(|found| self == Self::Everything || found.code.visible_to_client());
        let pending = kept.first().map(|found| Told {
            code: ToldCode::ReviewPending,
            field: None,
            // One severity for all of them, since theirs would tell them apart.
            severity: Severity::Major,
            provider: None,
            provider_code: None,
            message: found.code.message_for_customer(),
        });
        told.into_iter().map(Told::from).chain(pending).collect()
    }
}

impl From<&Discrepancy> for Told {
    fn from(found: &Discrepancy) -> Self {
        Self {
            code: ToldCode::Code(found.code),
            field: found.field,
            severity: found.severity,
            provider: found.provider.clone(),
            provider_code: found.provider_code.clone(),
            message: found.code.message_for_staff(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_tip_off_is_one_sentence_whatever_it_is_and_however_much() {
        let mut seen = Vec::new();
        for code in Code::ALL.iter().filter(|code| !code.visible_to_client()) {
            for severity in Severity::ALL {
                let found = Discrepancy {
                    severity: *severity,
                    provider: ProviderName::parse("one").ok(),
                    provider_code: ProviderCode::sanitised("sanctions_list"),
                    ..Discrepancy::of(*code)
                };
                let all = [found.clone(), Discrepancy::of(Code::MismatchName), found];
                let told = Telling::WithoutTippingOff.of(&all);
                assert_eq!(told.len(), 2, "{code}");
                assert_eq!(told[0], Told::from(&all[1]));
                seen.push(told[1].clone());
                let codes = Telling::Everything.of(&all).into_iter().map(|told| told.code);
                assert!(codes.eq(all.iter().map(|found| ToldCode::Code(found.code))), "{code}");
            }
        }
        assert!(!seen.is_empty() && seen.iter().all(|told| *told == seen[0]), "nothing tells them apart");
        assert_eq!(seen[0].code.word(), "review.pending");
    }

    #[test]
    fn every_word_is_in_the_vocabulary_once() {
        let words: std::collections::BTreeSet<_> = ToldCode::WORDS.iter().map(|code| code.word()).collect();
        assert_eq!(words.len(), Code::ALL.len() + 1);
    }
}
