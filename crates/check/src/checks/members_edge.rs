//! Members at the edges: unknown, nested, disabled, deleted and many.

use serde_json::{Value, json};

use crate::catalogue::{Check, Client, habit, must, should};
use crate::profile::Need;
use crate::stop::ensure;
use crate::talk::{GHOST, expect, member_ids, with_query};

const RFC: &str = "RFC 7644 section 3.5.2";

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let mut checks = odd();
    checks.extend(people());
    checks.extend(many());
    checks
        .into_iter()
        .map(|check| check.needs(&[Need::Groups, Need::Patch]))
        .collect()
}

fn odd() -> Vec<Check> {
    vec![
        must("MEM-EDGE-01", RFC, "Changing the members of a group that is not there is answered with 404", |t| {
            let answer = t.patch(&format!("/Groups/{GHOST}"), &json!([{"op": "add", "path": "members", "value": [{"value": GHOST}]}]))?;
            answer.status(&[404])?;
            Ok(())
        })
        .why("The client has to hear that its group is gone.")
        .fix("Answer 404 in SCIM's form."),
        must("MEM-EDGE-02", RFC, "A member that is unknown breaks nothing and is in nobody's way", |t| {
            let user = t.user(json!({}))?;
            let group = t.group(&[&user.id])?;
            let answer = t.patch(&group.path, &json!([{"op": "add", "path": "members", "value": [{"value": GHOST}]}]))?;
            answer.status(&[200, 204, 400, 404])?;
            let members = t.members(&group)?;
            ensure(members.contains(&user.id), "the known member still in the group", || format!("{members:?}"))
        })
        .why("A failure of the server here ends the whole job of the client.")
        .fix("Pass over unknown members, or answer 400 with the id in `detail`."),
        habit("MEM-EDGE-03", Client::Okta, "One unknown member does not sink the others", |t| {
            let user = t.user(json!({}))?;
            let group = t.group(&[])?;
            t.patch(&group.path, &json!([{"op": "add", "path": "members", "value": [{"value": GHOST}, {"value": user.id}]}]))?
                .status(&[200, 204])?;
            let members = t.members(&group)?;
            ensure(members.contains(&user.id), "the known one in the group", || format!("{members:?}"))
        })
        .why("Okta takes 400 for final: the whole push is dropped, and nobody is told.")
        .fix("Answer success, apply the rest, and show the unknown id to the administrator."),
        must("MEM-EDGE-04", "prudence", "A remove whose list cannot be understood removes nobody", |t| {
            let user = t.user(json!({}))?;
            let group = t.group(&[&user.id])?;
            for value in [json!([{"foo": "bar"}]), json!([{"value": null}]), json!({"members": 7})] {
                t.patch(&group.path, &json!([{"op": "remove", "path": "members", "value": value}]))?.no_crash()?;
                t.expect_members(&group, &[&user])?;
            }
            Ok(())
        })
        .why("The removal of all is the worst guess.")
        .fix("Answer 400 invalidValue."),
        must("MEM-EDGE-05", RFC, "An operation whose members cannot be understood changes nothing", |t| {
            let user = t.user(json!({}))?;
            for value in [json!([7]), json!("x"), json!([[]])] {
                let group = t.group(&[&user.id])?;
                let answer = t.patch(&group.path, &json!([{"op": "replace", "path": "members", "value": value}]))?;
                answer.no_crash()?;
                if !answer.is_success() {
                    t.expect_members(&group, &[&user])?;
                }
            }
            Ok(())
        })
        .why("A request that fails may not have half an effect.")
        .fix("Read all operations before the first is applied."),
        should("MEM-EDGE-06", "RFC 7643 section 4.2", "A group can be a member of a group", |t| {
            let inner = t.group(&[])?;
            let outer = t.group(&[])?;
            t.patch(&outer.path, &json!([{"op": "add", "path": "members", "value": [{"value": inner.id, "type": "Group"}]}]))?
                .status(&[200, 204])?;
            let members = t.members(&outer)?;
            ensure(members == [inner.id.clone()], "the inner group as a member", || format!("{members:?}"))
        })
        .why("Organizations nest their groups.")
        .fix("Accept members of the type Group."),
        must("MEM-EDGE-07", "prudence", "A group in itself breaks nothing", |t| {
            let group = t.group(&[])?;
            let itself = json!([{"op": "add", "path": "members", "value": [{"value": group.id, "type": "Group"}]}]);
            t.patch(&group.path, &itself)?.no_crash()?;
            t.read(&group)?;
            Ok(())
        })
        .why("Whoever follows members without an end hangs.")
        .fix("Refuse it, or stop at what was visited."),
        should("MEM-EDGE-08", "RFC 7643 section 4.2", "A $ref of a member leads to it", |t| {
            let user = t.user(json!({}))?;
            let group = t.group(&[&user.id])?;
            let answer = t.read(&group)?;
            let reference = answer.body.pointer("/members/0/$ref").and_then(Value::as_str);
            let is_right = reference.is_none_or(|url| url.ends_with(&format!("/Users/{}", user.id)));
            answer.ensure(is_right, format!("$ref ending in /Users/{}", user.id), || reference.unwrap_or_default().to_owned())
        })
        .why("Some clients follow it.")
        .fix("Make it the URL of the member, or leave it out."),
    ]
}

