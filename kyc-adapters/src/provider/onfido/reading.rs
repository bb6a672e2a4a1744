//! A check's reports, read as an answer.
//!
//! Clear is only what is clear all over: the check's result, every report that was asked for, every group and part of
//! every breakdown, and no word that is not known. Everything else has a reason that says where it came from, such as
//! `document:visual_authenticity.fonts`.

use kyc_core::Secret;
use kyc_core::domain::discrepancy::{Class, Code, Discrepancy, ProviderCode};
use kyc_core::ports::provider::{Answer, Outcome, ProviderError};
use serde_json::Value;

use super::table::{Row, row};
use super::wire::{Check, Group, Part, Report};

/// The part of a group that only repeats that another one was flagged, for the sake of old clients.
const ECHO: (&str, &str) = ("visual_authenticity", "other");

/// The answer of a complete check.
///
/// # Errors
/// [`ProviderError::Malformed`] where a report is of another check, or more was found than an answer may hold.
pub(super) fn answer(
    check: &Check,
    reports: &[Report],
    asked: &[String],
    raw: Secret<Vec<u8>>,
) -> Result<Answer, ProviderError> {
    if reports.iter().any(|report| report.check_id.as_deref().is_some_and(|id| id != check.id.as_str())) {
        return Err(ProviderError::Malformed);
    }
    let mut found = Found::default();
    for report in reports {
        found.report(report);
    }
    for name in asked.iter().filter(|name| !reports.iter().any(|report| report.name == **name)) {
        found.add(Code::NotAllChecksCompleted, &format!("check:{name}"));
    }
    if reports.len() < check.report_ids.as_ref().map_or(0, Vec::len) || asked.is_empty() {
        found.add(Code::NotAllChecksCompleted, "check:reports");
    }
    match Verdict::of(check.result.as_deref()) {
        Verdict::Clear => {}
        // The reports say why; where none does, nobody knows.
        Verdict::Consider if !found.all.is_empty() => {}
        Verdict::Consider => found.unknown("check:result.consider"),
        Verdict::Unidentified | Verdict::None | Verdict::Unknown => found.unknown("check:result"),
    }
    if found.all.len() > Answer::MAX_DISCREPANCIES {
        return Err(ProviderError::Malformed);
    }
    Ok(Answer { outcome: found.outcome(), discrepancies: found.all, raw })
}

/// A result of a check, a report, a group or a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Clear,
    Consider,
    Unidentified,
    /// It was not looked at.
    None,
    Unknown,
}

impl Verdict {
    fn of(word: Option<&str>) -> Self {
        match word {
            Some("clear") => Self::Clear,
            Some("consider") => Self::Consider,
            Some("unidentified") => Self::Unidentified,
            None => Self::None,
            Some(_) => Self::Unknown,
        }
    }
}

/// What did not fit so far.
#[derive(Default)]
struct Found {
    all: Vec<Discrepancy>,
    is_unknown: bool,
}

impl Found {
    fn outcome(&self) -> Outcome {
        if self.is_unknown {
            Outcome::Unknown
        } else if self.all.is_empty() {
            Outcome::Clear
        } else if self.all.iter().all(|found| found.code.class() == Class::Quality) {
            Outcome::Unusable
        } else {
            Outcome::Consider
        }
    }

    fn add(&mut self, code: Code, place: &str) {
        self.push(Discrepancy { provider_code: ProviderCode::sanitised(place), ..Discrepancy::of(code) });
    }

    fn push(&mut self, found: Discrepancy) {
        if !self.all.contains(&found) {
            self.all.push(found);
        }
    }

    fn unknown(&mut self, place: &str) {
        self.is_unknown = true;
        self.add(Code::UnknownResult, place);
    }

    fn report(&mut self, report: &Report) {
        let name = word(&report.name);
        match report.status.as_deref() {
            Some("complete") => {}
            Some("awaiting_data" | "awaiting_approval" | "cancelled" | "withdrawn") | None => {
                self.add(Code::NotAllChecksCompleted, &format!("{name}:status"));
            }
            Some(_) => self.unknown(&format!("{name}:status")),
        }
        let before = self.all.len();
        let groups = report.breakdown.iter().flatten();
        for (group, content) in groups.clone().filter_map(|(group, content)| Some((group, content.as_ref()?)))
        {
            self.group(name, group, content);
        }
        if groups.filter_map(|(_, content)| content.as_ref()).all(|content| content.result.is_none()) {
            self.add(Code::NotAllChecksCompleted, &format!("{name}:breakdown"));
        }
        self.sub_result(report, before);
        match Verdict::of(report.result.as_deref()) {
            Verdict::Clear => {}
            // The breakdown or the sub-result says why; where neither does, nobody knows.
            Verdict::Consider if self.all.len() > before => {}
            Verdict::Consider => self.unknown(&format!("{name}:result.consider")),
            Verdict::Unidentified | Verdict::None => {
                self.add(Code::NotAllChecksCompleted, &format!("{name}:result"));
            }
            Verdict::Unknown => self.unknown(&format!("{name}:result")),
        }
    }

