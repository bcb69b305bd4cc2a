//! Groups (RFC 7643 section 4.2), as resources; their members have modules of their own.

use serde_json::{Value, json};

use crate::catalogue::{Check, Client, habit, must, should};
use crate::profile::Need;
use crate::stop::Step;
use crate::talk::{GHOST, GROUP, Talk, created, expect, resources, with_query};
use crate::wire::Answer;

const RFC: &str = "RFC 7643 section 4.2";
const RFC_PUT: &str = "RFC 7644 section 3.5.1";

fn by_name(t: &Talk<'_>, name: &str, more: &[(&str, &str)]) -> Step<Answer> {
    let filter = format!("displayName eq \"{name}\"");
    let parameters: Vec<(&str, &str)> = more
        .iter()
        .copied()
        .chain([("filter", filter.as_str())])
        .collect();
    let answer = t.query("/Groups", &parameters)?;
    answer.status(&[200])?;
    Ok(answer)
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let mut checks = creating();
    checks.extend(changing());
    checks.extend(finding());
    checks
        .into_iter()
        .map(|check| check.needs(&[Need::Groups]))
        .collect()
}

fn creating() -> Vec<Check> {
    vec![
        must("GRP-POST-01", RFC, "A new group is answered with 201, id, meta and Location", |t| {
            let body = t.group_body(&[]);
            let answer = t.post("/Groups", &body)?;
            answer.status(&[201])?;
            expect(&answer, &json!({"displayName": body["displayName"], "meta": {"resourceType": "Group"}}))?;
            answer.string("/id")?;
            let said = answer.string("/meta/location")?;
            let location = answer.header("location").unwrap_or_default();
            answer.ensure(location == said, format!("Location: {said}"), || format!("Location: {location}"))?;
            let has = answer.body["schemas"].as_array().is_some_and(|list| list.iter().any(|urn| urn == GROUP));
            answer.ensure(has, format!("schemas with {GROUP}"), || answer.body["schemas"].to_string())
        })
        .why("Without the id no member can be added.")
        .fix("Answer 201 with the whole stored group."),
        must("GRP-POST-02", RFC, "A group created with members has them", |t| {
            let (one, two) = (t.user(json!({}))?, t.user(json!({}))?);
            let body = t.group_body(&[&one.id, &two.id]);
            let answer = t.post("/Groups", &body)?;
            answer.status(&[201])?;
            t.expect_members(&created("/Groups", body, &answer)?, &[&one, &two])
        })
        .why("A server that answered 200 and stored nobody was found in the field: nobody got in, and nobody knew why.")
        .fix("Store the members in the same transaction as the group."),
        habit("GRP-POST-03", Client::Okta, "A group may come with an empty list of members", |t| {
            let mut body = t.group_body(&[]);
            body["members"] = json!([]);
            let answer = t.post("/Groups", &body)?;
            answer.status(&[201])?;
            t.expect_members(&created("/Groups", body, &answer)?, &[])
        })
        .why("Okta creates groups so.")
        .fix("Treat [] as no members."),
        habit("GRP-POST-04", Client::Entra, "An unknown schema of Microsoft in the list does not matter", |t| {
            let mut body = t.group_body(&[]);
            body["schemas"] = json!([GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"]);
            body["externalId"] = t.name().into();
            body["meta"] = json!({"resourceType": "Group"});
            let answer = t.post("/Groups", &body)?;
            answer.status(&[201])?;
            expect(&answer, &json!({"externalId": body["externalId"]}))
        })
        .why("Entra sends it with every group.")
        .fix("Pass over unknown URNs in `schemas`."),
        habit("GRP-POST-05", Client::Entra, "A displayName that is taken is answered with 409", |t| {
            let first = t.group(&[])?;
            let mut body = t.group_body(&[]);
            body["displayName"] = first.sent["displayName"].clone();
            t.post("/Groups", &body)?.status(&[409])?.scim_error()?;
            Ok(())
        })
        .why("Two groups of one name: members go to one, rights come from the other.")
        .fix("Make displayName unique, and answer 409 uniqueness."),
        must("GRP-POST-06", RFC, "A group without a displayName is refused", |t| {
            t.post("/Groups", &json!({"schemas": [GROUP]}))?.status(&[400])?.scim_error()?;
            Ok(())
        })
        .why("Nobody could find it again.")
        .fix("Answer 400 invalidValue."),
        must("GRP-POST-07", "RFC 7643 section 3.1", "The externalId of a group is kept", |t| {
            let mut body = t.group_body(&[]);
            body["externalId"] = format!("{}-AbC", t.name()).into();
            let answer = t.post("/Groups", &body)?;
            answer.status(&[201])?;
            expect(&t.read(&created("/Groups", body.clone(), &answer)?)?, &json!({"externalId": body["externalId"]}))
        })
        .why("Entra and rauthy find their groups by it after a rename.")
        .fix("Store externalId for groups as for users."),
        habit("GRP-POST-08", Client::JumpCloud, "A group can be created and deleted at once", |t| {
            let body = t.group_body(&[]);
            let made = created("/Groups", body.clone(), &t.post("/Groups", &body)?)?;
            t.delete(&made.path)?.status(&[204, 200])?;
            t.get(&made.path)?.status(&[404])?;
            Ok(())
        })
        .why("JumpCloud tests a new connection so.")
        .fix("Support DELETE of groups, with effect at once."),
    ]
}

fn changing() -> Vec<Check> {
    vec![
        must("GRP-GET-01", "RFC 7644 section 3.4.1", "A group that is not there is answered with 404", |t| {
            t.get(&format!("/Groups/{GHOST}"))?.status(&[404])?.scim_error()?;
            Ok(())
        })
        .why("Okta asks by id whether a group still exists.")
        .fix("Answer 404 in SCIM's form.")
        .reading(),
        must("GRP-PUT-01", RFC_PUT, "PUT replaces name and members", |t| {
            let (one, two, three) = (t.user(json!({}))?, t.user(json!({}))?, t.user(json!({}))?);
            let group = t.group(&[&one.id, &two.id])?;
            let mut body = t.group_body(&[&two.id, &three.id]);
            body["id"] = group.id.clone().into();
            t.put(&group.path, &body)?.status(&[200])?;
            expect(&t.read(&group)?, &json!({"displayName": body["displayName"]}))?;
            t.expect_members(&group, &[&two, &three])
        })
        .why("Wizard apps of Okta and Pocket ID change groups by PUT only.")
        .fix("Store exactly the members that were sent."),
        habit("GRP-PUT-02", Client::PocketId, "PUT without members empties the group", |t| {
            let one = t.user(json!({}))?;
            let group = t.group(&[&one.id])?;
            t.put(&group.path, &json!({"schemas": [GROUP], "id": group.id, "displayName": group.sent["displayName"]}))?.status(&[200])?;
            t.expect_members(&group, &[])
        })
        .why("Pocket ID leaves the list out when it is empty.")
        .fix("Take an absent list in PUT for no members."),
        must("GRP-PUT-03", RFC_PUT, "PUT does not create a group", |t| {
            t.put(&format!("/Groups/{GHOST}"), &t.group_body(&[]))?.status(&[404])?;
            Ok(())
        })
        .why("A group that was deleted would come back.")
        .fix("Answer 404 to PUT of an unknown id."),
        should("GRP-PUT-04", "RFC 7643 section 3.1", "PUT of the same group is no new version", |t| {
            let one = t.user(json!({}))?;
            let group = t.group(&[&one.id])?;
            let before = t.read(&group)?;
            t.put(&group.path, &before.body)?.status(&[200])?;
            let after = t.read(&group)?;
            after.ensure(before.body["meta"] == after.body["meta"], "the same meta", || after.body["meta"].to_string())
        })
        .why("Clients push every group again and again.")
        .fix("Compare before storing."),
        must("GRP-DEL-01", "RFC 7644 section 3.6", "A deleted group is gone, and its members are not", |t| {
            let user = t.user(json!({}))?;
            let group = t.group(&[&user.id])?;
            t.delete(&group.path)?.status(&[204])?;
            t.get(&group.path)?.status(&[404])?;
            t.delete(&group.path)?.status(&[404])?;
            expect(&t.read(&user)?, &json!({"groups": null}))
        })
        .why("A group that takes its people along is a disaster.")
        .fix("Delete the memberships with the group, and nothing else."),
        habit("GRP-REN-01", Client::Entra, "PATCH with a path renames a group, and its members stay", |t| renamed(t, &|_, name| {
            json!([{"op": "Replace", "path": "displayName", "value": name}])
        }))
        .why("A rename is a change of one attribute.")
        .fix("Support replace of displayName.")
        .needs(&[Need::Patch]),
        habit("GRP-REN-02", Client::Okta, "PATCH without a path, with id and displayName, renames a group", |t| renamed(t, &|id, name| {
            json!([{"op": "replace", "value": {"id": id, "displayName": name}}])
        }))
        .why("Okta sends it with each change of members, too.")
        .fix("Without a path apply each key of the value; pass over `id`.")
        .needs(&[Need::Patch]),
        habit("GRP-REN-03", Client::Authentik, "PATCH without a path, with a whole group, renames it", |t| renamed(t, &|id, name| {
            json!([{"op": "replace", "value": {"schemas": [GROUP], "id": id, "displayName": name, "externalId": "vcheck"}}])
        }))
        .why("authentik sends its whole group as the value.")
        .fix("Pass over `schemas` and `id` in the value; an absent `members` changes no members.")
        .needs(&[Need::Patch]),
        habit("GRP-REN-04", Client::Rauthy, "PATCH without a path may clear externalId with null", |t| {
            let mut body = t.group_body(&[]);
            body["externalId"] = t.name().into();
            let group = t.make("/Groups", body)?;
            let name = t.name();
            t.patch(&group.path, &json!([{"op": "replace", "value": {"displayName": name, "externalId": null}}]))?.status(&[200, 204])?;
            expect(&t.read(&group)?, &json!({"displayName": name, "externalId": null}))
        })
        .why("rauthy unlinks groups so.")
        .fix("Treat null in a value as removal.")
        .needs(&[Need::Patch]),
    ]
}

fn renamed(t: &Talk<'_>, operations: &dyn Fn(&str, &str) -> Value) -> Step {
    let user = t.user(json!({}))?;
    let group = t.group(&[&user.id])?;
    let name = t.name();
    t.patch(&group.path, &operations(&group.id, &name))?
        .status(&[200, 204])?;
    expect(&t.read(&group)?, &json!({"displayName": name}))?;
    t.expect_members(&group, &[&user])
}

fn finding() -> Vec<Check> {
    let fix = "Support eq on displayName and externalId of groups.";
    vec![
        habit(
            "GRP-FLT-01",
            Client::Okta,
            "A group is found by its name",
            |t| {
                let (_another, group) = (t.group(&[])?, t.group(&[])?);
                let name = group.sent["displayName"].as_str().unwrap_or_default();
                let answer = by_name(t, name, &[("startIndex", "1"), ("count", "100")])?;
                answer.ensure(resources(&answer).len() == 1, "the one group", || {
                    format!("{} groups", resources(&answer).len())
                })
            },
        )
        .why("Clients look before they create; whoever finds nothing creates again.")
        .fix(fix),
        habit(
            "GRP-FLT-02",
            Client::Entra,
            "A group is found by its name in another case, without its members",
            |t| {
                let user = t.user(json!({}))?;
                let group = t.group(&[&user.id])?;
                let name = group.sent["displayName"]
                    .as_str()
                    .unwrap_or_default()
                    .to_uppercase();
                let answer = by_name(t, &name, &[("excludedAttributes", "members")])?;
                let found = resources(&answer);
                answer.ensure(found.len() == 1, "the one group", || {
                    format!("{} groups", found.len())
                })?;
                answer.ensure(
                    found.iter().all(|one| one["members"].is_null()),
                    "no members",
                    || answer.text.clone(),
                )
            },
        )
        .why("Entra's validator tests it; and a group of 50,000 in each look-up is slow for both.")
        .fix("Compare displayName without regard to case, and honour excludedAttributes in lists."),
        habit(
            "GRP-FLT-03",
            Client::Rauthy,
            "A group is found by its externalId",
            |t| {
                let mut body = t.group_body(&[]);
                let external = t.name();
                body["externalId"] = external.clone().into();
                t.make("/Groups", body)?;
                let answer = t.filtered("/Groups", &format!("externalId eq \"{external}\""))?;
                answer.ensure(resources(&answer).len() == 1, "the one group", || {
                    format!("{} groups", resources(&answer).len())
                })
            },
        )
        .why("rauthy and Entra match groups by externalId where it is mapped.")
        .fix(fix),
        habit(
            "GRP-FLT-04",
            Client::Entra,
            "Whether somebody is in a group can be asked by a filter",
            |t| {
                let (inside, outside) = (t.user(json!({}))?, t.user(json!({}))?);
                let group = t.group(&[&inside.id])?;
                for (user, wanted) in [(&inside, 1), (&outside, 0)] {
                    let filter = format!("id eq \"{}\" and members eq \"{}\"", group.id, user.id);
                    let path = with_query("/Groups", &[("filter", &filter), ("attributes", "id")]);
                    let answer = t.get(&path)?;
                    answer.status(&[200])?;
                    answer.ensure(
                        resources(&answer).len() == wanted,
                        format!("{wanted} groups"),
                        || format!("{}", resources(&answer).len()),
                    )?;
                }
                Ok(())
            },
        )
        .why("Entra checks references so.")
        .fix("Compare a complex attribute in a filter by its `value`."),
        must(
            "GRP-FLT-05",
            "RFC 7644 section 3.4.2",
            "A name that no group has gives an empty list",
            |t| {
                let answer = by_name(t, "vcheck no such group", &[])?;
                answer.ensure(answer.body["totalResults"] == 0, "totalResults 0", || {
                    answer.body["totalResults"].to_string()
                })
            },
        )
        .why("Entra stops the whole connection at a 404 here.")
        .fix("Answer 200 with an empty list.")
        .reading(),
    ]
    .into_iter()
    .map(|check| check.needs(&[Need::Filter]))
    .collect()
}
