//! Where the audit log is, and the key that signs its checkpoints: for the commands that read it.

use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::layers::{ConfigFaults, Layers};
use super::path;
use super::settings::{CHECKPOINT_DIR, CHECKPOINT_KEY, DATA_DIR, Given, Setting, arguments, given};

/// The settings that a command on the audit log reads.
const SETTINGS: &[Setting] = &[DATA_DIR, CHECKPOINT_KEY];

/// Where the audit log is, for commands that need nothing else.
#[derive(Debug, Clone, Default)]
pub struct AuditPlaces(Given);

impl AuditPlaces {
    /// The data folder.
    ///
    /// # Errors
    /// What is wrong with the settings that say where it is.
    pub fn data_dir(&self) -> Result<PathBuf, ConfigFaults> {
        self.read(|layers| layers.read(&DATA_DIR, path))
    }

    /// The file of the key that signs checkpoints, which may not exist yet.
    ///
    /// # Errors
    /// What is wrong with the settings that say where it is.
    pub fn checkpoint_key(&self) -> Result<PathBuf, ConfigFaults> {
        self.read(|layers| {
            let data_dir = layers.read(&DATA_DIR, path);
            checkpoint_key(layers, data_dir.as_deref())
        })
    }

    fn read(&self, read: impl FnOnce(&mut Layers) -> Option<PathBuf>) -> Result<PathBuf, ConfigFaults> {
        let mut layers = Layers::merge(&self.0);
        read(&mut layers).filter(|_| layers.faults.is_empty()).ok_or(layers.faults)
    }
}

pub(super) fn checkpoint_key(layers: &mut Layers, data_dir: Option<&Path>) -> Option<PathBuf> {
    given_or_within(layers, &CHECKPOINT_KEY, data_dir, "checkpoint.key")
}

pub(super) fn checkpoint_dir(layers: &mut Layers, data_dir: Option<&Path>) -> Option<PathBuf> {
    given_or_within(layers, &CHECKPOINT_DIR, data_dir, "checkpoints")
}

fn given_or_within(
    layers: &mut Layers,
    setting: &Setting,
    data_dir: Option<&Path>,
    name: &str,
) -> Option<PathBuf> {
    if layers.has(setting) {
        return layers.read(setting, path);
    }
    data_dir.map(|folder| folder.join(name))
}

impl Args for AuditPlaces {
    fn augment_args(command: Command) -> Command {
        arguments(command, SETTINGS)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for AuditPlaces {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(given(matches, SETTINGS)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
