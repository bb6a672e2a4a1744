//! Retention from the command line: who is due, and to erase them now and not within the hour.

use kyc_core::Kyc;
use kyc_core::domain::actor::Actor;
use kyc_core::usecase::Due;

use super::{NotDone, Progress, Report, table};

pub(super) async fn run(
    kyc: &Kyc,
    actor: &Actor,
    dry_run: bool,
    report: Report<'_>,
) -> Result<Vec<String>, NotDone> {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let due = if dry_run {
        kyc.retention_due(actor).await
    } else {
        let progress = |done, total| report(Progress { done: count(done), total: count(total) });
        kyc.erase_due(actor, progress).await
    };
    Ok(lines(&due.map_err(NotDone::because)?, dry_run))
}

fn lines(due: &[Due], dry_run: bool) -> Vec<String> {
    if due.is_empty() {
        return vec!["Nobody is due.".to_owned()];
    }
    let mut rows = vec![["CUSTOMER".to_owned(), "ERASABLE SINCE".to_owned()]];
    rows.extend(due.iter().map(|one| [one.customer_id.to_string(), one.erasable_from.to_string()]));
    let mut lines = table(&rows);
    lines.push(match (due.len(), dry_run) {
        (1, true) => "1 customer is due. Nothing was erased.".to_owned(),
        (1, false) => "1 customer was erased.".to_owned(),
        (number, true) => format!("{number} customers are due. Nothing was erased."),
        (number, false) => format!("{number} customers were erased."),
    });
    lines
}

#[cfg(test)]
mod tests {
    use kyc_core::domain::ids::CustomerId;

    use super::*;

    #[test]
    fn who_is_due_is_told_with_the_day() {
        let due = |id: &str| Due {
            customer_id: CustomerId::parse(id).unwrap(),
            erasable_from: jiff::civil::date(2031, 1, 31),
        };
        assert_eq!(lines(&[], true), ["Nobody is due."]);
        assert_eq!(
            lines(&[due("cus-1001")], true),
            ["CUSTOMER  ERASABLE SINCE", "cus-1001  2031-01-31", "1 customer is due. Nothing was erased."]
        );
        assert_eq!(lines(&[due("a"), due("b")], false).last().unwrap(), "2 customers were erased.");
    }
}