    /// The word that sums a document report up: `rejected` where the document could not be worked with, `suspected`
    /// where it shows signs of forgery, `caution` for all else. It counts where the breakdown does not say it already.
    fn sub_result(&mut self, report: &Report, before: usize) {
        let name = word(&report.name);
        let says = |class: Class| self.all[before..].iter().any(|found| found.code.class() == class);
        match report.sub_result.as_deref() {
            None | Some("clear") => {}
            Some("suspected") if says(Class::Authenticity) => {}
            Some("suspected") => self.add(Code::Tampered, &format!("{name}:sub_result.suspected")),
            Some("rejected" | "caution") if self.all.len() > before => {}
            Some("rejected") => self.add(Code::ImageUnreadable, &format!("{name}:sub_result.rejected")),
            // Something that the vendor does not name is for a person.
            Some("caution") => self.add(Code::UnknownResult, &format!("{name}:sub_result.caution")),
            Some(_) => self.unknown(&format!("{name}:sub_result")),
        }
    }

    fn group(&mut self, report: &str, group: &str, content: &Group) {
        let before = self.all.len();
        let parts = content.breakdown.iter().flatten();
        let parts: Vec<_> =
            parts.filter_map(|(part, content)| Some((part.as_str(), content.as_ref()?))).collect();
        for (part, content) in parts.iter().filter(|(part, _)| (group, *part) != ECHO) {
            self.part(report, group, part, content);
        }
        if self.all.len() == before
            && let Some((part, content)) = parts.iter().find(|(part, _)| (group, *part) == ECHO)
        {
            self.part(report, group, part, content);
        }
        let said = self.all.len() > before;
        self.verdict(report, group, "", content.result.as_deref(), said);
    }

    fn part(&mut self, report: &str, group: &str, part: &str, content: &Part) {
        let before = self.all.len();
        let result = Verdict::of(content.result.as_deref());
        if result == Verdict::Consider {
            let reasons = content.properties.iter().flatten();
            for (reason, _) in reasons.filter(|(_, value)| is_flagged(value)) {
                // Other properties, such as a score, say nothing of their own.
                if let Some(row) = row(report, group, part, reason) {
                    let place = format!("{report}:{group}.{part}.{reason}");
                    self.push(finding(row, &place));
                }
            }
        }
        let said = self.all.len() > before;
        self.verdict(report, group, part, content.result.as_deref(), said);
    }

    /// What a result means, unless what lies below it has `said` so.
    fn verdict(&mut self, report: &str, group: &str, part: &str, result: Option<&str>, said: bool) {
        let mut name = format!("{report}:{}", word(group));
        if !part.is_empty() {
            name.push('.');
            name.push_str(word(part));
        }
        match Verdict::of(result) {
            Verdict::Clear | Verdict::None => {}
            Verdict::Consider if said => {}
            Verdict::Consider => match row(report, group, part, "") {
                Some(row) => self.push(finding(row, &name)),
                None => self.unknown(&name),
            },
            Verdict::Unidentified => self.add(Code::NotAllChecksCompleted, &name),
            Verdict::Unknown => self.unknown(&name),
        }
    }
}

/// What a row of the table says of what was flagged at a place.
fn finding(row: &Row, place: &str) -> Discrepancy {
    Discrepancy {
        code: row.code,
        field: row.field,
        severity: row.severity,
        provider: None,
        provider_code: ProviderCode::sanitised(place),
    }
}

/// A word of the vendor's as it may stand in a code: what is not one of its kind is no word, and is not repeated.
pub(super) fn word(text: &str) -> &str {
    let formed = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b',');
    if formed && !text.is_empty() { text } else { "other" }
}

/// Whether a reason was found: it then has a word that is not `clear`, or is true.
fn is_flagged(value: &Value) -> bool {
    match value {
        Value::String(word) => !word.is_empty() && word != "clear",
        Value::Bool(flag) => *flag,
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests;
