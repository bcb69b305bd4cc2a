//! What identity providers may send and what they did send, through either door.

use jiff::Timestamp;
use provision::{SchemaDraft, StoredData};
use reqwest::Method;
use scim::{Resource, Warning};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{RequestQuery, RequestRecord, StoredSchema};

use super::data::Data;
use super::remote::Remote;
use crate::cli::RequestFilters;
use crate::exit::{Exit, Failure};

/// Items of one page that are asked for when all are wanted.
const PAGE: i64 = 1_000;

/// A registered schema.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SchemaView {
    /// The URN.
    pub urn: String,
    /// `User`, `Group` or both.
    pub resource_types: Vec<String>,
    /// Whether each of them must have it.
    pub required: bool,
    /// The document of RFC 7643, section 7.
    pub document: Value,
    /// When it was registered.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

/// How many resources have data under the URN of a schema that was changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredView {
    /// Users.
    pub users: u64,
    /// Groups.
    pub groups: u64,
}

/// What came of a change of a schema.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangedSchema {
    /// What is stored under its URN.
    pub stored: StoredView,
}

/// A schema to be registered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SchemaWish {
    /// `User`, `Group` or both.
    #[serde(default)]
    pub resource_types: Vec<String>,
    /// Whether each of them must have it.
    #[serde(default)]
    pub required: bool,
    /// The document of RFC 7643, section 7.
    pub document: Value,
}

/// A request in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestView {
    /// Its number; grows with time.
    pub id: i64,
    /// When it arrived.
    pub at: Timestamp,
    /// Microseconds until the answer.
    pub took_micros: i64,
    /// The name of the connector.
    pub connector: String,
    /// The id that the answer and the journal have too.
    pub request: String,
    /// The method.
    pub method: String,
    /// The path below the base URL, with its query.
    pub path: String,
    /// What it means.
    pub operation: String,
    /// The status of the answer.
    pub status: u16,
    /// `User` or `Group`.
    pub resource_type: Option<String>,
    /// The SCIM `id` of the resource.
    pub resource_id: Option<String>,
    /// Its `userName` or `displayName`.
    pub resource_name: Option<String>,
    /// The code of the error.
    #[serde(default)]
    pub code: Option<String>,
    /// The keyword of the error.
    pub scim_type: Option<String>,
    /// What the error said.
    pub detail: Option<String>,
    /// What was ignored, and why.
    pub warnings: Vec<Warning>,
    /// The label of the token.
    pub actor: String,
    /// The id of the token.
    pub token: Option<String>,
    /// How the client calls itself.
    pub client: String,
}

/// One request with its body and its effect.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestDetail {
    /// As in a list.
    #[serde(flatten)]
    pub request: RequestView,
    /// What errors of its code mean, and what to do.
    #[serde(default)]
    pub error: Option<ErrorView>,
    /// The body without secrets.
    pub body: Option<String>,
    /// Whether it was longer than what is kept.
    pub body_cut: bool,
    /// What it changed in the directory.
    pub effect: Vec<EffectView>,
}

/// What errors of one code have in common.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErrorView {
    /// What it means.
    pub meaning: String,
    /// Where it most likely comes from.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
}

/// An entry of the journal that a request caused.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EffectView {
    /// Its position in the journal.
    pub position: i64,
    /// When it was made.
    pub at: Timestamp,
    /// What changed.
    pub change: Value,
}

/// A member that a group names and that is not there yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PendingMemberView {
    /// The id by which it is named.
    pub value: String,
    /// The SCIM `id` of the group.
    pub group_id: String,
    /// The group's `displayName`.
    pub group: String,
}

/// A user who could not have the name that the rules give.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NameConflictView {
    /// The SCIM `id` of the user.
    pub user_id: String,
    /// The user's `userName`.
    pub user_name: String,
    /// The name that is taken.
    pub wanted: String,
    /// Since when it is so.
    pub since: Timestamp,
    /// Who has the name.
    pub holder: Option<HolderView>,
}

