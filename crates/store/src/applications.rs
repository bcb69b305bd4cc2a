//! Applications: products that attach directories through the Crowd REST API.

use directory::{Access, ApplicationId, DirectoryId};
use jiff::Timestamp;
use scim::fold;

use crate::{Arg, ReadTx, Row, StoreError, WriteTx, args, connectors::json};

/// A directory as one of those that an application sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedDirectory {
    /// The directory.
    pub directory: DirectoryId,
    /// Names of groups whose members may log in, of the users of this directory; none lets everybody in.
    pub login_groups: Option<Vec<String>>,
    /// The position of its journal that the application has fetched up to.
    pub last_position: Option<i64>,
}

impl AttachedDirectory {
    /// A directory of which everybody may log in.
    pub fn new(directory: DirectoryId) -> Self {
        Self {
            directory,
            login_groups: None,
            last_position: None,
        }
    }
}

/// What an application sees: directories laid one over the other.
///
/// A user name that several of them have is the user of the first. Groups of one name are one group, with the
/// details of the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The directories in their order; at least one.
    pub directories: Vec<AttachedDirectory>,
    /// Whether a user is in the groups of every directory that has the name, or only in those of the first.
    pub aggregate_memberships: bool,
    /// Whether only users who may log in are seen at all.
    pub only_with_access: bool,
    /// Whether, beside that, only groups whose members may log in are seen.
    pub only_groups_with_access: bool,
}

impl Mapping {
    /// The view of one directory, whole.
    pub fn of(directory: DirectoryId) -> Self {
        Self {
            directories: vec![AttachedDirectory::new(directory)],
            aggregate_memberships: false,
            only_with_access: false,
            only_groups_with_access: false,
        }
    }
}

/// A product that attaches directories.
#[derive(Debug, Clone)]
pub struct Application {
    /// The store's number.
    pub id: ApplicationId,
    /// UUID for the admin API.
    pub public_id: String,
    /// The name that the product signs in with.
    pub name: String,
    /// argon2id hash (PHC string) of its password.
    pub password_hash: String,
    /// What it may do.
    pub access: Access,
    /// Addresses and CIDR ranges it may come from; empty means any.
    pub addresses: Vec<String>,
    /// What it sees.
    pub mapping: Mapping,
    /// When it was made.
    pub created: Timestamp,
    /// When anything of it last changed; a cache of verified credentials is good for this value only.
    pub updated: Timestamp,
    /// When it last asked for anything, to the minute.
    pub last_seen: Option<Timestamp>,
}

const COLUMNS: &str = "a.pk, a.public_id, a.name, a.password_hash, a.access, a.addresses, a.aggregate_memberships, \
     a.only_with_access, a.created, a.updated, a.last_seen, d.directory_pk, d.login_groups, d.last_position, \
     a.only_groups_with_access";

/// Reads an application as far as one of its directories goes.
fn read_application(row: &Row<'_>) -> Result<Application, StoreError> {
    let access = row.text(4)?;
    let login_groups = row.opt_text(12)?;
    let directory = AttachedDirectory {
        directory: DirectoryId(row.int(11)?),
        login_groups: login_groups
            .map(|text| read_list(&text, "application_directory.login_groups"))
            .transpose()?,
        last_position: row.opt_int(13)?,
    };
    Ok(Application {
        id: ApplicationId(row.int(0)?),
        public_id: row.text(1)?,
        name: row.text(2)?,
        password_hash: row.text(3)?,
        access: Access::parse(&access).ok_or_else(|| StoreError::corrupt("application.access"))?,
        addresses: read_list(&row.text(5)?, "application.addresses")?,
        mapping: Mapping {
            directories: vec![directory],
            aggregate_memberships: row.flag(6)?,
            only_with_access: row.flag(7)?,
            only_groups_with_access: row.flag(14)?,
        },
        created: row.time(8)?,
        updated: row.time(9)?,
        last_seen: row.opt_time(10)?,
    })
}

fn read_list(text: &str, what: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::corrupt(format!("{what}: {error}")))
}

