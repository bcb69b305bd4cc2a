//! Bulk (RFC 7644 section 3.7).

use serde_json::{Value, json};

use crate::catalogue::{Check, must, should};
use crate::profile::Need;
use crate::stop::{Step, skip};
use crate::talk::{GHOST, GROUP, Talk, expect, member_ids};
use crate::wire::{Answer, Ask, ERROR};

const RFC: &str = "RFC 7644 section 3.7";
const WHY: &str =
    "The client learns from the list of results alone what was done, and goes by it from then on.";
const REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

fn bulk(t: &Talk<'_>, operations: &Value, more: Value) -> Step<Answer> {
    let mut body = json!({"schemas": [REQUEST], "Operations": operations});
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    t.post("/Bulk", &body)
}

/// The results of a bulk that was carried out.
fn done(t: &Talk<'_>, operations: &Value, more: Value) -> Step<(Answer, Vec<Value>)> {
    let answer = bulk(t, operations, more)?;
    answer.status(&[200])?;
    let results = answer.body["Operations"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    Ok((answer, results))
}

fn statuses(results: &[Value]) -> Vec<String> {
    results
        .iter()
        .map(|result| {
            result["status"]
                .as_str()
                .map_or(result["status"].to_string(), str::to_owned)
        })
        .collect()
}

fn expect_statuses(answer: &Answer, results: &[Value], wanted: &[&str]) -> Step {
    let came = statuses(results);
    answer.ensure(came == wanted, format!("results {wanted:?}"), || {
        format!("{came:?}")
    })
}

fn create(t: &Talk<'_>, bulk_id: &str) -> Value {
    json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": t.user_body(json!({}))})
}

/// The path behind a location.
fn path(location: &Value) -> String {
    let location = location.as_str().unwrap_or_default();
    let at = ["/Users/", "/Groups/"]
        .iter()
        .find_map(|part| location.rfind(part));
    at.map_or(String::new(), |at| location[at..].to_owned())
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let mut checks = working();
    checks.extend(failing());
    checks.extend(limits());
    checks
        .into_iter()
        .map(|check| check.needs(&[Need::Bulk]))
        .collect()
}

fn working() -> Vec<Check> {
    vec![
        must("BLK-DO-01", RFC, "Users can be created together, and each result tells its place", |t| {
            let (answer, results) = done(t, &json!([create(t, "one"), create(t, "two")]), json!({}))?;
            expect_statuses(&answer, &results, &["201", "201"])?;
            let schemas = &answer.body["schemas"];
            answer.ensure(*schemas == json!([RESPONSE]), format!("schemas [{RESPONSE}]"), || schemas.to_string())?;
            for (result, id) in results.iter().zip(["one", "two"]) {
                answer.ensure(result["bulkId"] == id && result["method"] == "POST", format!("bulkId {id} and the method in its result"), || result.to_string())?;
                t.get(&path(&result["location"]))?.status(&[200])?;
            }
            Ok(())
        })
        .why(WHY)
        .fix("Answer method, bulkId, location and status for each operation, in order."),
        must("BLK-DO-02", RFC, "The status of a result is a text", |t| {
            let (answer, results) = done(t, &json!([create(t, "one")]), json!({}))?;
            let status = results.first().map(|one| one["status"].clone()).unwrap_or_default();
            answer.ensure(status == "201", "status \"201\"", || status.to_string())
        })
        .why("An old draft had an object there; clients of today cannot read it.")
        .fix("Write status as a string."),
        must("BLK-DO-03", RFC, "Users can be replaced, patched and deleted together", |t| {
            let users = t.users(3)?;
            let mut replaced = users[0].sent.clone();
            replaced["title"] = "Replaced".into();
            let operations = json!([
                {"method": "PUT", "path": users[0].path, "data": replaced},
                {"method": "PATCH", "path": users[1].path, "data": {"schemas": [crate::talk::PATCH_OP],
                    "Operations": [{"op": "replace", "path": "title", "value": "Patched"}]}},
                {"method": "DELETE", "path": users[2].path},
            ]);
            let (answer, results) = done(t, &operations, json!({}))?;
            let came = statuses(&results);
            answer.ensure(came.len() == 3 && came.iter().all(|status| status.starts_with('2')), "three successes", || format!("{came:?}"))?;
            expect(&t.read(&users[0])?, &json!({"title": "Replaced"}))?;
            expect(&t.read(&users[1])?, &json!({"title": "Patched"}))?;
            t.get(&users[2].path)?.status(&[404])?;
            Ok(())
        })
        .why(WHY)
        .fix("Carry out each operation as the single request of the same method."),
        must("BLK-REF-01", "RFC 7644 section 3.7.2", "A group can have members that are created in the same request", |t| {
            let mut group = t.group_body(&[]);
            group["members"] = json!([{"value": "bulkId:one"}, {"value": "bulkId:two"}]);
            let operations = json!([create(t, "one"), create(t, "two"), {"method": "POST", "path": "/Groups", "bulkId": "three", "data": group}]);
            let (answer, results) = done(t, &operations, json!({}))?;
            expect_statuses(&answer, &results, &["201", "201", "201"])?;
            let members = member_ids(&t.get(&path(&results[2]["location"]))?.body);
            answer.ensure(members.len() == 2 && !members.iter().any(|id| id.contains("bulkId")), "two members with real ids", || format!("{members:?}"))
        })
        .why("It is what bulk is for.")
        .fix("Replace bulkId:x by the id that the operation x got.")
        .needs(&[Need::Groups]),
        should("BLK-REF-02", "RFC 7644 section 3.7.2", "A reference may come before what it refers to", |t| {
            let group = json!({"schemas": [GROUP], "displayName": t.name(), "members": [{"value": "bulkId:late"}]});
            let operations = json!([{"method": "POST", "path": "/Groups", "bulkId": "early", "data": group}, create(t, "late")]);
            let (answer, results) = done(t, &operations, json!({}))?;
            let came = statuses(&results);
            answer.ensure(came.iter().all(|status| status == "201"), "two successes", || format!("{came:?}"))?;
            let location = results.iter().find(|one| one["bulkId"] == "early").map(|one| path(&one["location"])).unwrap_or_default();
            let members = member_ids(&t.get(&location)?.body);
            answer.ensure(members.len() == 1 && !members[0].contains("bulkId"), "the user in the group", || format!("{members:?}"))
        })
        .why("Clients write what they have in any order.")
        .fix("Sort the operations by their references, or resolve them afterwards.")
        .needs(&[Need::Groups]),
    ]
}

fn failing() -> Vec<Check> {
    vec![
        must("BLK-ERR-01", RFC, "An operation that fails has an error, and the others are carried out", |t| {
            let there = t.user(json!({}))?;
            let twice = json!({"method": "POST", "path": "/Users", "bulkId": "twice",
                "data": t.user_body(json!({"userName": there.sent["userName"]}))});
            let (answer, results) = done(t, &json!([create(t, "one"), twice, create(t, "three")]), json!({}))?;
            expect_statuses(&answer, &results, &["201", "409", "201"])?;
            let error = &results[1]["response"];
            let is_error = error["schemas"].as_array().is_some_and(|list| list.iter().any(|urn| urn == ERROR));
            answer.ensure(is_error, "an error of SCIM in `response`", || error.to_string())
        })
        .why(WHY)
        .fix("Go on after a failure unless failOnErrors says otherwise, and put the error into `response`."),
        must("BLK-ERR-02", RFC, "After failOnErrors failures nothing more is done", |t| {
            let missing = json!({"method": "DELETE", "path": format!("/Users/{GHOST}")});
            let last = create(t, "last");
            let name = last["data"]["userName"].as_str().unwrap_or_default().to_owned();
            let (answer, results) = done(t, &json!([missing, last]), json!({"failOnErrors": 1}))?;
            answer.ensure(results.len() == 1, "one result", || format!("{:?}", statuses(&results)))?;
            let found = t.query("/Users", &[("filter", &format!("userName eq \"{name}\""))])?;
            found.ensure(found.body["totalResults"] == 0, "nobody created after the failure", || found.text.clone())
        })
        .why("The client wants to look before more goes wrong.")
        .fix("Count failures, and stop at failOnErrors."),
        must("BLK-ERR-03", "RFC 7644 section 3.7.2", "A reference to nothing fails, and creates nothing", |t| {
            let group = json!({"schemas": [GROUP], "displayName": t.name(), "members": [{"value": "bulkId:nothing"}]});
            let answer = bulk(t, &json!([{"method": "POST", "path": "/Groups", "bulkId": "one", "data": group}]), json!({}))?;
            if answer.status == 200 {
                let came = statuses(answer.body["Operations"].as_array().map_or(&[][..], Vec::as_slice));
                return answer.ensure(came.iter().all(|status| status.starts_with('4')), "a failure of the operation", || format!("{came:?}"));
            }
            answer.refused()?;
            Ok(())
        })
        .why("The group would exist without its members.")
        .fix("Answer 409 or 400 invalidValue for the operation.")
        .needs(&[Need::Groups]),
        must("BLK-ERR-04", RFC, "Operations that are none are refused", |t| {
            for operation in [json!({"method": "BREW", "path": "/Users"}), json!({"path": "/Users"}), json!({"method": "DELETE", "path": "/VcheckNothing/1"})] {
                let answer = bulk(t, &json!([operation]), json!({}))?;
                answer.no_crash()?;
                let came = statuses(answer.body["Operations"].as_array().map_or(&[][..], Vec::as_slice));
                answer.ensure(!answer.is_success() || came.iter().all(|status| status.starts_with('4') || status == "501"), "a failure", || format!("{came:?}"))?;
            }
            Ok(())
        })
        .why(WHY)
        .fix("Answer 400 or 404 for the operation."),
        must("BLK-ERR-05", RFC, "A body without operations is refused", |t| {
            for body in [json!({}), json!({"schemas": [REQUEST], "Operations": "all"})] {
                t.post("/Bulk", &body)?.status(&[400])?.scim_error()?;
            }
            Ok(())
        })
        .why(WHY)
        .fix("Answer 400 invalidSyntax."),
        should("BLK-ERR-06", RFC, "A POST without a bulkId is refused", |t| {
            let operation = json!({"method": "POST", "path": "/Users", "data": t.user_body(json!({}))});
            let answer = bulk(t, &json!([operation]), json!({}))?;
            let came = statuses(answer.body["Operations"].as_array().map_or(&[][..], Vec::as_slice));
            answer.ensure(answer.status == 400 || came == ["400"], "400", || format!("{} {came:?}", answer.status))
        })
        .why("The client could not tell which result belongs to which user.")
        .fix("Answer 400 invalidValue."),
    ]
}

fn limits() -> Vec<Check> {
    vec![
        must(
            "BLK-MAX-01",
            "RFC 7644 section 3.7.4",
            "More operations than bulk.maxOperations are refused with 413",
            |t| {
                let Some(most) = t
                    .profile()
                    .number("/bulk/maxOperations")
                    .filter(|most| *most <= 20_000)
                else {
                    return skip("bulk.maxOperations is not given, or too many to try");
                };
                let operation = json!({"method": "DELETE", "path": format!("/Users/{GHOST}")});
                let count = usize::try_from(most)
                    .unwrap_or(usize::MAX)
                    .saturating_add(1);
                let answer = bulk(t, &Value::Array(vec![operation; count]), json!({}))?;
                answer.status(&[413])?.scim_error()?;
                Ok(())
            },
        )
        .why("A limit that is not kept is none; one that is not said stops imports in the middle.")
        .fix("Check the number before the first operation is carried out."),
        must(
            "BLK-MAX-02",
            "RFC 7644 section 3.7.4",
            "More than bulk.maxPayloadSize is refused with 413",
            |t| {
                let Some(most) = t
                    .profile()
                    .number("/bulk/maxPayloadSize")
                    .filter(|most| *most <= 16 << 20)
                else {
                    return skip("bulk.maxPayloadSize is not given, or too much to try");
                };
                let size = usize::try_from(most)
                    .unwrap_or(usize::MAX)
                    .saturating_add(1);
                let body =
                    json!({"schemas": [REQUEST], "Operations": [], "vcheck": "x".repeat(size)});
                let answer = match t.ask(&Ask::new("POST", "/Bulk").json(&body)) {
                    // A server may hang up on a client that sends far too much.
                    Err(crate::stop::Stop::Fault(_)) => return Ok(()),
                    other => other?,
                };
                answer.status(&[413])?;
                Ok(())
            },
        )
        .why("Memory can be filled by anybody with a token.")
        .fix("Check Content-Length, and count while reading."),
    ]
}
