//! Flags of `vestibule connector`.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use directory::Preset;
use scim::Departure;

use super::{CredentialsArgs, DoorFlags, FateArg, TermsArgs, TransferArgs};

/// `vestibule connector`
#[derive(Debug, Args)]
pub struct ConnectorArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: ConnectorCommand,
}

/// What to do with connectors.
#[derive(Debug, Subcommand)]
pub enum ConnectorCommand {
    /// Make a connector and print its base URL and token. The token is shown this once.
    Create {
        /// A name for people; any text that no other connector has.
        #[arg(long)]
        name: String,
        /// The identity provider that will write to it.
        #[arg(long, default_value = "generic", value_parser = presets())]
        preset: Preset,
        /// The name or id of the directory that it feeds; one of its own if it is left out.
        #[arg(long)]
        directory: Option<String>,
    },
    /// List what connectors can be made for, and which departures from the RFCs each has.
    Presets,
    /// Show or switch the departures from the RFCs of a connector.
    Departures {
        /// Its name or id.
        connector: String,
        /// Switch one on, whatever the preset says.
        #[arg(long, value_name = "DEPARTURE", value_parser = departures())]
        on: Vec<Departure>,
        /// Switch one off, whatever the preset says.
        #[arg(long, value_name = "DEPARTURE", value_parser = departures())]
        off: Vec<Departure>,
        /// Leave one to the preset again.
        #[arg(long, value_name = "DEPARTURE", value_parser = departures())]
        reset: Vec<Departure>,
    },
    /// List all connectors.
    List,
    /// Show one connector.
    Show {
        /// Its name or id.
        connector: String,
    },
    /// Show how far the set-up is: what has arrived, what was refused and why, which product fetches.
    Checklist {
        /// Its name or id.
        connector: String,
        /// Look at this product only, by the name or id of its application.
        #[arg(long, value_name = "APPLICATION")]
        application: Option<String>,
    },
    /// Print a link to the set-up of a connector, for somebody without an account: base URL, steps and checklist, and
    /// a button that makes the token. Or list such links, or take one back.
    SetupLink {
        /// Its name or id.
        connector: String,
        /// How many days it is good, 1 to 30.
        #[arg(long, value_name = "DAYS", default_value_t = 3)]
        days: u32,
        /// List the links that work.
        #[arg(long, conflicts_with_all = ["days", "revoke"])]
        list: bool,
        /// Take the link of this id back.
        #[arg(long, value_name = "ID", conflicts_with = "days")]
        revoke: Option<String>,
    },
    /// Say which identity provider a connector is for from now on.
    Preset {
        /// Its name or id.
        connector: String,
        /// The identity provider.
        #[arg(value_parser = presets())]
        preset: Preset,
    },
    /// Make a new token and print it. The old ones keep working for a while, so that nothing is lost meanwhile.
    RotateToken {
        /// Its name or id.
        connector: String,
        /// How many minutes the old tokens go on working; 0 ends them at once.
        #[arg(long, value_name = "MINUTES", default_value_t = 1440)]
        overlap: u32,
    },
    /// Print the rules of a connector as JSON, or check and apply new ones.
    Rules {
        /// Its name or id.
        connector: String,
        /// A file with the new rules, as with `rules apply`.
        #[arg(long)]
        file: Option<PathBuf>,
        /// What the change is for.
        #[command(flatten)]
        terms: TermsArgs,
    },
    /// Give a connector another name. Its base URL and its directory stay as they are.
    Rename {
        /// Its name or id.
        connector: String,
        /// The new name.
        name: String,
    },
    /// Show or change how the identity provider may prove who it is, from where, and how often it may ask.
    Credentials(Box<CredentialsArgs>),
    /// Show or change whether pushed passwords are kept, and what a PATCH is answered with.
    Settings {
        /// Its name or id.
        connector: String,
        /// Keep the passwords that the identity provider pushes, as hashes, so that people can log in with them.
        #[arg(long, value_name = "true|false")]
        accept_passwords: Option<bool>,
        /// The answer to a PATCH: as the preset's client expects, always 200 with the resource, or always 204.
        #[arg(long, value_name = "ANSWER", value_parser = ["auto", "always200", "always204"])]
        patch_reply: Option<String>,
    },
    /// Show or change when everybody is evaluated anew by itself.
    Schedule {
        /// Its name or id.
        connector: String,
        /// Minute, hour, day of the month, month and day of the week, as cron has them; off for never.
        #[arg(long, value_name = "EXPRESSION")]
        cron: Option<String>,
        /// The time zone in which that is meant, such as Europe/Berlin.
        #[arg(long, value_name = "NAME", requires = "cron")]
        time_zone: Option<String>,
    },
    /// Show members whom groups name and whom nobody knows yet, users whose name is taken, values that cannot be used, and
    /// what switches of the rules keep back.
    Waiting {
        /// Its name or id.
        connector: String,
    },
    /// Record what the identity provider reads, too, for some hours; `vestibule requests` shows it.
    RecordReads {
        /// Its name or id.
        connector: String,
        /// For how many hours, up to 168; 0 ends it at once.
        #[arg(long, value_name = "HOURS", default_value_t = 24)]
        hours: u32,
    },
    /// Keep taking writes, but leave the directory as it is until `resume`.
    Pause {
        /// Its name or id.
        connector: String,
    },
    /// Refuse every request of the identity provider until `resume`.
    Disable {
        /// Its name or id.
        connector: String,
    },
    /// Delete a connector with its source and tokens.
    Delete {
        /// Its name or id.
        connector: String,
        /// What becomes of its accounts.
        #[arg(long, value_name = "FATE", default_value = "keep")]
        accounts: FateArg,
        /// Do it; without, show what it would touch.
        #[arg(long)]
        yes: bool,
        /// Stay until it is over, and show how far it is.
        #[arg(long, requires = "yes")]
        wait: bool,
    },
    /// Let a connector feed another directory.
    Move {
        /// Its name or id.
        connector: String,
        /// The other directory, by name or id.
        directory: String,
        /// What becomes of its accounts in the present one.
        #[arg(long, value_name = "FATE", default_value = "keep")]
        accounts: FateArg,
        /// Do it; without, show what it would touch.
        #[arg(long)]
        yes: bool,
        /// Stay until it is over, and show how far it is.
        #[arg(long, requires = "yes")]
        wait: bool,
    },
    /// Give accounts of a connector to another one that feeds the same directory.
    Transfer(TransferArgs),
    /// Let a paused or disabled connector work again, and catch up with what was written meanwhile.
    Resume {
        /// Its name or id.
        connector: String,
    },
}

fn presets() -> impl TypedValueParser<Value = Preset> {
    let values = Preset::ALL.map(|preset| {
        let value = PossibleValue::new(preset.as_str()).help(preset.about());
        match preset {
            Preset::Pingone => value.alias("ping"),
            _ => value,
        }
    });
    PossibleValuesParser::new(values).map(|word| Preset::parse(&word).unwrap_or_default())
}

fn departures() -> impl TypedValueParser<Value = Departure> {
    let values = Departure::ALL
        .map(|departure| PossibleValue::new(departure.as_str()).help(departure.about()));
    PossibleValuesParser::new(values)
        .try_map(|word| Departure::parse(&word).ok_or("no such departure"))
}
