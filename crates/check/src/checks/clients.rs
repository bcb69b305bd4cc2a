//! Whole conversations of clients, from the first look-up to the last change.

use serde_json::{Value, json};

use crate::catalogue::{Check, Client, habit};
use crate::profile::Need;
use crate::stop::Step;
use crate::talk::{
    ENTERPRISE, GROUP, Made, Talk, USER, column, created, encoded, expect, resources, with_query,
};
use crate::wire::Answer;

pub(super) const WHY: &str =
    "One step that fails ends the work for this person or group, and often for all after them.";
pub(super) const FIX: &str =
    "Answer each step as shown; the checks of the other sections tell which rule is behind it.";

/// A look-up that has to find so many.
pub(super) fn look_up(t: &Talk<'_>, collection: &str, filter: &str, wanted: usize) -> Step<Answer> {
    let answer = t.query(
        collection,
        &[("filter", filter), ("startIndex", "1"), ("count", "100")],
    )?;
    answer.status(&[200])?;
    answer.ensure(
        resources(&answer).len() == wanted,
        format!("{wanted} found by {filter}"),
        || answer.text.clone(),
    )?;
    Ok(answer)
}

pub(super) fn post(t: &Talk<'_>, collection: &str, body: Value) -> Step<Made> {
    let answer = t.post(collection, &body)?;
    answer.status(&[201])?;
    created(collection, body, &answer)
}

pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let patching = &[Need::Patch, Need::Filter, Need::Groups];
    let writing = &[Need::Filter, Need::Groups];
    let checks = vec![
        habit(
            "CLI-OKTA-01",
            Client::Okta,
            "Somebody is assigned, changed, unassigned and assigned again",
            okta_person,
        )
        .needs(patching),
        habit(
            "CLI-OKTA-02",
            Client::Okta,
            "A group is pushed, filled, changed and pushed anew",
            okta_group,
        )
        .needs(patching),
        habit(
            "CLI-OKTA-03",
            Client::OktaWizard,
            "Somebody and a group are pushed by PUT alone",
            okta_wizard,
        )
        .needs(writing),
        habit(
            "CLI-ENTR-01",
            Client::Entra,
            "Somebody is provisioned, disabled and enabled",
            entra_person,
        )
        .needs(patching),
        habit(
            "CLI-ENTR-02",
            Client::Entra,
            "A group is provisioned and its members follow",
            entra_group,
        )
        .needs(patching),
        habit(
            "CLI-ENTR-03",
            Client::EntraFlagged,
            "Somebody is provisioned with grouped operations",
            entra_flagged,
        )
        .needs(patching),
        habit(
            "CLI-AUTH-01",
            Client::Authentik,
            "Somebody who is there already is found after 409 and taken over",
            authentik,
        )
        .needs(patching),
        habit(
            "CLI-RAUT-01",
            Client::Rauthy,
            "Somebody is matched by externalId, then by name",
            rauthy,
        )
        .needs(writing),
        habit(
            "CLI-POCK-01",
            Client::PocketId,
            "Everybody is read in one page of 1000 and compared",
            pocket_id,
        )
        .needs(writing),
        habit(
            "CLI-PING-01",
            Client::Ping,
            "Somebody is looked up in odd case and replaced",
            ping,
        )
        .needs(writing),
        habit(
            "CLI-SAIL-01",
            Client::SailPoint,
            "Discovery is read before anything else",
            sailpoint,
        )
        .reading(),
        habit(
            "CLI-KEYC-01",
            Client::Keycloak,
            "Somebody is created, replaced and deleted as application/json",
            keycloak,
        ),
        habit(
            "CLI-SYNC-01",
            Client::SsoSync,
            "Members are added and removed in lots",
            ssosync,
        )
        .needs(patching),
    ];
    checks
        .into_iter()
        .map(|check| check.why(WHY).fix(FIX))
        .collect()
}

fn okta_person(t: &Talk<'_>) -> Step {
    let mut body = t.user_body(
        json!({"locale": "en-US", "externalId": t.name(), "groups": [], "password": "1mz050nq"}),
    );
    let filter = format!("userName eq \"{}\"", text(&body, "userName"));
    look_up(t, "/Users", &filter, 0)?;
    let user = post(t, "/Users", body.clone())?;
    let mut read = t.read(&user)?.body;
    read["name"]["middleName"] = "Excited".into();
    read["password"] = "1mz050nq".into();
    t.put(&user.path, &read)?.status(&[200])?;
    expect(
        &t.read(&user)?,
        &json!({"name": {"middleName": "Excited"}, "externalId": body["externalId"]}),
    )?;
    for active in [false, true] {
        let answer = t.patch(
            &user.path,
            &json!([{"op": "replace", "value": {"active": active}}]),
        )?;
        answer.status(&[200, 204])?;
        let found = look_up(t, "/Users", &filter, 1)?;
        found.ensure(
            column(&found, "id") == [user.id.clone()],
            "the same id",
            || found.text.clone(),
        )?;
        found.ensure(
            resources(&found)[0]["active"] == active,
            format!("active {active}"),
            || found.text.clone(),
        )?;
    }
    body["userName"] = user.sent["userName"].clone();
    t.post("/Users", &body)?.status(&[409])?;
    Ok(())
}

