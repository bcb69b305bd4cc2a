//! Adding, removing and replacing members, in each form that clients send.

use serde_json::{Value, json};

use crate::catalogue::{Check, Client, habit, must};
use crate::profile::Need;
use crate::stop::Step;
use crate::talk::{Made, Talk};

const RFC: &str = "RFC 7644 section 3.5.2";
const WHY_LOST: &str = "People keep rights they should lose, or lose those they have.";
const WHY_ALL: &str =
    "Taking the removal of one for the removal of all empties a whole department.";

/// A group, people in it, and one who is not.
struct Scene {
    group: Made,
    one: Made,
    two: Made,
    three: Made,
    outside: Made,
}

impl Scene {
    fn set(t: &Talk<'_>) -> Step<Scene> {
        let mut users = t.users(4)?.into_iter();
        let (Some(one), Some(two), Some(three), Some(outside)) =
            (users.next(), users.next(), users.next(), users.next())
        else {
            return crate::stop::skip("four users could not be created");
        };
        let group = t.group(&[&one.id, &two.id, &three.id])?;
        Ok(Scene {
            group,
            one,
            two,
            three,
            outside,
        })
    }
}

/// Sends operations to a group of three, and looks who is in it then.
fn after(
    t: &Talk<'_>,
    operations: impl Fn(&Scene) -> Value,
    members: impl Fn(&Scene) -> Vec<&Made>,
) -> Step {
    let scene = Scene::set(t)?;
    t.patch(&scene.group.path, &operations(&scene))?
        .status(&[200, 204])?;
    t.expect_members(&scene.group, &members(&scene))
}

fn value(user: &Made) -> Value {
    json!({"value": user.id})
}

fn path(user: &Made) -> String {
    format!("members[value eq \"{}\"]", user.id)
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let mut checks = adding();
    checks.extend(removing());
    checks.extend(replacing());
    checks
        .into_iter()
        .map(|check| check.needs(&[Need::Groups, Need::Patch]))
        .collect()
}

fn adding() -> Vec<Check> {
    vec![
        must("MEM-ADD-01", RFC, "A member is added, and the others stay", |t| {
            after(
                t,
                |s| json!([{"op": "add", "path": "members", "value": [value(&s.outside)]}]),
                |s| vec![&s.one, &s.two, &s.three, &s.outside],
            )
        })
        .why(WHY_LOST)
        .fix("Append to the list; do not replace it."),
        must("MEM-ADD-02", RFC, "Adding somebody who is in already changes nothing", |t| {
            after(t, |s| json!([{"op": "add", "path": "members", "value": [value(&s.one)]}]), |s| vec![&s.one, &s.two, &s.three])
        })
        .why("Entra and authentik send members again; an error here ends their whole job.")
        .fix("Answer success, and keep each member once."),
        must("MEM-ADD-03", RFC, "Somebody who is twice in a list is in the group once", |t| {
            after(
                t,
                |s| json!([{"op": "add", "path": "members", "value": [value(&s.outside), value(&s.outside)]}]),
                |s| vec![&s.one, &s.two, &s.three, &s.outside],
            )
        })
        .why("A member that is there twice survives its removal.")
        .fix("Make group and member unique together."),
        must("MEM-ADD-04", RFC, "Members can be added without a path", |t| {
            after(
                t,
                |s| json!([{"op": "add", "value": {"members": [value(&s.outside)]}}]),
                |s| vec![&s.one, &s.two, &s.three, &s.outside],
            )
        })
        .why(WHY_LOST)
        .fix("Without a path apply each key of the value."),
        habit("MEM-ADD-05", Client::Entra, "`Add` with a capital letter and a null $ref adds", |t| {
            after(
                t,
                |s| json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": s.outside.id}]}]),
                |s| vec![&s.one, &s.two, &s.three, &s.outside],
            )
        })
        .why("Entra sends exactly this unless its flag is set; a server that passed over it off-boarded nobody.")
        .fix("Compare `op` without regard to case, and pass over null."),
        habit("MEM-ADD-06", Client::Okta, "A member has no type, and a display of the client's own", |t| {
            after(
                t,
                |s| json!([{"op": "add", "path": "members", "value": [{"value": s.outside.id, "display": "somebody@example.com"}]}]),
                |s| vec![&s.one, &s.two, &s.three, &s.outside],
            )
        })
        .why("Okta sends no `type`; a server that demands it refuses every push.")
        .fix("Demand nothing but `value`."),
        habit("MEM-ADD-07", Client::OneLogin, "One member may come as an object instead of a list", |t| {
            after(
                t,
                |s| json!([{"op": "add", "path": "members", "value": value(&s.outside)}]),
                |s| vec![&s.one, &s.two, &s.three, &s.outside],
            )
        })
        .why("Several clients send a single value so.")
        .fix("Take one object where a list belongs."),
        habit("MEM-ADD-08", Client::Keycloak, "A member may be added by a value path", |t| {
            after(t, |s| json!([{"op": "add", "path": path(&s.outside)}]), |s| vec![&s.one, &s.two, &s.three, &s.outside])
        })
        .why("Seen by servers in the field, without a value.")
        .fix("Make an element of the eq terms of the path."),
    ]
}