impl ReadTx<'_> {
    /// The application of this name, compared by [`fold`].
    pub fn application(&self, name: &str) -> Result<Option<Application>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM application a JOIN application_directory d ON d.application_pk = a.pk \
             WHERE a.name_fold = $1 ORDER BY d.position"
        );
        Ok(self.whole_applications(&sql, args![fold(name)])?.pop())
    }

    /// The application with this public id.
    pub fn application_by_public_id(
        &self,
        public_id: &str,
    ) -> Result<Option<Application>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM application a JOIN application_directory d ON d.application_pk = a.pk \
             WHERE a.public_id = $1 ORDER BY d.position"
        );
        Ok(self.whole_applications(&sql, args![public_id])?.pop())
    }

    /// All applications by name.
    pub fn applications(&self) -> Result<Vec<Application>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM application a JOIN application_directory d ON d.application_pk = a.pk \
             ORDER BY a.name_fold, d.position"
        );
        self.whole_applications(&sql, args![])
    }

    /// When an application last came to fetch, the newest first.
    pub fn polls(&self, application: ApplicationId) -> Result<Vec<Timestamp>, StoreError> {
        let found = self.query_one(
            "SELECT polls FROM application WHERE pk = $1",
            args![application.0],
            |row| row.opt_text(0),
        )?;
        let Some(text) = found.flatten() else {
            return Ok(Vec::new());
        };
        let polls: Vec<i64> = serde_json::from_str(&text)
            .map_err(|error| StoreError::corrupt(format!("application.polls: {error}")))?;
        let polls = polls.into_iter().map(Timestamp::from_microsecond);
        polls
            .collect::<Result<_, _>>()
            .map_err(|_range| StoreError::corrupt("application.polls"))
    }

    /// Puts rows together that differ in the directory only.
    fn whole_applications(
        &self,
        sql: &str,
        args: Vec<Arg<'_>>,
    ) -> Result<Vec<Application>, StoreError> {
        let mut found: Vec<Application> = Vec::new();
        self.for_each(sql, args, |row| {
            let next = read_application(row)?;
            match found.last_mut().filter(|last| last.id == next.id) {
                Some(last) => last.mapping.directories.extend(next.mapping.directories),
                None => found.push(next),
            }
            Ok(())
        })?;
        Ok(found)
    }
}

