//! The recipes of the documentation do what they say.

use directory::{Outcome, RuleError, Subject, Surroundings, Trigger, Verdict};
use scim::Resource;
use serde_json::{Value, json};

use crate::stage::{Person, membership, user};

const RECIPES: &str = include_str!("../../../../docs/src/rules-recipes.md");

/// Other people whom an example speaks of.
struct Others {
    taken: Vec<String>,
    users: Vec<Value>,
}

impl Surroundings for Others {
    fn is_taken(&self, username: &str) -> bool {
        self.taken.iter().any(|name| name == username)
    }

    fn find_user(&self, by: directory::rules::LookupBy, value: &str) -> Option<Resource> {
        let fits = |it: &&Value| it[by.as_str()].as_str() == Some(value);
        let mut found = self.users.iter().find(fits)?.clone();
        found.as_object_mut()?.remove("id");
        Some(user(found))
    }
}

fn texts(value: &Value) -> Vec<String> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn decided(rules: &Value, example: &Value) -> (Outcome, Vec<RuleError>) {
    let groups = texts(&example["groups"]);
    let names: Vec<&str> = groups.iter().map(String::as_str).collect();
    let mut person = Person::new(rules.clone()).in_groups(&names);
    if let Some(held) = example.get("memberships_before") {
        let held = texts(held);
        person = person.with_account(held.iter().map(|it| membership(it, &["local"])).collect());
    }
    person.user = match &example["user"] {
        Value::Null => None,
        written => Some(user(written.clone())),
    };
    let others = Others {
        taken: texts(&example["taken"]),
        users: example["others"].as_array().cloned().unwrap_or_default(),
    };
    let subject = Subject {
        user: person.user.as_ref(),
        groups: &person.groups,
        existing: person.account.as_ref(),
        now: person.now,
        trigger: Trigger::parse(example["trigger"].as_str().unwrap_or("scim")).unwrap(),
        overrides: &[],
    };
    let outcome = directory::evaluate_among(&subject, &person.rules, &others);
    let written = serde_json::from_value(rules.clone()).unwrap();
    (outcome, directory::rules::warnings(&written))
}

fn account(outcome: &Outcome) -> Value {
    match outcome.verdict {
        Verdict::NoAccount { .. } => json!("none"),
        Verdict::Account { status, .. } => json!(status.as_str()),
        Verdict::Remove { .. } => json!("removed"),
    }
}

#[test]
fn each_recipe_holds_for_its_examples() {
    let mut recipes = 0;
    for section in RECIPES.split("\n## ").skip(1) {
        let title = section.lines().next().unwrap();
        let mut blocks = section
            .split("```json\n")
            .skip(1)
            .map(|it| serde_json::from_str::<Value>(it.split("```").next().unwrap()));
        let Some(rules) = blocks.next() else { continue };
        let rules = rules.unwrap_or_else(|error| panic!("{title}: {error}"));
        let mut examples = 0;
        for example in blocks {
            let example = example.unwrap_or_else(|error| panic!("{title}: {error}"));
            let (outcome, warnings) = decided(&rules, &example);
            assert_eq!(warnings, [], "{title}");
            for (what, wanted) in example["gives"].as_object().unwrap() {
                let found = match what.as_str() {
                    "account" => account(&outcome),
                    "memberships" => {
                        let mut names: Vec<_> = outcome
                            .memberships
                            .iter()
                            .map(|it| it.group.as_str())
                            .collect();
                        names.sort_unstable();
                        json!(names)
                    }
                    target => json!(outcome.attributes.get(target)),
                };
                assert_eq!(
                    &found,
                    wanted,
                    "{title}: {what} of {example}\n{:#?}",
                    outcome.lines()
                );
            }
            examples += 1;
        }
        assert!(examples > 0, "{title} has no example");
        recipes += 1;
    }
    assert!(recipes >= 12, "only {recipes} recipes were found");
}