/// The account that has a name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HolderView {
    /// The stable key.
    pub key: String,
    /// The name.
    pub name: String,
}

/// What commands can ask for about the requests of identity providers. Connectors are named by name or id.
pub trait Insight {
    /// The schemas of a connector.
    fn schemas(&self, connector: &str) -> Result<Vec<SchemaView>, Failure>;
    /// One schema.
    fn schema(&self, connector: &str, urn: &str) -> Result<SchemaView, Failure>;
    /// Registers or changes a schema.
    fn put_schema(
        &self,
        connector: &str,
        urn: &str,
        wish: &SchemaWish,
        reveal: bool,
    ) -> Result<ChangedSchema, Failure>;
    /// Forgets a schema.
    fn delete_schema(
        &self,
        connector: &str,
        urn: &str,
        reveal: bool,
    ) -> Result<ChangedSchema, Failure>;
    /// Requests, the newest first; only those newer than a number, if one is given.
    fn requests(
        &self,
        filters: &RequestFilters,
        newer_than: Option<i64>,
    ) -> Result<Vec<RequestView>, Failure>;
    /// One request.
    fn request(&self, id: i64) -> Result<RequestDetail, Failure>;
    /// Members whom groups of a connector name and whom nobody knows.
    fn pending_members(&self, connector: &str) -> Result<Vec<PendingMemberView>, Failure>;
    /// Users of a connector whose name is taken.
    fn name_conflicts(&self, connector: &str) -> Result<Vec<NameConflictView>, Failure>;
}

impl Insight for Data {
    fn schemas(&self, connector: &str) -> Result<Vec<SchemaView>, Failure> {
        let id = self.find(connector)?.connector.id;
        let all = self.read(|tx| tx.connector_schemas(id))?;
        Ok(all.into_iter().map(schema_view).collect())
    }

    fn schema(&self, connector: &str, urn: &str) -> Result<SchemaView, Failure> {
        let all = self.schemas(connector)?;
        let found = all
            .into_iter()
            .find(|one| one.urn.eq_ignore_ascii_case(urn));
        found.ok_or_else(|| {
            Failure::new(Exit::NotFound, format!("there is no schema '{urn}'")).with(format!(
                "vestibule schema list {connector} shows their URNs"
            ))
        })
    }

    fn put_schema(
        &self,
        connector: &str,
        urn: &str,
        wish: &SchemaWish,
        reveal: bool,
    ) -> Result<ChangedSchema, Failure> {
        let id = self.find(connector)?.connector.id;
        let has = |kind: &str| wish.resource_types.iter().any(|one| one == kind);
        let draft = SchemaDraft {
            of_users: has("User"),
            of_groups: has("Group"),
            required: wish.required,
            document: wish.document.clone(),
        };
        let written = self.wait(self.provision.put_schema(id, urn, draft, reveal))?;
        Ok(changed(written.stored))
    }

    fn delete_schema(
        &self,
        connector: &str,
        urn: &str,
        reveal: bool,
    ) -> Result<ChangedSchema, Failure> {
        let id = self.find(connector)?.connector.id;
        let deleted = self.wait(self.provision.delete_schema(id, urn, reveal))?;
        Ok(changed(deleted.stored))
    }

    fn requests(
        &self,
        filters: &RequestFilters,
        newer_than: Option<i64>,
    ) -> Result<Vec<RequestView>, Failure> {
        let connector = filters
            .connector
            .as_deref()
            .map(|name| self.find(name))
            .transpose()?;
        let query = RequestQuery {
            connector: connector.map(|stored| stored.connector.id),
            before: None,
            behind: newer_than,
            since: filters.since,
            until: filters.until,
            status: filters.failed.then_some((400, 599)),
            resource_id: filters.id.clone(),
            resource_name: filters.name.clone(),
            operation: filters.operation.clone(),
            code: filters.code.clone(),
            request: None,
            warned: filters.warnings,
            limit: filters.limit.into(),
        };
        let records = self.read(|tx| tx.requests(&query))?;
        records
            .into_iter()
            .map(|one| self.request_view(one))
            .collect()
    }

