//! Flags over variables over the file over defaults, each value with the place that it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use kyc_core::Secret;

use super::settings::{ALL, Given, Setting};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The command line.
    Flag,
    /// The environment.
    Variable,
    /// The file.
    File(PathBuf),
}

/// Everything that is wrong with the settings, a sentence each. Values are never repeated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigFaults(Vec<String>);

impl ConfigFaults {
    pub(super) fn add(&mut self, fault: impl Into<String>) {
        self.0.push(fault.into());
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The sentences.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings are not complete or not valid:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  - {fault}"))
    }
}

impl std::error::Error for ConfigFaults {}

/// The text of each setting that was given, and what was wrong on the way.
pub(super) struct Layers {
    texts: BTreeMap<&'static str, (Source, Secret<String>)>,
    pub(super) faults: ConfigFaults,
}

impl Layers {
    /// Merges what was given with the file that it names.
    pub(super) fn merge(given: &Given) -> Self {
        let mut layers = Self { texts: BTreeMap::new(), faults: ConfigFaults::default() };
        if let Some(path) = &given.file {
            layers.add_file(path);
        }
        for setting in ALL {
            let Some((source, value)) = given.values.get(setting.key) else { continue };
            match value.to_str() {
                Some(text) => {
                    layers.texts.insert(setting.key, (source.clone(), Secret::new(text.to_owned())));
                }
                None => layers.refuse(setting, source, "text in UTF-8 is expected"),
            }
        }
        layers
    }

    fn add_file(&mut self, path: &Path) {
        let shown = path.display();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => Secret::new(text),
            Err(error) => {
                return self.faults.add(format!("the file {shown} can't be read: {}", error.kind()));
            }
        };
        let table = match text.expose().parse::<toml::Table>() {
            Ok(table) => table,
            // The parser's own message shows the line, in which a key may stand.
            Err(error) => {
                let before =
                    error.span().and_then(|span| text.expose().get(..span.start)).unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                return self.faults.add(format!("the file {shown} is not TOML (line {line})"));
            }
        };
        for (key, value) in table {
            let source = Source::File(path.to_owned());
            let Some(setting) = ALL.iter().find(|setting| setting.key == key) else {
                self.faults.add(format!("the file {shown} has an unknown key: {}", key.escape_debug()));
                continue;
            };
            match text_of(value) {
                Some(text) => {
                    self.texts.insert(setting.key, (source, text));
                }
                None => self.refuse(setting, &source, setting.expected),
            }
        }
    }

    /// The value of a setting, read by `parse`; none where it was not given and has no default, or where it
    /// is wrong, which is a fault.
    pub(super) fn read<T>(&mut self, setting: &Setting, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let given = self.texts.get(setting.key);
        let text = given.map(|(_, text)| text.expose().as_str()).or(setting.default)?;
        let value = parse(text);
        if value.is_none()
            && let Some((source, _)) = self.texts.get(setting.key).cloned()
        {
            self.refuse(setting, &source, setting.expected);
        }
        value
    }

    /// Whether a setting was given, right or wrong.
    pub(super) fn has(&self, setting: &Setting) -> bool {
        self.texts.contains_key(setting.key)
    }

    /// Where a setting was given.
    pub(super) fn source(&self, setting: &Setting) -> Option<&Source> {
        self.texts.get(setting.key).map(|(source, _)| source)
    }

    /// A fault of a value that was given.
    pub(super) fn refuse_given(&mut self, setting: &Setting, reason: &str) {
        if let Some((source, _)) = self.texts.get(setting.key).cloned() {
            self.refuse(setting, &source, reason);
        }
    }

    fn refuse(&mut self, setting: &Setting, source: &Source, reason: &str) {
        let Setting { key, variable, flag, .. } = setting;
        self.faults.add(match source {
            Source::Flag => format!("{variable}, given by the flag --{flag}: {reason}"),
            Source::Variable => format!("{variable}, given by the variable: {reason}"),
            Source::File(path) => format!("{variable}, given by {key} in {}: {reason}", path.display()),
        });
    }

    /// A fault of a setting that must be given and was not; `how` says how to come by a value.
    pub(super) fn miss(&mut self, setting: &Setting, how: &str) {
        let Setting { key, variable, flag, .. } = setting;
        self.faults.add(format!(
            "{variable} is missing: {how} (by the variable {variable}, the flag --{flag}, or {key} in a file)"
        ));
    }
}

/// A value of the file as the text that a flag or a variable would give.
fn text_of(value: toml::Value) -> Option<Secret<String>> {
    match value {
        toml::Value::String(text) => Some(Secret::new(text)),
        toml::Value::Integer(number) => Some(Secret::new(number.to_string())),
        toml::Value::Boolean(truth) => Some(Secret::new(truth.to_string())),
        toml::Value::Array(items) => {
            let texts: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
            texts.map(|texts| Secret::new(texts.join(",")))
        }
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}