fn people() -> Vec<Check> {
    vec![
        must(
            "MEM-LIFE-01",
            "RFC 7644 section 3.6",
            "Who is deleted leaves all groups",
            |t| {
                let (one, two) = (t.user(json!({}))?, t.user(json!({}))?);
                let group = t.group(&[&one.id, &two.id])?;
                t.delete(&one.path)?.status(&[204])?;
                t.expect_members(&group, &[&two])
            },
        )
        .why("Clients compare members, and stumble over ids that they cannot read.")
        .fix("Delete the memberships with the user."),
        habit(
            "MEM-LIFE-02",
            Client::Entra,
            "Who is disabled stays in the groups",
            |t| {
                let user = t.user(json!({}))?;
                let group = t.group(&[&user.id])?;
                t.patch(
                    &user.path,
                    &json!([{"op": "Replace", "path": "active", "value": false}]),
                )?
                .status(&[200, 204])?;
                t.expect_members(&group, &[&user])
            },
        )
        .why("Entra does not send memberships again when somebody is enabled.")
        .fix("Leave memberships alone when `active` changes."),
        must(
            "MEM-LIFE-03",
            "RFC 7643 section 4.1.2",
            "Groups of a user cannot be written through the user",
            |t| {
                let user = t.user(json!({}))?;
                let group = t.group(&[])?;
                let answer = t.patch(
                    &user.path,
                    &json!([{"op": "add", "path": "groups", "value": [{"value": group.id}]}]),
                )?;
                answer.no_crash()?;
                t.expect_members(&group, &[])
            },
        )
        .why("Whoever may change a profile could become an administrator.")
        .fix("`groups` is readOnly: pass over it, or answer 400 mutability."),
        habit(
            "MEM-LIFE-04",
            Client::Entra,
            "A group is read without its members when they are excluded",
            |t| {
                let user = t.user(json!({}))?;
                let group = t.group(&[&user.id])?;
                let answer = t.get(&with_query(
                    &group.path,
                    &[("excludedAttributes", "members")],
                ))?;
                answer.status(&[200])?;
                expect(
                    &answer,
                    &json!({"displayName": group.sent["displayName"], "members": null}),
                )
            },
        )
        .why("Entra reads groups so, to be spared 50,000 members.")
        .fix("Honour excludedAttributes."),
    ]
}

fn many() -> Vec<Check> {
    vec![
        habit("MEM-MANY-01", Client::SsoSync, "Many members come in one request, and all are in", |t| {
            let users = t.users(t.crowd_size())?;
            let group = t.group(&[])?;
            let members: Vec<Value> = users.iter().map(|user| json!({"value": user.id})).collect();
            t.patch(&group.path, &json!([{"op": "add", "path": "members", "value": members}]))?.status(&[200, 204])?;
            t.expect_members(&group, &users.iter().collect::<Vec<_>>())?;
            let half: Vec<Value> = users.iter().step_by(2).map(|user| json!({"value": user.id})).collect();
            t.patch(&group.path, &json!([{"op": "remove", "path": "members", "value": half}]))?.status(&[200, 204])?;
            t.expect_members(&group, &users.iter().skip(1).step_by(2).collect::<Vec<_>>())?;
            let all: Vec<&str> = users.iter().map(|user| user.id.as_str()).collect();
            let mut whole = t.group_body(&all);
            whole["displayName"] = group.sent["displayName"].clone();
            t.put(&group.path, &whole)?.status(&[200])?;
            t.expect_members(&group, &users.iter().collect::<Vec<_>>())
        })
        .why("Limits that nobody documents cut groups off at 100 or 1,000 members.")
        .fix("Take as many members as fit into the largest body, and say the limit in 413 otherwise."),
        must("MEM-MANY-02", "RFC 7643 section 4.2", "A list of groups has the members of each, unless they are excluded", |t| {
            let users = t.users(2)?;
            let group = t.group(&[&users[0].id, &users[1].id])?;
            let name = group.sent["displayName"].as_str().unwrap_or_default();
            let answer = t.filtered("/Groups", &format!("displayName eq \"{name}\""))?;
            let came = answer.body.pointer("/Resources/0").map(member_ids).unwrap_or_default();
            answer.ensure(came.len() == 2, "both members in the list", || format!("{came:?}"))
        })
        .why("Clients import groups from lists, and take missing members for removed ones.")
        .fix("Return members in lists as in single answers.")
        .needs(&[Need::Filter]),
    ]
}
