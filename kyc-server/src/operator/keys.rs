//! The keys that personal data is sealed and found with: listed, rotated and retired, while the service serves.
//!
//! A rotation is done in steps, each of which leaves everything readable, so that a kill between any two of
//! them needs nobody: the next `keys rotate` goes on.
//!
//! ```text
//! event -> the new key is in the file, synced -> the cipher uses it -> customers are put under it, by pages
//! ```

use kyc_core::Kyc;
use kyc_core::domain::actor::Actor;
use kyc_core::domain::key_use::KeyUse;
use kyc_core::ports::Store;
use kyc_core::ports::store::KeyCount;
use kyc_core::usecase::{RETIREMENT_DELAY, Rewrapped};

use super::keyring::HeldKeyring;
use super::{NotDone, Progress, Report, table};
use crate::config::KeyringSource;

/// What the operations on keys work with.
pub(super) struct Work<'a> {
    pub(super) kyc: &'a Kyc,
    pub(super) keyring: &'a HeldKeyring,
    pub(super) store: &'a dyn Store,
    pub(super) actor: &'a Actor,
}

const BUSY: &str = "another command is at work on the keys: wait until it has ended";

impl Work<'_> {
    /// The versions of all keys, and how many customers are under each.
    pub(super) async fn list(&self) -> Result<Vec<String>, NotDone> {
        let mut rows = vec![["KEY", "VERSION", "CREATED", "STATE", "CUSTOMERS"].map(str::to_owned)];
        for of in KeyUse::ALL {
            let counts = self.kyc.key_counts(self.actor, *of).await.map_err(NotDone::because)?;
            let under = |version| counts.iter().find(|count| count.version == version);
            for key in self.keyring.list().iter().filter(|key| key.of == *of) {
                rows.push([
                    of.to_string(),
                    key.version.to_string(),
                    format!("{:.0}", key.created_at),
                    if key.is_current { "current" } else { "older" }.to_owned(),
                    under(key.version).map_or(0, |count: &KeyCount| count.customers).to_string(),
                ]);
            }
        }
        Ok(table(&rows))
    }

    /// Adds a version and puts every customer under it; or finishes what an earlier rotation left.
    pub(super) async fn rotate(&self, of: KeyUse, report: Report<'_>) -> Result<Vec<String>, NotDone> {
        let _alone = self.keyring.begin().map_err(|_| NotDone::because(BUSY))?;
        self.keyring.refresh(self.store).await?;
        let (next, prepared) = self.keyring.rotated(of).map_err(NotDone::because)?;
        if self.is_unfinished(of).await? {
            let mut lines = vec![format!(
                "An earlier rotation to {of} key {} had not come to its end: it has now, and no version was added.",
                self.keyring.current(of)
            )];
            lines.extend(self.rewrap(of, report).await?);
            lines.push("Run the same command again to add a version.".to_owned());
            return Ok(lines);
        }
        let version = next.current(of);
        let Some(prepared) = prepared else { return Ok(self.rotate_by_hand(of, version)) };
        self.kyc.rotate_key(self.actor, of, version).await.map_err(NotDone::because)?;
        prepared.put_in_place().map_err(NotDone::because)?;
        self.keyring.install(next).map_err(NotDone::because)?;
        let mut lines = vec![
            format!("{} key {version} is in use.", capital(of)),
            format!(
                "Copy {} to its safe place now: without the new key nobody reads the data.",
                self.keyring.source()
            ),
        ];
        lines.extend(self.rewrap(of, report).await?);
        Ok(lines)
    }

    /// Whether customers are under an older version.
    async fn is_unfinished(&self, of: KeyUse) -> Result<bool, NotDone> {
        let counts = self.kyc.key_counts(self.actor, of).await.map_err(NotDone::because)?;
        Ok(counts.iter().any(|count| count.version != self.keyring.current(of)))
    }

    async fn rewrap(&self, of: KeyUse, report: Report<'_>) -> Result<Vec<String>, NotDone> {
        let progress = |done, total| report(Progress { done, total });
        let done = self.kyc.rewrap(self.actor, of, &progress).await.map_err(|error| {
            NotDone::because(format!("{error}. What was done stays; run the same command to go on"))
        })?;
        let current = self.keyring.current(of);
        let Rewrapped { customers, left, unreadable } = done;
        if left > 0 {
            let named = unreadable.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let why = if unreadable.is_empty() {
                "others kept changing them; run the same command to go on".to_owned()
            } else {
                format!("their key or their data was altered and does not open: {named}")
            };
            return Err(NotDone::because(format!(
                "{customers} customers were put under {of} key {current}, and {left} were not: {why}"
            )));
        }
        let mut lines = vec![format!(
            "{customers} customers were put under {of} key {current}; none is under an older one, which was counted."
        )];
        let older: Vec<_> =
            self.keyring.list().into_iter().filter(|key| key.of == of && !key.is_current).collect();
        lines.extend(older.iter().map(|key| {
            format!(
                "To take {of} key {} out, in {} seconds at the earliest: kyc-server keys retire {}{}",
                key.version,
                RETIREMENT_DELAY.as_secs(),
                key.version,
                option(of)
            )
        }));
        Ok(lines)
    }

    /// What to do where this program may not write the keyring.
    fn rotate_by_hand(&self, of: KeyUse, version: u32) -> Vec<String> {
        let source = self.keyring.source();
        let (list, current) = fields(of);
        let mut lines = vec![
            format!(
                "The keyring is {source}, which this program can't write. No version was added. To add one by hand:"
            ),
            format!(
                "  1. to \"{list}\" add {{\"version\": {version}, \"key\": \"…\", \"created_at\": \"{:.0}\"}}, where the \
                 key is what `openssl rand -base64 32` prints",
                self.keyring.now()
            ),
            format!("  2. set \"{current}\" to {version}, and leave the older keys where they are"),
        ];
        lines.push(match source {
            KeyringSource::File(_) => format!("  3. run `kyc-server keys rotate{}` again", option(of)),
            KeyringSource::Variable(_) => format!(
                "  3. start the service again with the new value, and run `kyc-server keys rotate{}` again",
                option(of)
            ),
        });
        lines.push("Customers who are under an older version are put under the new one then.".to_owned());
        lines
    }

    /// Takes a version out that nothing needs.
    pub(super) async fn retire(&self, of: KeyUse, version: u32) -> Result<Vec<String>, NotDone> {
        let _alone = self.keyring.begin().map_err(|_| NotDone::because(BUSY))?;
        self.keyring.refresh(self.store).await?;
        if !self.keyring.list().iter().any(|key| key.of == of && key.version == version) {
            return Err(NotDone::because(format!("the keyring holds no {of} key of version {version}")));
        }
        let refused = |words: String| NotDone::because(format!("{of} key {version} stays: {words}"));
        let since = self.keyring.current_since(of);
        // Whether nothing needs it is asked first, so that the current one is told by the reason that counts.
        self.kyc
            .may_retire(self.actor, of, version, since)
            .await
            .map_err(|error| refused(error.to_string()))?;
        let (next, prepared) =
            self.keyring.retired(of, version).map_err(|error| refused(error.to_string()))?;
        let Some(prepared) = prepared else {
            return Ok(vec![format!(
                "Nothing needs {of} key {version}. The keyring is {}, which this program can't write: take the key \
                 out of \"{}\" there by hand.",
                self.keyring.source(),
                fields(of).0
            )]);
        };
        self.kyc
            .retire_key(self.actor, of, version, since)
            .await
            .map_err(|error| refused(error.to_string()))?;
        prepared.put_in_place().map_err(NotDone::because)?;
        self.keyring.install(next).map_err(NotDone::because)?;
        Ok(vec![
            format!("{} key {version} is taken out: nothing needs it.", capital(of)),
            "Keep an old copy of the keyring for as long as a backup is kept that was made before the rotation."
                .to_owned(),
        ])
    }
}

/// The fields of a keyring that hold the keys of a use, and its current version.
const fn fields(of: KeyUse) -> (&'static str, &'static str) {
    match of {
        KeyUse::Master => ("master_keys", "current_master"),
        KeyUse::Fingerprint => ("fingerprint_keys", "current_fingerprint"),
    }
}

const fn option(of: KeyUse) -> &'static str {
    match of {
        KeyUse::Master => "",
        KeyUse::Fingerprint => " --fingerprint",
    }
}

const fn capital(of: KeyUse) -> &'static str {
    match of {
        KeyUse::Master => "Master",
        KeyUse::Fingerprint => "Fingerprint",
    }
}