fn removing() -> Vec<Check> {
    let fix = "Remove the elements whose `value` is in the list, and no others.";
    vec![
        must("MEM-REM-01", RFC, "A value path removes one member", |t| {
            after(t, |s| json!([{"op": "remove", "path": path(&s.two)}]), |s| vec![&s.one, &s.three])
        })
        .why(WHY_LOST)
        .fix("Remove the elements that the filter in the path matches."),
        must("MEM-REM-02", RFC, "Several removals in one request remove the right ones", |t| {
            after(
                t,
                |s| json!([{"op": "remove", "path": path(&s.one)}, {"op": "remove", "path": path(&s.two)}]),
                |s| vec![&s.three],
            )
        })
        .why("A server that removed by position removed the wrong people, as positions shift.")
        .fix("Remove by value, one operation after the other."),
        must("MEM-REM-03", RFC, "Removing members without a value removes all", |t| {
            after(t, |_| json!([{"op": "remove", "path": "members"}]), |_| Vec::new())
        })
        .why(WHY_LOST)
        .fix("remove with the path of a list and no value empties it."),
        must("MEM-REM-04", "what Entra, authentik, rauthy and JumpCloud send", "Removing with a list of values removes only these", |t| {
            after(t, |s| json!([{"op": "remove", "path": "members", "value": [value(&s.two)]}]), |s| vec![&s.one, &s.three])
        })
        .why(WHY_ALL)
        .fix(fix),
        habit("MEM-REM-05", Client::Entra, "`Remove` with a capital letter and a null $ref removes only these", |t| {
            after(
                t,
                |s| json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": s.two.id}]}]),
                |s| vec![&s.one, &s.three],
            )
        })
        .why(WHY_ALL)
        .fix(fix),
        habit("MEM-REM-06", Client::Authentik, "Removing one after another, each with a list of one, removes these", |t| {
            after(
                t,
                |s| json!([
                    {"op": "remove", "path": "members", "value": [value(&s.one)]},
                    {"op": "remove", "path": "members", "value": [value(&s.three)]},
                ]),
                |s| vec![&s.two],
            )
        })
        .why(WHY_ALL)
        .fix(fix),
        must("MEM-REM-07", "prudence", "Removing with an empty list removes nobody", |t| {
            let scene = Scene::set(t)?;
            t.patch(&scene.group.path, &json!([{"op": "remove", "path": "members", "value": []}]))?.no_crash()?;
            t.expect_members(&scene.group, &[&scene.one, &scene.two, &scene.three])
        })
        .why(WHY_ALL)
        .fix("An empty list names nobody."),
        must("MEM-REM-08", RFC, "Removing somebody who is not in changes nothing", |t| {
            let scene = Scene::set(t)?;
            let gone = t.patch(&scene.group.path, &json!([{"op": "remove", "path": path(&scene.outside)}]))?;
            // The RFC would allow noTarget; nobody may be removed in any case.
            gone.status(&[200, 204, 400])?;
            t.expect_members(&scene.group, &[&scene.one, &scene.two, &scene.three])
        })
        .why(WHY_LOST)
        .fix("Answer success, and change nothing."),
        habit("MEM-REM-09", Client::Entra, "Removing somebody who is not in is a success", |t| {
            after(
                t,
                |s| json!([{"op": "Remove", "path": "members", "value": [value(&s.outside)]}]),
                |s| vec![&s.one, &s.two, &s.three],
            )
        })
        .why("Clients send removals again when an answer got lost; an error makes them stop.")
        .fix("Answer success, and change nothing."),
    ]
}

fn replacing() -> Vec<Check> {
    vec![
        must("MEM-REP-01", RFC, "Replacing members leaves exactly the new ones", |t| {
            after(
                t,
                |s| json!([{"op": "replace", "path": "members", "value": [value(&s.three), value(&s.outside)]}]),
                |s| vec![&s.three, &s.outside],
            )
        })
        .why(WHY_LOST)
        .fix("replace with the path of a list replaces the list."),
        must("MEM-REP-02", RFC, "Replacing members with an empty list leaves none", |t| {
            after(t, |_| json!([{"op": "replace", "path": "members", "value": []}]), |_| Vec::new())
        })
        .why("Okta pushes an empty group so; a server that failed here kept everybody in.")
        .fix("Take [] for no members."),
        habit("MEM-REP-03", Client::Okta, "Removals and additions in one request do both", |t| {
            after(
                t,
                |s| json!([
                    {"op": "remove", "path": path(&s.one)},
                    {"op": "add", "path": "members", "value": [{"value": s.outside.id, "display": "x@example.com"}]},
                ]),
                |s| vec![&s.two, &s.three, &s.outside],
            )
        })
        .why("Okta sends the difference in one request, removals first.")
        .fix("Apply the operations in order, all or none."),
        must("MEM-REP-04", RFC, "Changing another attribute leaves the members", |t| {
            after(
                t,
                |s| json!([{"op": "replace", "value": {"displayName": s.group.sent["displayName"]}}]),
                |s| vec![&s.one, &s.two, &s.three],
            )
        })
        .why("A server that took an absent list for an empty one emptied groups at each rename.")
        .fix("Touch only what the operation names."),
        habit("MEM-REP-05", Client::EntraFlagged, "Lower-case operations with value paths work together", |t| {
            after(
                t,
                |s| json!([
                    {"op": "add", "path": "members", "value": [value(&s.outside)]},
                    {"op": "remove", "path": path(&s.two)},
                ]),
                |s| vec![&s.one, &s.three, &s.outside],
            )
        })
        .why(WHY_LOST)
        .fix("Apply the operations in order."),
    ]
}