fn okta_group(t: &Talk<'_>) -> Step {
    let users = t.users(3)?;
    let member = |user: &Made| json!({"value": user.id, "display": user.sent["userName"]});
    let name = t.name();
    look_up(t, "/Groups", &format!("displayName eq \"{name}\""), 0)?;
    let group = post(
        t,
        "/Groups",
        json!({"schemas": [GROUP], "displayName": name, "members": []}),
    )?;
    t.get(&group.path)?.status(&[200])?;
    let rename = json!([{"op": "replace", "value": {"id": group.id, "displayName": name}}]);
    t.patch(&group.path, &rename)?.status(&[200, 204])?;
    t.patch(
        &group.path,
        &json!([{"op": "add", "path": "members", "value": [member(&users[0]), member(&users[1])]}]),
    )?
    .status(&[200, 204])?;
    t.expect_members(&group, &[&users[0], &users[1]])?;
    let difference = json!([
        {"op": "remove", "path": format!("members[value eq \"{}\"]", users[0].id)},
        {"op": "add", "path": "members", "value": [member(&users[2])]},
    ]);
    t.patch(&group.path, &rename)?.status(&[200, 204])?;
    t.patch(&group.path, &difference)?.status(&[200, 204])?;
    t.expect_members(&group, &[&users[1], &users[2]])?;
    t.patch(
        &group.path,
        &json!([{"op": "replace", "path": "members", "value": [member(&users[0])]}]),
    )?
    .status(&[200, 204])?;
    t.expect_members(&group, &[&users[0]])?;
    t.delete(&group.path)?.status(&[204])?;
    Ok(())
}

fn okta_wizard(t: &Talk<'_>) -> Step {
    let user = post(
        t,
        "/Users",
        t.user_body(json!({"password": "1mz050nq", "groups": []})),
    )?;
    let mut read = t.read(&user)?.body;
    read["active"] = false.into();
    t.put(&user.path, &read)?.status(&[200])?;
    expect(&t.read(&user)?, &json!({"active": false}))?;
    read["active"] = true.into();
    t.put(&user.path, &read)?.status(&[200])?;
    let group = post(t, "/Groups", t.group_body(&[]))?;
    for members in [
        vec![json!({"value": user.id, "display": user.sent["userName"]})],
        Vec::new(),
    ] {
        let wanted = if members.is_empty() {
            Vec::new()
        } else {
            vec![&user]
        };
        let body = json!({"schemas": [GROUP], "id": group.id, "displayName": group.sent["displayName"], "members": members});
        t.put(&group.path, &body)?.status(&[200])?;
        t.expect_members(&group, &wanted)?;
    }
    Ok(())
}

