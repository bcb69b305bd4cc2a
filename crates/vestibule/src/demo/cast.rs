//! Who plays in the demo: two organizations with their identity providers, and the products that follow them.

use directory::{ConnectorSettings, Preset, Rules};
use emulate::entra::{Entra, PatchDialect};
use emulate::jira::Jira;
use emulate::okta::{AppKind, Okta};
use emulate::organization::{Organization, Size};
use emulate::provider::Provider;
use provision::{ApplicationDraft, ConnectorDraft, Passwords};
use store::Access;

use crate::cli::DemoArgs;
use crate::commands::serve::Started;
use crate::exit::{Exit, Failure};

/// Everybody.
pub struct Cast {
    /// One organization with its provider and product each.
    pub sides: Vec<Side>,
}

/// An organization, the identity provider that sends its people, and the product that shall see them.
pub struct Side {
    /// The people.
    pub organization: Organization,
    /// What sends them.
    pub provider: Provider,
    /// What shall see them.
    pub product: Jira,
    /// The product's name.
    pub product_name: &'static str,
    /// Where the provider sends to.
    pub connector: ConnectorAccess,
    /// How the product gets in.
    pub application: ApplicationAccess,
}

/// What was pasted into the identity provider.
pub struct ConnectorAccess {
    /// The connector's name, and its directory's.
    pub name: String,
    /// The base URL.
    pub base_url: String,
    /// The token.
    pub token: String,
}

/// What was typed into the product.
pub struct ApplicationAccess {
    /// The server URL.
    pub url: String,
    /// The application's name.
    pub name: String,
    /// The application's password.
    pub password: String,
}

impl Cast {
    /// Makes connectors and applications on a server that is open, and those who will use them.
    pub async fn assemble(started: &Started, args: &DemoArgs) -> Result<Cast, Failure> {
        let stage = |people: usize, seed: u64, domain: &str| {
            let (groups, domain) = (args.groups, domain.to_owned());
            Organization::found(&Size {
                people,
                groups,
                seed,
                domain,
            })
        };
        let first = stage(args.users.div_ceil(2), args.seed, "okta.example");
        let second = stage(args.users / 2, args.seed.wrapping_add(1), "entra.example");
        let okta = make_connector(started, "okta", Preset::Okta).await?;
        let jira = make_application(started, "jira-okta", "okta").await?;
        let entra = make_connector(started, "entra", Preset::Entra).await?;
        let second_jira = make_application(started, "jira-entra", "entra").await?;
        // One Jira with two directories of the type "Atlassian Crowd", each an application of its own.
        let sides = vec![
            Side {
                organization: first,
                provider: Provider::Okta(
                    Okta::new(&okta.base_url, &okta.token, AppKind::Template).map_err(unusable)?,
                ),
                product: Jira::new(&jira.url, &jira.name, &jira.password).map_err(unusable)?,
                product_name: "Jira",
                connector: okta,
                application: jira,
            },
            Side {
                organization: second,
                provider: Provider::Entra(
                    Entra::new(&entra.base_url, &entra.token, PatchDialect::Classic)
                        .map_err(unusable)?,
                ),
                product: Jira::new(&second_jira.url, &second_jira.name, &second_jira.password)
                    .map_err(unusable)?,
                product_name: "Jira",
                connector: entra,
                application: second_jira,
            },
        ];
        Ok(Cast { sides })
    }
}

async fn make_connector(
    started: &Started,
    name: &str,
    preset: Preset,
) -> Result<ConnectorAccess, Failure> {
    let draft = ConnectorDraft {
        name: name.to_owned(),
        preset,
        directory: None,
        // Whoever watches is to see everything that the identity provider does.
        rules: Rules::default(),
        settings: ConnectorSettings::default(),
    };
    let made = started.provision.create_connector(draft, "demo").await.map_err(|error| {
        let failure = Failure::from(error);
        match failure.exit {
            Exit::Conflict => failure.with("a demo needs an empty place: leave --data and --database out, or name a new one"),
            _ => failure,
        }
    })?;
    let made = made.connector;
    let token = started
        .provision
        .create_scim_token(made.id, "demo", None)
        .await?;
    Ok(ConnectorAccess {
        base_url: format!("{}/scim/v2/{}", started.url, made.public_id),
        token: token.secret.reveal().to_owned(),
        name: made.name,
    })
}

async fn make_application(
    started: &Started,
    name: &str,
    directory: &str,
) -> Result<ApplicationAccess, Failure> {
    let draft = ApplicationDraft {
        name: name.to_owned(),
        access: Access::ReadOnly,
        addresses: Vec::new(),
        directories: vec![directory.into()],
        aggregate_memberships: false,
        only_with_access: false,
        only_groups_with_access: false,
    };
    let (made, password) = started
        .provision
        .create_application(draft, &Passwords::default())
        .await?;
    Ok(ApplicationAccess {
        url: format!("{}/crowd", started.url),
        name: made.name,
        password: password.reveal().to_owned(),
    })
}

fn unusable(error: emulate::http::SetupError) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}
