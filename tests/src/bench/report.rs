//! Medians, ratios, and the tables that show them.

use std::fmt::Write;
use std::time::Duration;

use crate::arms::ROUNDS;

/// What an arm did in each round.
pub(crate) struct Figure {
    /// The name that ratios know it by.
    pub(crate) id: &'static str,
    /// What was measured.
    pub(crate) name: &'static str,
    /// What a round's number counts.
    pub(crate) unit: &'static str,
    /// One number a round.
    pub(crate) rounds: Vec<f64>,
    /// What each cost the server, in microseconds of processor time; one number a round, or none.
    pub(crate) costs: Vec<f64>,
}

/// Two figures that say something together: what it is, which is divided by which, and the least that is
/// wanted.
const RATIOS: [(&str, &str, &str, Option<f64>); 8] = [
    ("POST /customers: 256 connections to 1", "post-256", "post-1", Some(8.0)),
    ("Kyc::register: 256 tasks to 1", "register-256", "register-1", None),
    ("rows by hand: 512 to a commit to 1", "raw-512", "raw-1", None),
    ("1 at a time: POST to rows by hand", "post-1", "raw-1", None),
    ("many at once: POST to Kyc::register", "post-256", "register-256", None),
    ("many at once: Kyc::register to rows by hand", "register-256", "raw-512", None),
    ("reads: kyc-status to whoami", "status", "whoami", Some(0.6)),
    ("decisions to POST with 256 connections", "decisions", "post-256", None),
];

/// The middle one, or zero of none.
fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

fn least_and_most(numbers: &[f64]) -> (f64, f64) {
    numbers.iter().fold((f64::INFINITY, 0.0), |(least, most), number| (least.min(*number), most.max(*number)))
}

/// Rows of cells, the first of which are the titles.
struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    fn with(titles: &[&str]) -> Self {
        Self { rows: vec![titles.iter().map(|title| (*title).to_owned()).collect()] }
    }

    fn text(&self, markdown: bool) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell: &String| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        // Writing to a string can't fail.
        let mut text = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            let cells: Vec<String> = cells.collect();
            if markdown {
                _ = writeln!(text, "| {} |", cells.join(" | "));
                if number == 0 {
                    let rule: Vec<String> = widths.iter().map(|width| "-".repeat((*width).max(3))).collect();
                    _ = writeln!(text, "| {} |", rule.join(" | "));
                }
            } else {
                text.push_str(cells.join("   ").trim_end());
                text.push('\n');
            }
        }
        text
    }
}

/// Everything as text: the ratios first, since they are what holds elsewhere.
pub(crate) fn text(figures: &[Figure], slice: Duration, markdown: bool) -> String {
    let mut text = String::new();
    // Writing to a string can't fail.
    _ = writeln!(
        text,
        "{ROUNDS} rounds, each of which visits everything in turn for {:.1} s. Machines like this one are noisy: a \
         ratio is\nmade within each round, and medians are shown, with the lowest and the highest round behind \
         them.\n",
        slice.as_secs_f64()
    );
    let figure = |id: &str| figures.iter().find(|figure| figure.id == id);
    let mut ratios = Table::with(&["ratio", "median", "rounds", "wanted", "", "figures, medians"]);
    for (name, above, below, target) in RATIOS {
        let (Some(above), Some(below)) = (figure(above), figure(below)) else { continue };
        let rounds: Vec<f64> = above.rounds.iter().zip(&below.rounds).map(|(a, b)| a / b).collect();
        let ratio = median(&rounds);
        let (least, most) = least_and_most(&rounds);
        let verdict = match target {
            Some(target) if ratio < target => "below target",
            Some(_) => "reached",
            None => "",
        };
        ratios.rows.push(vec![
            name.to_owned(),
            format!("{ratio:.2}"),
            format!("{least:.2} to {most:.2}"),
            target.map_or_else(String::new, |target| format!("{target} or more")),
            verdict.to_owned(),
            format!(
                "{:.0} {} to {:.0} {}",
                median(&above.rounds),
                above.unit,
                median(&below.rounds),
                below.unit
            ),
        ]);
    }
    if ratios.rows.len() > 1 {
        text.push_str(&ratios.text(markdown));
        text.push('\n');
    }
    let mut all = Table::with(&["figure", "median", "unit", "rounds", "server CPU, us each"]);
    for Figure { name, unit, rounds, costs, .. } in figures {
        let (least, most) = least_and_most(rounds);
        all.rows.push(vec![
            (*name).to_owned(),
            format!("{:.0}", median(rounds)),
            (*unit).to_owned(),
            format!("{least:.0} to {most:.0}"),
            if costs.is_empty() { String::new() } else { format!("{:.0}", median(costs)) },
        ]);
    }
    text.push_str(&all.text(markdown));
    text
}