fn entra_person(t: &Talk<'_>) -> Step {
    look_up(
        t,
        "/Users",
        &format!("userName eq \"{}\"", crate::talk::GHOST),
        0,
    )?;
    let name = format!("{}@example.com", t.name());
    let filter = format!("userName eq \"{name}\"");
    look_up(t, "/Users", &filter, 0)?;
    let user = post(
        t,
        "/Users",
        json!({
            "schemas": [USER, ENTERPRISE], "externalId": t.name(), "userName": name, "active": true, "displayName": "Joy Y",
            "title": null, "preferredLanguage": null, "addresses": null, "meta": {"resourceType": "User"}, "roles": [],
            "emails": [{"primary": true, "type": "work", "value": name}],
            "name": {"formatted": "Joy Y", "familyName": "Y", "givenName": "Joy"},
            ENTERPRISE: {"department": "D", "employeeNumber": "701984"},
        }),
    )?;
    t.read(&user)?;
    let operations = json!([
        {"op": "Replace", "path": "displayName", "value": "Pvlo"},
        {"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "new@example.org"},
        {"op": "Add", "path": "addresses[type eq \"work\"].streetAddress", "value": "1 Main St"},
        {"op": "Replace", "path": "name.givenName", "value": "Gtfd"},
        {"op": "Replace", "path": "active", "value": "False"},
    ]);
    t.patch(&user.path, &operations)?.status(&[200, 204])?;
    expect(
        &t.read(&user)?,
        &json!({
            "displayName": "Pvlo", "emails": [{"value": "new@example.org", "type": "work"}], "name": {"givenName": "Gtfd", "familyName": "Y"},
            "addresses": [{"type": "work", "streetAddress": "1 Main St"}], "active": false,
        }),
    )?;
    look_up(t, "/Users", &filter, 1)?;
    t.patch(
        &user.path,
        &json!([{"op": "Replace", "path": "active", "value": "True"}]),
    )?
    .status(&[200, 204])?;
    expect(&t.read(&user)?, &json!({"active": true}))?;
    t.delete(&user.path)?.status(&[204])?;
    look_up(t, "/Users", &filter, 0).map(|_| ())
}

fn entra_group(t: &Talk<'_>) -> Step {
    let users = t.users(2)?;
    let name = t.name();
    let filter = format!("displayName eq \"{name}\"");
    let path = with_query(
        "/Groups",
        &[("excludedAttributes", "members"), ("filter", &filter)],
    );
    t.get(&path)?.status(&[200])?;
    let group = post(
        t,
        "/Groups",
        json!({
            "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
            "externalId": t.name(), "displayName": name, "meta": {"resourceType": "Group"},
        }),
    )?;
    let one = |user: &Made| json!([{"$ref": null, "value": user.id}]);
    for user in &users {
        t.patch(
            &group.path,
            &json!([{"op": "Add", "path": "members", "value": one(user)}]),
        )?
        .status(&[200, 204])?;
    }
    t.patch(
        &group.path,
        &json!([{"op": "Add", "path": "members", "value": one(&users[0])}]),
    )?
    .status(&[200, 204])?;
    t.expect_members(&group, &[&users[0], &users[1]])?;
    t.patch(
        &group.path,
        &json!([{"op": "Remove", "path": "members", "value": one(&users[0])}]),
    )?
    .status(&[200, 204])?;
    t.expect_members(&group, &[&users[1]])?;
    t.patch(
        &group.path,
        &json!([{"op": "Replace", "path": "displayName", "value": format!("{name} EU")}]),
    )?
    .status(&[200, 204])?;
    let answer = t.get(&with_query(
        &group.path,
        &[("excludedAttributes", "members")],
    ))?;
    answer.status(&[200])?;
    expect(
        &answer,
        &json!({"displayName": format!("{name} EU"), "members": null}),
    )?;
    t.delete(&group.path)?.status(&[204])?;
    Ok(())
}

fn entra_flagged(t: &Talk<'_>) -> Step {
    let user = post(t, "/Users", t.user_body(json!({"externalId": t.name()})))?;
    let path = format!("{}?aadOptscim062020", user.path);
    let operations = json!([
        {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "someone@example.org"},
        {"op": "replace", "value": {"displayName": "Bjfe", "name.givenName": "Kkom", "active": false}},
    ]);
    t.patch(&path, &operations)?.status(&[200, 204])?;
    expect(
        &t.read(&user)?,
        &json!({
            "emails": [{"value": "someone@example.org"}], "displayName": "Bjfe", "name": {"givenName": "Kkom"}, "active": false,
        }),
    )?;
    let group = t.group(&[&user.id])?;
    let remove = json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", user.id)}]);
    t.patch(&format!("{}?aadOptscim062020", group.path), &remove)?
        .status(&[200, 204])?;
    t.expect_members(&group, &[])
}

fn authentik(t: &Talk<'_>) -> Step {
    t.get("/ServiceProviderConfig")?.status(&[200])?;
    let there = t.user(json!({}))?;
    let body = t.user_body(json!({"userName": there.sent["userName"], "externalId": t.name()}));
    t.post("/Users", &body)?.status(&[409])?;
    // Without quotes: so it looks for the one that is in the way.
    let found = look_up(
        t,
        "/Users",
        &format!("userName eq {}", text(&body, "userName")),
        1,
    )?;
    found.ensure(
        column(&found, "id") == [there.id.clone()],
        "the user that is in the way",
        || found.text.clone(),
    )?;
    let mut taken = body.clone();
    taken["id"] = there.id.clone().into();
    t.put(&there.path, &taken)?.status(&[200])?;
    let group = post(t, "/Groups", t.group_body(&[]))?;
    let whole = json!([{"op": "replace", "value": {"schemas": [GROUP], "id": group.id, "displayName": group.sent["displayName"], "externalId": "x"}}]);
    t.patch(&group.path, &whole)?.status(&[200, 204])?;
    t.patch(
        &group.path,
        &json!([{"op": "add", "path": "members", "value": [{"value": there.id}]}]),
    )?
    .status(&[200, 204])?;
    t.expect_members(&group, &[&there])?;
    t.patch(
        &group.path,
        &json!([{"op": "remove", "path": "members", "value": [{"value": there.id}]}]),
    )?
    .status(&[200, 204])?;
    t.expect_members(&group, &[])
}

fn rauthy(t: &Talk<'_>) -> Step {
    let external = t.name();
    look_up(t, "/Users", &format!("externalId eq \"{external}\""), 0)?;
    let mut body = t.user_body(json!({"externalId": external, "name": {"givenName": "Ann", "familyName": ""}, "roles": [{"value": "user"}]}));
    look_up(
        t,
        "/Users",
        &format!("userName eq \"{}\"", text(&body, "userName")),
        0,
    )?;
    let user = post(t, "/Users", body.clone())?;
    look_up(t, "/Users", &format!("externalId eq \"{external}\""), 1)?;
    body["displayName"] = "Ann Abel".into();
    let answer = t.put(&user.path, &body)?;
    answer.status(&[200])?;
    expect(
        &answer,
        &json!({"externalId": external, "displayName": "Ann Abel"}),
    )
}

fn pocket_id(t: &Talk<'_>) -> Step {
    let user = post(t, "/Users", t.user_body(json!({"externalId": t.name()})))?;
    let mut start = 1;
    loop {
        let answer = t.query(
            "/Users",
            &[("count", "1000"), ("startIndex", &format!("{start}"))],
        )?;
        answer.status(&[200])?;
        let per_page = crate::wire::integer(&answer, "/itemsPerPage")?;
        if resources(&answer)
            .iter()
            .any(|one| one["externalId"] == user.sent["externalId"])
        {
            break;
        }
        answer.ensure(per_page > 0, "the new user on some page", || {
            "the last page without it".to_owned()
        })?;
        start += per_page;
    }
    let group = post(t, "/Groups", t.group_body(&[&user.id]))?;
    let mut body = group.sent.clone();
    drop(
        body.as_object_mut()
            .and_then(|map| map.shift_remove("members")),
    );
    t.put(&group.path, &body)?.status(&[200])?;
    t.expect_members(&group, &[])?;
    t.delete(&user.path)?.status(&[204, 200])?;
    t.delete(&user.path)?.status(&[404])?;
    Ok(())
}

fn ping(t: &Talk<'_>) -> Step {
    let user = post(t, "/Users", t.user_body(json!({})))?;
    look_up(
        t,
        "/Users",
        &format!("username Eq \"{}\"", text(&user.sent, "userName")),
        1,
    )?;
    let mut body = user.sent.clone();
    body["active"] = false.into();
    t.put(&user.path, &body)?.status(&[200])?;
    expect(&t.read(&user)?, &json!({"active": false}))
}

fn sailpoint(t: &Talk<'_>) -> Step {
    t.get("/ServiceProviderConfig")?.status(&[200])?;
    let types = t.get("/ResourceTypes")?;
    types.status(&[200])?;
    let schemas = t.get("/Schemas")?;
    schemas.status(&[200])?;
    let known = column(&schemas, "id");
    for kind in resources(&types) {
        t.get(&format!("/ResourceTypes/{}", encoded(text(&kind, "name"))))?
            .status(&[200])?;
        let schema = text(&kind, "schema");
        schemas.ensure(
            known.iter().any(|id| id == schema),
            format!("the schema {schema}"),
            || format!("{known:?}"),
        )?;
    }
    Ok(())
}

fn keycloak(t: &Talk<'_>) -> Step {
    let body = t.user_body(json!({}));
    let ask = |method, path: &str, body: &Value| {
        crate::wire::Ask::new(method, path)
            .json(body)
            .header("Content-Type", "application/json")
            .header("Accept", "application/json")
    };
    let answer = t.ask(&ask("POST", "/Users", &body))?;
    answer.status(&[201])?;
    let user = created("/Users", body.clone(), &answer)?;
    let mut changed = body;
    changed["active"] = false.into();
    t.ask(&ask("PUT", &user.path, &changed))?.status(&[200])?;
    expect(&t.read(&user)?, &json!({"active": false}))?;
    t.delete(&user.path)?.status(&[204, 200])?;
    Ok(())
}

fn ssosync(t: &Talk<'_>) -> Step {
    let users = t.users(6)?;
    let group = post(t, "/Groups", t.group_body(&[]))?;
    look_up(
        t,
        "/Groups",
        &format!("displayName eq \"{}\"", text(&group.sent, "displayName")),
        1,
    )?;
    let values = |users: &[Made]| {
        users
            .iter()
            .map(|user| json!({"value": user.id}))
            .collect::<Vec<_>>()
    };
    for lot in users.chunks(3) {
        t.patch(
            &group.path,
            &json!([{"op": "add", "path": "members", "value": values(lot)}]),
        )?
        .status(&[200, 204])?;
    }
    t.expect_members(&group, &users.iter().collect::<Vec<_>>())?;
    t.patch(
        &group.path,
        &json!([{"op": "remove", "path": "members", "value": values(&users[..2])}]),
    )?
    .status(&[200, 204])?;
    t.expect_members(&group, &users[2..].iter().collect::<Vec<_>>())
}
