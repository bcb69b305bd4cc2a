//! The Vestibule program: reads the command line and the settings, and wires the rooms together.

mod check_scim;
mod cli;
mod commands;
mod config;
mod demo;
mod door;
mod exit;
mod key_file;
mod logging;
mod output;
mod simulate;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, CommonFlags, ServeFlags};
use config::{FILE_NAME, Settings, Sources};
use exit::{Exit, Failure};
use output::{Output, Reader};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Exits with 2 on a mistake, and with 0 after `--help` and `--version`.
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("vestibule: {failure}");
            failure.code()
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let out = Output {
        reader: if cli.common.json {
            Reader::Machine
        } else {
            Reader::Person
        },
    };
    let serve = serve_flags(cli)?;
    let settings = settings(&cli.common, serve)?;
    match &cli.command {
        None | Some(Command::Serve(_)) => commands::serve::run(&settings, out),
        Some(Command::Rules(args)) => commands::rules::run(args, &settings, out),
        Some(Command::Connector(args)) => commands::connector::run(args, &settings, out),
        Some(Command::Pilot(args)) => commands::pilot::run(args, &settings, out),
        Some(Command::Application(args)) => commands::application::run(args, &settings, out),
        Some(Command::SignIn(args)) => commands::sign_in::sign_in(args, &settings, out),
        Some(Command::Directory(args)) => commands::look::directory(args, &settings, out),
        Some(Command::Group(args)) => commands::group::run(args, &settings, out),
        Some(Command::Import(args)) => commands::import::run(args, &settings, out),
        Some(Command::Match(args)) => commands::matches::run(args, &settings, out),
        Some(Command::Conflict(args)) => commands::import::conflict(args, &settings, out),
        Some(Command::Reconcile(args)) => commands::jobs::reconcile(args, &settings, out),
        Some(Command::Job(args)) => commands::jobs::job(args, &settings, out),
        Some(Command::Why(args)) => commands::look::why(args, &settings, out),
        Some(Command::Journal(args)) => commands::journal::run(args, &settings, out),
        Some(Command::History(args)) => commands::past::history(args, &settings, out),
        Some(Command::Override(args)) => commands::past::overrides(args, &settings, out),
        Some(Command::Undo(args)) => commands::past::undo(args, &settings, out),
        Some(Command::Holds(args)) => commands::holds::run(args, &settings, out),
        Some(Command::User(args)) => commands::user::user(args, &settings, out),
        Some(Command::Sticky(args)) => commands::sticky::run(args, &settings, out),
        Some(Command::Session(args)) => commands::look::session(args, &settings, out),
        Some(Command::Webhook(args)) => commands::sign_in::webhook(args, &settings, out),
        Some(Command::Notifications(args)) => commands::notifications::run(args, &settings, out),
        Some(Command::Subscriptions(args)) => commands::subscriptions::run(args, &settings, out),
        Some(Command::Admin(args)) => commands::admin::run(args, &settings, out),
        Some(Command::Audit(args)) => commands::audit::run(args, &settings, out),
        Some(Command::Token(args)) => commands::token::run(args, &settings, out),
        Some(Command::Client(args)) => commands::client::run(args, &settings, out),
        Some(Command::Demo(args)) => demo::run(args, &settings, out),
        Some(Command::Schema(args)) => commands::schema::run(args, &settings, out),
        Some(Command::Export(args)) => commands::configuration::export(args, &settings, out),
        Some(Command::Plan(args)) => commands::configuration::plan(args, &settings, out),
        Some(Command::Apply(args)) => commands::configuration::apply(args, &settings, out),
        Some(Command::Backup(args)) => commands::backup::backup(args, &settings, out),
        Some(Command::Restore(args)) => commands::backup::restore(args, &settings, out),
        Some(Command::Errors(args)) => commands::errors::run(args, out),
        Some(Command::Requests(args)) => commands::requests::run(args, &settings, out),
        Some(Command::Simulate(args)) => simulate::run(args, out),
        Some(Command::CheckScim(args)) => check_scim::run(args, out),
        Some(Command::Config(args)) => commands::config::run(args.command, &settings, out),
        Some(Command::Openapi) => out.text(&server::openapi()),
    }
}

/// The flags of the server, which only `serve` takes, written before or after its name.
fn serve_flags(cli: &Cli) -> Result<Vec<(&'static str, String)>, Failure> {
    let given = |flags: &ServeFlags| {
        [
            ("listen", flags.listen.clone()),
            ("public_url", flags.public_url.clone()),
            ("trusted_proxies", flags.trusted_proxies.clone()),
            ("metrics_from", flags.metrics_from.clone()),
            ("outbound_allow", flags.outbound_allow.clone()),
            ("secret_key", flags.secret_key.clone()),
            ("crowd_version", flags.crowd_version.clone()),
            ("scim_rate", flags.scim_rate.clone()),
            ("scim_burst", flags.scim_burst.clone()),
            ("scim_in_flight", flags.scim_in_flight.clone()),
            (
                "failed_authentications",
                flags.failed_authentications.clone(),
            ),
            ("connections", flags.connections.clone()),
            (
                "connections_per_address",
                flags.connections_per_address.clone(),
            ),
            ("request_days", flags.request_days.clone()),
            ("request_records", flags.request_records.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect::<Vec<_>>()
    };
    let mut flags = given(&cli.serve);
    match &cli.command {
        None => {}
        Some(Command::Serve(after)) => flags.extend(given(after)),
        Some(_) => {
            if let Some((name, _)) = flags.first() {
                let flag = config::flag(name);
                return Err(Failure::new(
                    Exit::Usage,
                    format!("{flag} is for `serve` only"),
                ));
            }
        }
    }
    Ok(flags)
}

fn settings(
    common: &CommonFlags,
    mut flags: Vec<(&'static str, String)>,
) -> Result<Settings, Failure> {
    let always = [
        ("data", &common.data),
        ("database", &common.database),
        ("log", &common.log),
        ("log_format", &common.log_format),
    ];
    flags.extend(
        always
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.clone()?))),
    );
    let file = configuration_file(common.config.as_deref())?;
    let sources = Sources {
        flags,
        variables: variables(),
        file: file
            .as_ref()
            .map(|(path, text)| (path.as_path(), text.as_str())),
    };
    Ok(Settings::read(&sources)?)
}

/// The file that is named by flag or variable and must be there, or the one in the current folder.
fn configuration_file(flag: Option<&Path>) -> Result<Option<(PathBuf, String)>, Failure> {
    let variable = std::env::var_os("VESTIBULE_CONFIG").map(PathBuf::from);
    let named = flag.map(Path::to_path_buf).or(variable);
    let path = named.clone().unwrap_or_else(|| PathBuf::from(FILE_NAME));
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let message = format!(
                "the configuration file {} cannot be read: {error}",
                path.display()
            );
            Err(Failure::new(Exit::Usage, message))
        }
    }
}

/// The environment, without what is not UTF-8 and so cannot be ours.
fn variables() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}
