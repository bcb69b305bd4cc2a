//! The configuration as one document: given out, compared with what is there, and carried out in one transaction (BY-18).

mod around;
mod carry_out;
mod channels;
mod check;
mod credentials;
mod given;
mod kept;
mod opening;
mod precedence;
mod seal;
mod secrets;
mod subscriptions;
mod survey;

use directory::DirectoryId;
use directory::configuration::{
    Configuration, Merged, ObjectName, Plan, Said, merge, objects, plan,
};
use sha2::{Digest, Sha256};
use store::{Job, ReadTx, Scope};

use crate::rule_changes::checked_comment;
use crate::{Passwords, Provision, ProvisionError, RulesChange, Secret};
use around::with_surroundings;
use carry_out::Work;
use check::Checks;
use seal::{SealKey, SealKeys};

pub use seal::Passphrase;

/// What is wanted of a configuration.
#[derive(Debug, Clone)]
pub struct ConfigurationWish {
    /// How things are to be.
    pub configuration: Configuration,
    /// Whether what the lists of it do not name is removed.
    pub prune: bool,
    /// Whether rules are taken although a test fails or users would get no usable values.
    pub anyway: bool,
    /// What the secrets in it are sealed with, if there are any.
    pub passphrase: Option<Passphrase>,
}

/// A plan, and what it was made on.
#[derive(Debug, Clone)]
pub struct Planned {
    /// A mark of the configuration at that moment: another one, and something changed.
    pub ground: String,
    /// What is to be done.
    pub plan: Plan,
}

/// A secret that was generated, shown this once.
#[derive(Debug, Clone)]
pub struct MadeSecret {
    /// Whose it is.
    pub object: ObjectName,
    /// The id that is shown with it, if it has one.
    pub id: Option<String>,
    /// The text.
    pub secret: Secret,
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The plan that was carried out.
    pub plan: Plan,
    /// What was generated on the way.
    pub secrets: Vec<MadeSecret>,
    /// Jobs that go on: connectors and directories are deleted piece by piece.
    pub jobs: Vec<Job>,
}

impl Provision {
    /// Everything that administrators set up.
    pub async fn export_configuration(&self) -> Result<Configuration, ProvisionError> {
        self.store().read(|tx| survey::configuration(tx)).await
    }

    /// The same with what it takes to set up another server with the same secrets: those sealed with a passphrase, and the ids of
    /// connectors.
    pub async fn export_sealed_configuration(
        &self,
        passphrase: &Passphrase,
        passwords: &Passwords,
    ) -> Result<Configuration, ProvisionError> {
        let (this, key) = (self.clone(), SealKey::new(passphrase, passwords).await?);
        self.store()
            .read(move |tx| kept::sealed(&this, tx, survey::configuration(tx)?, &key))
            .await
    }

    /// What would have to be done. Everything that is wrong is told at once, and nothing is changed.
    pub async fn plan_configuration(
        &self,
        wish: &ConfigurationWish,
        passwords: &Passwords,
    ) -> Result<Planned, ProvisionError> {
        let wanted = objects(&wish.configuration);
        let keys = opening::keys_for(&wanted, wish.passphrase.as_ref(), passwords).await?;
        let (this, asked) = (self.clone(), wish.clone());
        let (ground, present, merged, mut wrong) = self
            .store()
            .read(move |tx| this.compare(tx, &asked, &keys))
            .await?;
        let merged = self.without_known_passwords(merged, passwords).await?;
        let plan = plan(merged, &present, &wanted, wish.prune);
        if wrong.is_empty() && !wish.anyway {
            wrong.extend(self.problems_on_data(&plan).await?);
        }
        if !wrong.is_empty() {
            return Err(ProvisionError::Configuration(wrong));
        }
        let plan = self
            .store()
            .read(move |tx| with_surroundings(tx, plan.clone(), &present))
            .await?;
        Ok(Planned { ground, plan })
    }

    /// What is there and what is to be there, and what is wrong with it.
    fn compare(
        &self,
        tx: &ReadTx<'_>,
        wish: &ConfigurationWish,
        keys: &SealKeys,
    ) -> Result<(String, Said, Vec<Merged>, Vec<directory::RuleError>), ProvisionError> {
        let configuration = survey::configuration(tx)?;
        let ground = mark(&configuration);
        let (present, wanted) = (objects(&configuration), objects(&wish.configuration));
        let mut merged = merge(&present, &wanted);
        let closed = opening::open_all(&mut merged, keys, wish.passphrase.as_ref());
        let mut checks = Checks::new(self, tx, &present, &wanted, wish);
        checks.wrong.extend(closed);
        checks.all(&mut merged)?;
        let wrong = checks.wrong;
        Ok((ground, present, merged, wrong))
    }

    /// Does what a plan says, in one transaction, if what it was made on is still so: `ground` is the mark of a plan
    /// that somebody has seen.
    pub async fn apply_configuration(
        &self,
        wish: &ConfigurationWish,
        comment: &str,
        ground: Option<&str>,
        actor: &str,
        passwords: &Passwords,
    ) -> Result<Applied, ProvisionError> {
        let comment = checked_comment(comment)?;
        let planned = self.plan_configuration(wish, passwords).await?;
        if ground.is_some_and(|ground| ground != planned.ground) {
            return Err(moved());
        }
        let change = RulesChange {
            comment,
            anyway: wish.anyway,
        };
        let ready = self.made_passwords(&planned.plan, passwords).await?;
        let work = Work::new(self.clone(), planned.plan.clone(), ready, change, actor);
        let ground = planned.ground;
        let done = self
            .store()
            .write(Scope::Settings, move |tx| {
                for directory in directories_in_order(tx)? {
                    tx.join(Scope::Directory(directory))?;
                }
                if mark(&survey::configuration(tx)?) != ground {
                    return Err(moved());
                }
                work.run(tx)
            })
            .await;
        if done.is_err() {
            self.inner.connectors.forget_all();
        }
        self.wake_worker();
        let (secrets, jobs) = done?;
        Ok(Applied {
            plan: planned.plan,
            secrets,
            jobs,
        })
    }
}

fn directories_in_order(tx: &ReadTx<'_>) -> Result<Vec<DirectoryId>, ProvisionError> {
    let mut all: Vec<DirectoryId> = tx.directories()?.iter().map(|one| one.id).collect();
    all.sort_unstable_by_key(|id| id.0);
    Ok(all)
}

fn moved() -> ProvisionError {
    let told = "the configuration of the server changed since the plan was made; look at a new plan, then apply that";
    ProvisionError::Conflict(told.to_owned())
}

/// A mark of a configuration: another one, and it says something else.
fn mark(configuration: &Configuration) -> String {
    let text = serde_json::to_string(configuration).unwrap_or_default();
    let digest = Sha256::digest(text.as_bytes());
    digest[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
