//! The command line.

use clap::{Parser, Subcommand};

use crate::config::{AuditPlaces, Given, Places, SandboxGiven};
use crate::operator::{NewKey, audit};

/// Know-your-customer service: registers customers, has them verified, and keeps the evidence.
#[derive(Debug, Parser)]
#[command(name = "kyc-server", version, disable_help_subcommand = true, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service
    #[command(
        after_help = "Every setting may be given by its flag, by its variable, or in the file, in this order \
                            of precedence. On a fresh machine: kyc-server serve --dev"
    )]
    Serve(Given),
    /// Prints the `OpenAPI` document of the service.
    #[command(about = "Print the OpenAPI document of the service")]
    Openapi,
    /// Print the table of settings, in Markdown
    Config,
    /// Run the sandbox provider alone, to develop and test against
    Sandbox(SandboxGiven),
    /// Make, list, rotate and retire the keys that personal data is sealed and found with
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Make, list and revoke API keys, while the service runs and while it does not
    #[command(subcommand)]
    ApiKeys(ApiKeysCommand),
    /// Verify and export the audit log, while the service runs and while it does not
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Erase customers whose retention has ended, while the service runs and while it does not
    #[command(subcommand)]
    Retention(RetentionCommand),
}

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a new keyring, where there is none yet
    Generate(Places),
    /// List the versions of the keys, and how many customers are under each
    List(Places),
    /// Add a key and put every customer under it, while the service serves; or finish what was begun
    Rotate {
        /// The key that people are found with, in place of the one that their data is sealed with
        #[arg(long)]
        fingerprint: bool,
        /// Where the data is.
        #[command(flatten)]
        places: Places,
    },
    /// Take a key out of the keyring that nothing needs any more
    Retire {
        /// The version of the key, as `list` shows it
        version: u32,
        /// A key that people are found with, in place of one that their data is sealed with
        #[arg(long)]
        fingerprint: bool,
        /// Where the data is.
        #[command(flatten)]
        places: Places,
    },
}

/// What can be done with the audit log.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check that no event was edited, removed or moved; exit with 1 and name the first that was
    Verify(audit::Verify),
    /// Write the events as lines of JSON, with all that their hashes cover
    Export(audit::Export),
    /// Print the key that verifies checkpoints, in the form of signed notes (c2sp.org/signed-note)
    PublicKey(AuditPlaces),
}

/// What can be done with API keys.
#[derive(Debug, Subcommand)]
pub enum ApiKeysCommand {
    /// Make an API key; its secret is printed this once
    Create {
        /// What it is to be.
        #[command(flatten)]
        new: NewKey,
        /// Where the data is.
        #[command(flatten)]
        places: Places,
    },
    /// List the API keys, also those that have ended
    List(Places),
    /// Revoke an API key: it is dead at the next request
    Revoke {
        /// The key's id, as `list` and `create` show it
        id: String,
        /// Where the data is.
        #[command(flatten)]
        places: Places,
    },
}

/// What can be done about retention.
#[derive(Debug, Subcommand)]
pub enum RetentionCommand {
    /// Erase the customers whose relationship has ended and whose data need not be kept any longer
    Run {
        /// Say only who they are, and since when
        #[arg(long)]
        dry_run: bool,
        /// Where the data is.
        #[command(flatten)]
        places: Places,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::config::ALL;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_takes_each_setting_by_flag_and_by_a_variable_whose_value_no_help_shows() {
        let mut cli = Cli::command();
        let serve = cli.find_subcommand_mut("serve").unwrap();
        for setting in ALL {
            let found = serve.get_arguments().find(|argument| argument.get_long() == Some(setting.flag));
            let argument = found.unwrap();
            assert_eq!(argument.get_env(), Some(setting.variable.as_ref()));
            assert!(argument.is_hide_env_values_set());
        }
        assert!(serve.render_long_help().to_string().contains("[default: 127.0.0.1:8080]"));
    }

    #[test]
    fn a_secret_that_is_too_short_is_not_repeated() {
        let cli = Cli::try_parse_from(["kyc-server", "sandbox", "--secret", "canary"]).unwrap();
        let Command::Sandbox(given) = cli.command else { panic!("the sandbox") };
        assert!(!format!("{given:?}").contains("canary"));
        assert!(!given.secrets().unwrap_err().to_string().contains("canary"));
    }
}
