//! Flags of `vestibule rules`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, Subcommand};
use directory::Operation;

use super::DoorFlags;

/// `vestibule rules`
#[derive(Debug, Args)]
pub struct RulesArgs {
    /// Where the data are.
    #[command(flatten)]
    pub door: DoorFlags,
    /// What to do.
    #[command(subcommand)]
    pub command: RulesCommand,
}

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Print the rules in force, or those of a version, as JSON.
    Show {
        /// The connector, by name or id.
        connector: String,
        /// The version; the rules in force if left out.
        #[arg(long = "rules-version", value_name = "NUMBER")]
        number: Option<i64>,
    },
    /// Change the rules in $VISUAL or $EDITOR: what comes of it is checked, previewed and, if you say yes, applied.
    Edit {
        /// The connector, by name or id.
        connector: String,
        /// What the change is for.
        #[command(flatten)]
        terms: TermsArgs,
    },
    /// Check rules and run the connector's tests on them, changing nothing.
    ///
    /// Exit code 2 if they are wrong or stored users would get no usable values by them, 1 if a test fails.
    Check {
        /// The connector, by name or id.
        connector: String,
        /// A file with the rules, or a configuration file in which the connector has some; the rules in force if left out.
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// Show what rules would do to everybody, changing nothing. Exit code 8 if they would do something.
    Preview {
        /// The connector, by name or id.
        connector: String,
        /// A file with the rules, or a configuration file in which the connector has some; the rules in force, as a reconcile
        /// would use them, if left out.
        #[arg(long)]
        file: Option<PathBuf>,
        /// The rules of a former version.
        #[arg(long = "rules-version", value_name = "NUMBER", conflicts_with = "file")]
        number: Option<i64>,
        /// Only this user, by userName or SCIM id.
        #[arg(long, conflicts_with = "group")]
        user: Option<String>,
        /// Only the users in this group of the identity provider, by name or SCIM id.
        #[arg(long)]
        group: Option<String>,
        /// Let rows and rules with the state `shadow` count, to see what effect they would have.
        #[arg(long)]
        shadows: bool,
        /// List only users with this text in a name.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// List only users with this operation.
        #[arg(long, value_name = "OPERATION", value_parser = operations())]
        operation: Option<String>,
        /// Print all users as CSV.
        #[arg(long, conflicts_with = "json")]
        csv: bool,
    },
    /// Try a row or steps on a typed value, on one stored user or on all of them; or rules on one user. Nothing is changed.
    Try(TryArgs),
    /// Put rules in force: exactly what a preview shows, or those of a file.
    ///
    /// What safety limits would hold of the rules of a file has to be agreed to: at the terminal, or by --yes.
    Apply {
        /// The connector, by name or id.
        connector: String,
        /// The id of a preview.
        #[arg(long, value_name = "ID", required_unless_present = "file")]
        preview: Option<String>,
        /// A file with the rules, or a configuration file in which the connector has some.
        #[arg(long, conflicts_with = "preview")]
        file: Option<PathBuf>,
        /// What the change is for.
        #[command(flatten)]
        terms: TermsArgs,
    },
    /// List the versions of the rules, newest first.
    Versions {
        /// The connector, by name or id.
        connector: String,
    },
    /// Tell what rules say otherwise than others: what the last change changed, if nothing is named.
    Diff {
        /// The connector, by name or id.
        connector: String,
        /// The version that counts as the former.
        #[arg(long, value_name = "NUMBER")]
        from: Option<i64>,
        /// The version that counts as the new.
        #[arg(long, value_name = "NUMBER", conflicts_with = "file")]
        to: Option<i64>,
        /// A file with rules that count as the new.
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// Go back to a former version, in one step. That is a new version too.
    ///
    /// What safety limits would hold has to be agreed to: at the terminal, or by --yes.
    Rollback {
        /// The connector, by name or id.
        connector: String,
        /// The number of the version.
        number: i64,
        /// What the change is for.
        #[command(flatten)]
        terms: TermsArgs,
    },
    /// Run the connector's tests. Exit code 1 if one fails.
    Test {
        /// The connector, by name or id.
        connector: String,
        /// A file with the rules to test; those in force if left out.
        #[arg(long)]
        file: Option<PathBuf>,
        /// A file with the tests to run instead of the connector's.
        #[arg(long, value_name = "FILE")]
        tests: Option<PathBuf>,
        /// Keep the tests of --tests with the connector, in place of those it has.
        #[arg(long, requires = "tests")]
        save: bool,
        /// Print the connector's tests as JSON, in the form that --tests reads, and run none.
        #[arg(long, conflicts_with_all = ["file", "tests"])]
        show: bool,
        /// Print the results as JUnit XML.
        #[arg(long, conflicts_with = "json")]
        junit: bool,
    },
}

/// What to try, and on whom.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("whom").required(true).args(["value", "user", "everybody"]))]
pub struct TryArgs {
    /// The connector, by name or id.
    pub connector: String,
    /// A row, in place of those with its target: JSON or YAML, or a file with it.
    #[arg(long, value_name = "ROW")]
    pub row: Option<String>,
    /// The steps of a row, as a list or a file with one, such as '["lower", {"left": 8}]'.
    #[arg(long, value_name = "STEPS", conflicts_with = "row")]
    pub steps: Option<String>,
    /// What these steps make up; an attribute of their own if left out.
    #[arg(long, value_name = "TARGET", requires = "steps")]
    pub target: Option<String>,
    /// The attribute that these steps begin with; the usual one of the target if left out.
    #[arg(long, value_name = "PATH", requires = "steps")]
    pub source: Option<String>,
    /// A file with the rules around it, or a configuration file in which the connector has some; the rules in force if left out.
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// A typed value with which the steps begin; several for a list.
    #[arg(long, value_name = "TEXT")]
    pub value: Vec<String>,
    /// A stored user, by userName or SCIM id.
    #[arg(long)]
    pub user: Option<String>,
    /// All stored users: who would get another value, and who none that can be used. Exit code 8 if there is anybody.
    #[arg(long)]
    pub everybody: bool,
}

/// What a change of rules is for, and how it is done.
#[derive(Debug, Args)]
pub struct TermsArgs {
    /// What the change is for; kept with the version.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub comment: String,
    /// Go on although a test fails or users would get no usable values.
    #[arg(long)]
    pub anyway: bool,
    /// Go on without asking, also where safety limits would hold something.
    #[arg(long)]
    pub yes: bool,
    /// Stay until everybody is evaluated, and show how far that is.
    #[arg(long)]
    pub wait: bool,
}

fn operations() -> PossibleValuesParser {
    PossibleValuesParser::new(Operation::ALL.map(Operation::as_str))
}