    fn request(&self, id: i64) -> Result<RequestDetail, Failure> {
        let mut record = self.read(|tx| tx.request(id))?.ok_or_else(|| {
            Failure::new(Exit::NotFound, format!("there is no request {id}"))
                .with("vestibule requests list shows their numbers")
        })?;
        let from = record.at;
        let until = from + jiff::SignedDuration::from_micros(record.took + 60_000_000);
        let request = record.request.clone();
        let connector = record.connector;
        let entries = self.read(|tx| match tx.connector(connector)? {
            Some(stored) if !request.is_empty() => {
                tx.journal_of_request(stored.connector.directory, &request, from, until, 200)
            }
            _ => Ok(Vec::new()),
        })?;
        let effect = entries
            .into_iter()
            .map(|entry| {
                let change = serde_json::to_value(&entry.change).map_err(anyhow::Error::from)?;
                Ok(EffectView {
                    position: entry.position,
                    at: entry.at,
                    change,
                })
            })
            .collect::<Result<_, Failure>>()?;
        Ok(RequestDetail {
            error: record.entry().map(|entry| ErrorView {
                meaning: entry.meaning.to_owned(),
                cause: entry.cause.to_owned(),
                remedy: entry.remedy.to_owned(),
            }),
            body: record.body.take(),
            body_cut: record.body_cut,
            request: self.request_view(record)?,
            effect,
        })
    }

    fn pending_members(&self, connector: &str) -> Result<Vec<PendingMemberView>, Failure> {
        let id = self.find(connector)?.connector.id;
        let (mut all, mut behind) = (Vec::new(), (String::new(), 0));
        loop {
            let page = self.read(|tx| tx.pending_members(id, (&behind.0, behind.1), PAGE))?;
            let Some(last) = page.last() else {
                return Ok(all);
            };
            behind = (last.value.clone(), last.group_pk);
            all.extend(page.into_iter().map(|member| PendingMemberView {
                value: member.value,
                group_id: member.group,
                group: member.display_name,
            }));
        }
    }

    fn name_conflicts(&self, connector: &str) -> Result<Vec<NameConflictView>, Failure> {
        let id = self.find(connector)?.connector.id;
        let (mut all, mut behind) = (Vec::new(), 0);
        loop {
            let page = self.read(|tx| tx.name_conflicts(id, behind, PAGE))?;
            let Some(last) = page.last() else {
                return Ok(all);
            };
            behind = last.source_pk;
            all.extend(page.into_iter().map(|conflict| {
                let user = Resource::parse_stored(&conflict.document).unwrap_or_default();
                NameConflictView {
                    user_id: conflict.id,
                    user_name: user.user_name().unwrap_or_default().to_owned(),
                    wanted: conflict.name,
                    since: conflict.since,
                    holder: conflict.holder.map(|(key, name)| HolderView { key, name }),
                }
            }));
        }
    }
}

impl Data {
    fn request_view(&self, record: RequestRecord) -> Result<RequestView, Failure> {
        let connector = self.read(|tx| tx.connector(record.connector))?;
        let code = record.entry().map(|entry| entry.code.to_owned());
        let scim_type = record.scim_type();
        Ok(RequestView {
            id: record.id,
            at: record.at,
            took_micros: record.took,
            connector: connector.map(|one| one.connector.name).unwrap_or_default(),
            request: record.request,
            method: record.method,
            path: record.path,
            operation: record.operation,
            status: record.status,
            resource_type: record.resource_type,
            resource_id: record.resource_id,
            resource_name: record.resource_name,
            code,
            scim_type,
            detail: record.detail,
            warnings: record.warnings,
            actor: record.actor,
            token: record.token,
            client: record.client,
        })
    }
}

