//! Users that many checks read and none changes: created once, when the first check asks for them.

use serde_json::{Value, json};

use crate::run::Stage;
use crate::stop::{Step, Stop};
use crate::talk::{ENTERPRISE, Made, Talk, USER};

/// The readers' users. Names begin with the prefix, so that one `sw` finds them all and nobody else.
#[derive(Debug)]
pub struct Cast {
    /// What all their names begin with.
    pub prefix: String,
    /// The users, in the order in which they were created.
    pub users: Vec<(&'static str, Made)>,
}

/// How many there are.
pub const CAST_SIZE: usize = 12;

impl Cast {
    /// Creates them.
    pub(crate) fn gather(stage: &Stage) -> Result<Cast, Stop> {
        let talk = Talk::new(stage, "cast");
        let gathered = Cast::create(&talk, format!("{}-cast", stage.prefix));
        stage.adopt(&talk);
        gathered
    }

    fn create(talk: &Talk<'_>, prefix: String) -> Step<Cast> {
        let mut users = Vec::new();
        for (name, more) in people(&prefix) {
            let mut body = json!({
                "schemas": [USER],
                "userName": format!("{prefix}-{name}@example.com"),
                "externalId": format!("{prefix}-X-{name}"),
                "active": true,
            });
            if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
                body.extend(more);
            }
            users.push((name, talk.make("/Users", body)?));
        }
        Ok(Cast { prefix, users })
    }

    /// One of them.
    pub fn user(&self, name: &str) -> Option<&Made> {
        self.users
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, made)| made)
    }

    /// The names behind user names, sorted: `ann` for `<prefix>-ann@example.com`.
    pub fn names(&self, user_names: &[String]) -> Vec<String> {
        let mut names: Vec<String> = user_names
            .iter()
            .map(|name| {
                let short = name
                    .strip_prefix(&self.prefix)
                    .and_then(|rest| rest.strip_suffix("@example.com"));
                short.map_or(name.clone(), |rest| rest.trim_start_matches('-').to_owned())
            })
            .collect();
        names.sort_unstable();
        names
    }
}

fn people(prefix: &str) -> Vec<(&'static str, Value)> {
    let mail = |name: &str| format!("{prefix}-{name}@example.com");
    let mut people = vec![
        (
            "ann",
            json!({
                "schemas": [USER, ENTERPRISE],
                "name": {"givenName": "Ann", "familyName": "Abel"}, "displayName": format!("{prefix} Ann Abel"),
                "title": "Engineer", "nickName": format!("{prefix}-nick"), "userType": "Employee",
                "emails": [{"value": mail("ann"), "type": "work", "primary": true},
                           {"value": mail("ann.home"), "type": "home"}],
                ENTERPRISE: {"department": format!("{prefix} Tools"), "employeeNumber": "701984"},
            }),
        ),
        (
            "bea",
            json!({
                "name": {"givenName": "Bea", "familyName": "Boll"}, "displayName": format!("{prefix} Bea Boll"),
                "title": "Director", "active": false,
                "emails": [{"value": mail("bea"), "type": "home"}],
            }),
        ),
        (
            "cid",
            json!({"name": {"givenName": "Cid", "familyName": "abel"}, "displayName": format!("{prefix} Cid Abel")}),
        ),
        (
            "dan",
            json!({
                "name": {"givenName": "Dan", "familyName": "O'Neil"},
                "displayName": format!("{prefix} Dan \"The \\ Man\" O'Neil"), "title": "Engineer",
                "emails": [{"value": mail("dan"), "type": "work"}],
            }),
        ),
        (
            "eve",
            json!({
                "name": {"givenName": "Eve", "familyName": "Müller"}, "displayName": format!("{prefix} Eve Müller 李"),
                "emails": [{"value": mail("eve"), "type": "work"}],
            }),
        ),
        (
            "fay+x",
            json!({
                "name": {"givenName": "Fay", "familyName": "Fell"}, "displayName": format!("{prefix} Fay Fell"),
                "title": "engineer of the night", "emails": [{"value": mail("fay+x"), "type": "work"}],
            }),
        ),
    ];
    for name in ["gil", "hal", "ida", "jon", "kim", "lou"] {
        let display = format!("{prefix} {name}");
        people.push((
            name,
            json!({"displayName": display, "name": {"givenName": name, "familyName": name}}),
        ));
    }
    debug_assert_eq!(people.len(), CAST_SIZE);
    people
}
