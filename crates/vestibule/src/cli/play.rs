//! Flags of the commands that play identity providers and products.

use clap::{Args, ValueEnum};

use super::secret;

/// `vestibule demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The address and port to serve HTTP on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub listen: String,
    /// Stop after the play instead of serving on; fails if something did not go as it should.
    #[arg(long)]
    pub once: bool,
    /// How many people the emulated identity providers have.
    #[arg(long, default_value_t = 50)]
    pub users: usize,
    /// How many groups they push.
    #[arg(long, default_value_t = 8)]
    pub groups: usize,
    /// The same seed gives the same people.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// `vestibule simulate`
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Which identity provider to play.
    #[arg(value_enum)]
    pub provider: Provider,
    /// The base URL of the SCIM server, as one would paste it into the identity provider.
    #[arg(long)]
    pub url: String,
    /// The bearer token, or file:PATH of a file that holds it.
    #[arg(long, env = "VESTIBULE_TOKEN", hide_env_values = true, value_parser = secret)]
    pub token: String,
    /// How many users to push.
    #[arg(long, default_value_t = 100)]
    pub users: usize,
    /// How many groups to push.
    #[arg(long, default_value_t = 10)]
    pub groups: usize,
    /// The same seed gives the same people.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// An identity provider that can be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Provider {
    /// Okta.
    Okta,
    /// Microsoft Entra ID.
    Entra,
}