fn schema_view(stored: StoredSchema) -> SchemaView {
    let kinds = [(stored.of_users, "User"), (stored.of_groups, "Group")];
    let urn = stored.document.get("id").and_then(Value::as_str);
    SchemaView {
        urn: urn.unwrap_or_default().to_owned(),
        resource_types: kinds
            .into_iter()
            .filter(|(is_one, _)| *is_one)
            .map(|(_, kind)| kind.to_owned())
            .collect(),
        required: stored.required,
        document: stored.document,
        created: stored.created,
        updated: stored.updated,
    }
}

fn changed(stored: StoredData) -> ChangedSchema {
    ChangedSchema {
        stored: StoredView {
            users: stored.users,
            groups: stored.groups,
        },
    }
}

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

impl Remote {
    fn all_pages<T: serde::de::DeserializeOwned>(&self, path: &[&str]) -> Result<Vec<T>, Failure> {
        let (mut all, mut after) = (Vec::new(), None::<String>);
        loop {
            let mut query = vec![("limit", PAGE.to_string())];
            query.extend(after.take().map(|after| ("after", after)));
            let page: Page<T> = self.get_with(path, &query)?;
            all.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }
}

impl Insight for Remote {
    fn schemas(&self, connector: &str) -> Result<Vec<SchemaView>, Failure> {
        self.list(&["connectors", connector, "schemas"])
    }

    fn schema(&self, connector: &str, urn: &str) -> Result<SchemaView, Failure> {
        self.get(&["connectors", connector, "schemas", urn])
    }

    fn put_schema(
        &self,
        connector: &str,
        urn: &str,
        wish: &SchemaWish,
        reveal: bool,
    ) -> Result<ChangedSchema, Failure> {
        let body = json!(wish);
        let path = ["connectors", connector, "schemas", urn];
        self.ask_with(Method::PUT, &path, &reveal_query(reveal), Some(&body))
    }

    fn delete_schema(
        &self,
        connector: &str,
        urn: &str,
        reveal: bool,
    ) -> Result<ChangedSchema, Failure> {
        let path = ["connectors", connector, "schemas", urn];
        self.ask_with(Method::DELETE, &path, &reveal_query(reveal), None)
    }

    fn requests(
        &self,
        filters: &RequestFilters,
        newer_than: Option<i64>,
    ) -> Result<Vec<RequestView>, Failure> {
        let mut query = vec![("limit", filters.limit.to_string())];
        let texts = [
            ("connector", &filters.connector),
            ("name", &filters.name),
            ("resource_id", &filters.id),
            ("operation", &filters.operation),
            ("code", &filters.code),
        ];
        for (name, text) in texts {
            query.extend(text.clone().map(|text| (name, text)));
        }
        query.extend(filters.since.map(|time| ("since", time.to_string())));
        query.extend(filters.until.map(|time| ("until", time.to_string())));
        query.extend(newer_than.map(|id| ("newer_than", id.to_string())));
        query.extend(filters.failed.then(|| ("status", "error".to_owned())));
        query.extend(filters.warnings.then(|| ("warnings", "true".to_owned())));
        let page: Page<RequestView> = self.get_with(&["requests"], &query)?;
        Ok(page.items)
    }

    fn request(&self, id: i64) -> Result<RequestDetail, Failure> {
        self.get(&["requests", &id.to_string()])
    }

    fn pending_members(&self, connector: &str) -> Result<Vec<PendingMemberView>, Failure> {
        self.all_pages(&["connectors", connector, "pending-members"])
    }

    fn name_conflicts(&self, connector: &str) -> Result<Vec<NameConflictView>, Failure> {
        self.all_pages(&["connectors", connector, "name-conflicts"])
    }
}

fn reveal_query(reveal: bool) -> Vec<(&'static str, String)> {
    reveal
        .then(|| ("reveal", "true".to_owned()))
        .into_iter()
        .collect()
}
