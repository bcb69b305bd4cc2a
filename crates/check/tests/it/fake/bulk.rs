//! Bulk of the fake server.

use serde_json::{Map, Value, json};

use super::patch::Faults as _;
use super::resource::{Done, no};
use super::{BULK_MAX, Call, Reply, Server, ok};

impl Server {
    pub(super) fn bulk(&self, call: &Call) -> Done<Reply> {
        if self.has("there is no bulk, whatever is said") {
            return no(501, "", "not offered");
        }
        if call.body.len() > 1 << 20 && !self.has("bulk has no limits") {
            return no(413, "", "too large");
        }
        let body = self.object(call)?;
        let Some(operations) = body["Operations"].as_array() else {
            return no(400, "invalidSyntax", "Operations");
        };
        if operations.len() > BULK_MAX && !self.has("bulk has no limits") {
            return no(413, "", "too many");
        }
        let most = body["failOnErrors"]
            .as_u64()
            .filter(|_| !self.has("failOnErrors is passed over"));
        let mut ids: Map<String, Value> = Map::new();
        let mut results: Vec<Value> = Vec::new();
        let mut failed = 0;
        // What refers to others comes after them.
        let is_referring = |one: &Value| one["data"].to_string().contains("\"bulkId:");
        let (later, first): (Vec<&Value>, Vec<&Value>) =
            operations.iter().partition(|one| is_referring(one));
        for operation in first.into_iter().chain(later) {
            let mut result = json!({"method": operation["method"]});
            if operation["bulkId"].is_string() {
                result["bulkId"] = operation["bulkId"].clone();
            }
            match self.bulk_one(call, operation, &ids) {
                Ok(reply) => {
                    let status = reply.status.to_string();
                    result["status"] = if self.has("the status of results is an object") {
                        json!({"code": status})
                    } else {
                        status.into()
                    };
                    let body = reply.body.unwrap_or_default();
                    result["location"] = body["meta"]["location"].clone();
                    if let (Some(name), Some(id)) =
                        (operation["bulkId"].as_str(), body["id"].as_str())
                    {
                        ids.insert(name.to_owned(), id.into());
                    }
                }
                Err(refusal) => {
                    failed += 1;
                    result["status"] = refusal.0.to_string().into();
                    result["response"] = self.refusal(&refusal).body.unwrap_or_default();
                }
            }
            results.push(result);
            if most.is_some_and(|most| failed >= most)
                || (failed > 0 && self.has("bulk stops at the first failure"))
            {
                break;
            }
        }
        let place = |one: &Value| {
            operations
                .iter()
                .position(|known| known["bulkId"].is_string() && known["bulkId"] == one["bulkId"])
        };
        if results.len() == operations.len() && results.iter().all(|one| place(one).is_some()) {
            results.sort_by_key(place);
        }
        ok(
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"], "Operations": results}),
        )
    }

    pub(super) fn bulk_one(
        &self,
        call: &Call,
        operation: &Value,
        ids: &Map<String, Value>,
    ) -> Done<Reply> {
        let method = operation["method"].as_str().unwrap_or_default();
        if method == "POST"
            && !operation["bulkId"].is_string()
            && !self.has("a bulkId is not needed")
        {
            return no(400, "invalidValue", "bulkId");
        }
        let mut data = operation["data"].to_string();
        if !self.has("references are not resolved") {
            for (name, id) in ids {
                data = data.replace(
                    &format!("bulkId:{name}\""),
                    &format!("{}\"", id.as_str().unwrap_or_default()),
                );
            }
            if data.contains("\"bulkId:") {
                return no(409, "invalidValue", "a reference to nothing");
            }
        }
        let path = operation["path"].as_str().unwrap_or_default();
        let one = Call {
            tenant: call.tenant,
            method: method.to_owned(),
            path: path
                .split('/')
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
            query: Vec::new(),
            headers: Vec::new(),
            body: data.into_bytes(),
        };
        match method {
            "POST" | "PUT" | "PATCH" | "DELETE" => self.route(&one),
            _ => no(400, "invalidSyntax", "no such method"),
        }
    }
}
