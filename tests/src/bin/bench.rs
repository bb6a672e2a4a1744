//! How fast the service is, as ratios that hold on other machines too, with the figures beside them.
//!
//! ```text
//! cargo run --release -p kyc-tests --bin bench -- [--seconds N] [--only NAME] [--folder PATH] [--markdown]
//! ```
//!
//! It measures and never judges: the exit code is 0 whatever the figures are, and only a bench that could not
//! measure ends with another one.

#[path = "../bench/arms.rs"]
mod arms;
#[path = "../bench/decisions.rs"]
mod decisions;
#[path = "../bench/load.rs"]
mod load;
#[path = "../bench/raw.rs"]
mod raw;
#[path = "../bench/register.rs"]
mod register;
#[path = "../bench/report.rs"]
mod report;
#[path = "../bench/server.rs"]
mod server;

use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

/// What can go wrong is told in words, and that is all that is done about it.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What the command line asks for.
struct Options {
    seconds: f64,
    only: Option<String>,
    folder: PathBuf,
    markdown: bool,
    serve: Option<PathBuf>,
}

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut options =
            Self { seconds: 3.0, only: None, folder: std::env::temp_dir(), markdown: false, serve: None };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--seconds" => options.seconds = value()?.parse()?,
                "--only" => options.only = Some(value()?),
                "--folder" => options.folder = value()?.into(),
                "--serve" => options.serve = Some(value()?.into()),
                "--markdown" => options.markdown = true,
                _ => return Err(format!("{word} is no flag of this program").into()),
            }
        }
        if options.seconds.is_finite() && options.seconds > 0.0 {
            Ok(options)
        } else {
            Err("--seconds needs a number above 0".into())
        }
    }

    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == name)
    }
}

fn main() -> Result<()> {
    let options = Options::read(std::env::args().skip(1))?;
    if let Some(folder) = &options.serve {
        return server::serve(folder);
    }
    let slice = Duration::from_secs_f64(options.seconds / f64::from(arms::ROUNDS));
    let arms = arms::all(&options)?;
    if arms.is_empty() {
        return Err(format!("--only takes one of: {}", arms::NAMES.join(", ")).into());
    }
    let figures = arms::interleave(arms, slice)?;
    let text = report::text(&figures, slice, options.markdown);
    io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
