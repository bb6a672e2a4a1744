//! How far long work has come: a bar on a terminal, and a line now and then elsewhere. Both go to standard
//! error, so that what is printed can be piped.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How long it takes at least from one line to the next.
const PAUSE: Duration = Duration::from_secs(5);

/// The progress of one piece of work. It shows nothing before the first count.
pub struct Meter {
    words: &'static str,
    shown: Shown,
}

enum Shown {
    Bar(ProgressBar),
    Lines { last: Option<Instant> },
}

impl Meter {
    /// For work that these words describe, such as `events checked`.
    #[must_use]
    pub fn new(words: &'static str) -> Self {
        if !io::stderr().is_terminal() {
            return Self { words, shown: Shown::Lines { last: None } };
        }
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}, {eta} left") {
            bar.set_style(style);
        }
        bar.set_message(words);
        Self { words, shown: Shown::Bar(bar) }
    }

    /// So many are done, of so many.
    pub fn at(&mut self, done: u64, total: u64) {
        match &mut self.shown {
            Shown::Bar(bar) => {
                bar.set_length(total);
                bar.set_position(done);
            }
            Shown::Lines { last } => {
                if done >= total || last.is_none_or(|at| at.elapsed() >= PAUSE) {
                    *last = Some(Instant::now());
                    // There may be nobody who reads stderr, and then there is nobody to tell.
                    let _ = writeln!(io::stderr(), "{done} of {total} {}", self.words);
                }
            }
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}
