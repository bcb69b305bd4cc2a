//! How the provisioning job puts its requests on the wire.

use serde_json::{Value, json};

use super::PatchDialect;
use super::attributes::Change;
use crate::http::{Answer, Client, Method, Patience, Trouble, form_encoded};

/// 429 and 5xx are tried again within the cycle; what still fails is left to the next one.
const PATIENCE: Patience = Patience {
    attempts: 4,
    server_errors: true,
    seconds: 1,
};

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The connection and the dialect spoken on it.
#[derive(Clone)]
pub(super) struct Wire {
    pub(super) client: Client,
    pub(super) dialect: PatchDialect,
}

impl Wire {
    /// Provisioning on demand ignores the flag of the tenant URL.
    pub(super) fn on_demand(&self) -> Wire {
        Wire {
            client: self.client.without_flag(),
            dialect: PatchDialect::Classic,
        }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer, Trouble> {
        self.client
            .send_patiently(Method::GET, path, &[], None, PATIENCE)
            .await
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, Trouble> {
        let headers: &[_] = match body {
            Some(_) => &[("content-type", "application/scim+json; charset=utf-8")],
            None => &[],
        };
        self.client
            .send_patiently(
                method,
                path,
                headers,
                body.map(|body| body.to_string()),
                PATIENCE,
            )
            .await
    }

    pub(super) async fn patch(
        &self,
        path: &str,
        operations: Vec<Value>,
    ) -> Result<Answer, Trouble> {
        let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// The operations for changed attributes and, if it changes, for `active`.
    pub(super) fn operations(&self, changes: &[Change], active: Option<bool>) -> Vec<Value> {
        match self.dialect {
            PatchDialect::Classic => classic(changes, active),
            PatchDialect::Flagged => flagged(changes, active),
        }
    }

    /// One operation that adds members, or the operations that remove them.
    pub(super) fn member_operations(&self, adding: bool, ids: &[&str]) -> Vec<Value> {
        let list = || {
            ids.iter()
                .map(|id| json!({ "$ref": null, "value": id }))
                .collect::<Vec<_>>()
        };
        match (self.dialect, adding) {
            (PatchDialect::Classic, true) => {
                vec![json!({ "op": "Add", "path": "members", "value": list() })]
            }
            (PatchDialect::Classic, false) => {
                vec![json!({ "op": "Remove", "path": "members", "value": list() })]
            }
            (PatchDialect::Flagged, true) => {
                vec![json!({ "op": "add", "path": "members", "value": list() })]
            }
            (PatchDialect::Flagged, false) => {
                let path = |id: &&str| format!("members[value eq {}]", Value::from(*id));
                ids.iter()
                    .map(|id| json!({ "op": "remove", "path": path(id) }))
                    .collect()
            }
        }
    }

    /// The one operation that renames a group.
    pub(super) fn rename_operation(&self, name: &str) -> Value {
        match self.dialect {
            PatchDialect::Classic => {
                json!({ "op": "Replace", "path": "displayName", "value": name })
            }
            PatchDialect::Flagged => json!({ "op": "replace", "value": { "displayName": name } }),
        }
    }
}

/// Every attribute with an operation of its own, always with a path, and booleans as text.
fn classic(changes: &[Change], active: Option<bool>) -> Vec<Value> {
    let op = |change: &Change| if change.is_new { "Add" } else { "Replace" };
    let mut operations = Vec::new();
    for change in changes {
        operations.push(json!({ "op": op(change), "path": change.path, "value": change.value }));
        if change.is_new && change.path == super::attributes::WORK_MAIL {
            operations.push(
                json!({ "op": "Add", "path": "emails[type eq \"work\"].primary", "value": "True" }),
            );
        }
    }
    if let Some(active) = active {
        let text = if active { "True" } else { "False" };
        operations.push(json!({ "op": "Replace", "path": "active", "value": text }));
    }
    operations
}

/// Attributes of value paths one by one, all others together in one operation without a path.
fn flagged(changes: &[Change], active: Option<bool>) -> Vec<Value> {
    let mut operations = Vec::new();
    let mut together = serde_json::Map::new();
    for change in changes {
        if change.path.contains('[') {
            let op = if change.is_new { "add" } else { "replace" };
            operations.push(json!({ "op": op, "path": change.path, "value": change.value }));
        } else {
            together.insert(change.path.to_owned(), json!(change.value));
        }
    }
    if let Some(active) = active {
        together.insert("active".to_owned(), json!(active));
    }
    if !together.is_empty() {
        operations.push(json!({ "op": "replace", "value": together }));
    }
    operations
}

/// The path of a look-up by one attribute. `endpoint` may have a query already.
pub(super) fn look_up(endpoint: &str, attribute: &str, value: &str) -> String {
    let filter = form_encoded(&format!("{attribute} eq {}", Value::from(value)));
    let joint = if endpoint.contains('?') { '&' } else { '?' };
    format!("{endpoint}{joint}filter={filter}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{Change, Client, PatchDialect, Wire, look_up};
    use crate::entra::attributes::{MANAGER, WORK_MAIL};

    fn wire(dialect: PatchDialect) -> Wire {
        Wire {
            client: Client::new("http://host", &[], Duration::from_secs(1)).expect("an address"),
            dialect,
        }
    }

    fn changes() -> Vec<Change> {
        vec![
            Change {
                path: WORK_MAIL,
                value: "a@b".to_owned(),
                is_new: true,
            },
            Change {
                path: MANAGER,
                value: "271".to_owned(),
                is_new: false,
            },
        ]
    }

    #[test]
    fn the_classic_dialect_has_capitals_paths_and_booleans_as_text() {
        assert_eq!(
            wire(PatchDialect::Classic).operations(&changes(), Some(false)),
            [
                json!({"op": "Add", "path": "emails[type eq \"work\"].value", "value": "a@b"}),
                json!({"op": "Add", "path": "emails[type eq \"work\"].primary", "value": "True"}),
                json!({"op": "Replace", "path": MANAGER, "value": "271"}),
                json!({"op": "Replace", "path": "active", "value": "False"}),
            ]
        );
    }

    #[test]
    fn the_flagged_dialect_puts_plain_attributes_together() {
        assert_eq!(
            wire(PatchDialect::Flagged).operations(&changes(), Some(true)),
            [
                json!({"op": "add", "path": "emails[type eq \"work\"].value", "value": "a@b"}),
                json!({"op": "replace", "value": {MANAGER: "271", "active": true}}),
            ]
        );
    }

    #[test]
    fn look_ups_are_form_encoded() {
        assert_eq!(
            look_up("/Users", "userName", "a+b \"c\""),
            "/Users?filter=userName+eq+%22a%2Bb+%5C%22c%5C%22%22"
        );
    }
}