impl WriteTx<'_> {
    /// Stores a new application. A taken name is [`StoreError::Conflict`] on `application_name`.
    pub fn insert_application(
        &self,
        name: &str,
        password_hash: &str,
        access: Access,
        addresses: &[String],
        mapping: &Mapping,
    ) -> Result<Application, StoreError> {
        let public_id = self.new_id().to_string();
        let now = self.now();
        let pk = self.insert(
            "INSERT INTO application (public_id, name, name_fold, password_hash, access, addresses, \
             aggregate_memberships, only_with_access, only_groups_with_access, created, updated) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING pk",
            args![
                public_id.as_str(),
                name,
                fold(name),
                password_hash,
                access.as_str(),
                json_list(addresses),
                mapping.aggregate_memberships,
                mapping.only_with_access,
                mapping.only_groups_with_access,
                now,
                now
            ],
        )?;
        self.insert_mapping(ApplicationId(pk), mapping)?;
        Ok(Application {
            id: ApplicationId(pk),
            public_id,
            name: name.to_owned(),
            password_hash: password_hash.to_owned(),
            access,
            addresses: addresses.to_vec(),
            mapping: mapping.clone(),
            created: now,
            updated: now,
            last_seen: None,
        })
    }

    /// Stores name, password hash, access, addresses and mapping of an application anew.
    pub fn update_application(&self, application: &Application) -> Result<(), StoreError> {
        let now = self.later_than(application.updated);
        self.execute(
            "UPDATE application SET name = $1, name_fold = $2, password_hash = $3, access = $4, addresses = $5, \
             aggregate_memberships = $6, only_with_access = $7, only_groups_with_access = $8, updated = $9 \
             WHERE pk = $10",
            args![
                application.name.as_str(),
                fold(&application.name),
                application.password_hash.as_str(),
                application.access.as_str(),
                json_list(&application.addresses),
                application.mapping.aggregate_memberships,
                application.mapping.only_with_access,
                application.mapping.only_groups_with_access,
                now,
                application.id.0
            ],
        )?;
        self.delete_mapping(application.id)?;
        self.insert_mapping(application.id, &application.mapping)
    }

    /// Lets the applications that know a group of a directory as one whose members may log in know it by another
    /// name. Gives their names.
    pub fn rename_login_group(
        &self,
        directory: DirectoryId,
        from: &str,
        to: &str,
    ) -> Result<Vec<String>, StoreError> {
        self.change_login_groups(directory, |groups| {
            let renamed = groups.iter_mut().find(|name| fold(name) == fold(from));
            renamed.map(|name| to.clone_into(name)).is_some()
        })
    }

    /// Lets the members of another group log in wherever those of the first may. Gives the names of the applications.
    pub fn add_login_group(
        &self,
        directory: DirectoryId,
        beside: &str,
        name: &str,
    ) -> Result<Vec<String>, StoreError> {
        self.change_login_groups(directory, |groups| {
            let has = |name: &str| groups.iter().any(|known| fold(known) == fold(name));
            let is_new = has(beside) && !has(name);
            if is_new {
                groups.push(name.to_owned());
            }
            is_new
        })
    }

    /// Changes the login groups of a directory in every application that has some. Gives the names of those that changed.
    fn change_login_groups(
        &self,
        directory: DirectoryId,
        change: impl Fn(&mut Vec<String>) -> bool,
    ) -> Result<Vec<String>, StoreError> {
        let mut changed = Vec::new();
        for mut application in self.applications()? {
            let mut attached = application.mapping.directories.iter_mut();
            let found = attached.find(|one| one.directory == directory);
            if found
                .and_then(|one| one.login_groups.as_mut())
                .is_some_and(&change)
            {
                self.update_application(&application)?;
                changed.push(application.name);
            }
        }
        Ok(changed)
    }

    fn insert_mapping(
        &self,
        application: ApplicationId,
        mapping: &Mapping,
    ) -> Result<(), StoreError> {
        for (position, attached) in (0_i64..).zip(&mapping.directories) {
            self.execute(
                "INSERT INTO application_directory (application_pk, position, directory_pk, login_groups, last_position) \
                 VALUES ($1, $2, $3, $4, $5)",
                args![
                    application.0,
                    position,
                    attached.directory.0,
                    attached.login_groups.as_deref().map(json_list),
                    attached.last_position
                ],
            )?;
        }
        Ok(())
    }

    fn delete_mapping(&self, application: ApplicationId) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM application_directory WHERE application_pk = $1",
            args![application.0],
        )?;
        Ok(())
    }

    /// Deletes an application.
    pub fn delete_application(&self, application: ApplicationId) -> Result<bool, StoreError> {
        self.delete_mapping(application)?;
        self.delete_sign_in(application)?;
        Ok(self.execute(
            "DELETE FROM application WHERE pk = $1",
            args![application.0],
        )? > 0)
    }

    /// Notes when an application was last seen, when it came to fetch if that is to be noted, and how far it has read the
    /// journal of each directory.
    pub fn touch_application(
        &self,
        application: ApplicationId,
        at: Timestamp,
        polls: Option<&[Timestamp]>,
        positions: &[(DirectoryId, i64)],
    ) -> Result<(), StoreError> {
        let moments = |polls: &[Timestamp]| -> Vec<i64> {
            polls.iter().map(|poll| poll.as_microsecond()).collect()
        };
        let polls = polls.map(|polls| json(&moments(polls))).transpose()?;
        self.execute(
            "UPDATE application SET last_seen = $1, polls = coalesce($2, polls) WHERE pk = $3",
            args![at, polls.as_deref(), application.0],
        )?;
        for (directory, position) in positions {
            self.execute(
                "UPDATE application_directory SET last_position = $1 WHERE directory_pk = $2 AND application_pk = $3",
                args![*position, directory.0, application.0],
            )?;
        }
        Ok(())
    }
}

/// A JSON array of texts.
pub(crate) fn json_list(values: &[String]) -> String {
    serde_json::Value::from(values).to_string()
}
