//! Attributes behave as their schemas say: mutability, returned, uniqueness and case, each by what the documents give.

use emulate::databases::on_each_database;
use serde_json::{Map, Value, json};

use crate::scim_idp::*;
use crate::world::World;

/// One attribute or part of one, as the documents describe it.
#[derive(Clone)]
struct Probe<'d> {
    /// The extension that it is in.
    urn: Option<&'d str>,
    parent: Option<&'d Value>,
    attribute: &'d Value,
}

impl<'d> Probe<'d> {
    fn name(&self) -> &'d str {
        self.attribute["name"].as_str().unwrap()
    }

    fn says(&self, characteristic: &str) -> &'d str {
        self.attribute[characteristic].as_str().unwrap_or_default()
    }

    fn is(&self, characteristic: &str) -> bool {
        self.attribute[characteristic] == true
    }

    /// As filters, paths and projections name it.
    fn path(&self) -> String {
        let top = self.parent.unwrap_or(self.attribute)["name"]
            .as_str()
            .unwrap();
        let top = self
            .urn
            .map_or(top.to_owned(), |urn| format!("{urn}:{top}"));
        match self.parent {
            Some(_) => format!("{top}.{}", self.name()),
            None => top,
        }
    }

    /// Its value in a resource, the first one if there are several.
    fn in_resource<'r>(&self, resource: &'r Value) -> Option<&'r Value> {
        let holder = self.urn.map_or(Some(resource), |urn| resource.get(urn))?;
        match self.parent {
            None => holder.get(self.name()),
            Some(parent) => {
                let value = holder.get(parent["name"].as_str().unwrap())?;
                let one = if parent["multiValued"] == true {
                    value.get(0)?
                } else {
                    value
                };
                one.get(self.name())
            }
        }
    }

    /// A body with this value of it, and what is required.
    fn body(&self, value: Value, required: &Map<String, Value>) -> Value {
        let mut body = required.clone();
        let value = match self.parent {
            Some(parent) => {
                let mut object = json!({ self.name(): value });
                if parent["multiValued"] == true {
                    // A label alone is no value.
                    let first = &parent["subAttributes"][0];
                    let name = first["name"].as_str().unwrap();
                    if name != self.name() {
                        object[name] = sample(first, "to be labelled");
                    }
                    object = json!([object]);
                }
                (parent["name"].as_str().unwrap().to_owned(), object)
            }
            None => (self.name().to_owned(), value),
        };
        match self.urn {
            Some(urn) => drop(body.insert(urn.to_owned(), Value::Object(Map::from_iter([value])))),
            None => drop(body.insert(value.0, value.1)),
        }
        Value::Object(body)
    }
}

fn sample(attribute: &Value, salt: &str) -> Value {
    let one = match attribute["type"].as_str().unwrap() {
        "complex" => {
            let parts = attribute["subAttributes"].as_array().unwrap().iter();
            let parts = parts.filter(|part| part["mutability"] != "readOnly");
            Value::Object(
                parts
                    .map(|part| {
                        (
                            part["name"].as_str().unwrap().to_owned(),
                            sample(part, salt),
                        )
                    })
                    .collect(),
            )
        }
        "boolean" => json!(true),
        "integer" => json!(7),
        "decimal" => json!(7.5),
        "dateTime" => json!("2026-03-01T09:00:00Z"),
        "binary" => json!("QmluYXJ5"),
        "reference" => json!(format!("https://x.test/Some/{salt}")),
        _ => json!(format!(
            "Some {} {salt}",
            attribute["name"].as_str().unwrap()
        )),
    };
    if attribute["multiValued"] == true {
        json!([one])
    } else {
        one
    }
}

/// Something of another type.
fn wrong(attribute: &Value) -> Value {
    match attribute["type"].as_str().unwrap() {
        "complex" => json!(7),
        "boolean" => json!("maybe"),
        "integer" | "decimal" => json!("many"),
        "dateTime" => json!("yesterday"),
        _ => json!(7),
    }
}

fn other_case(text: &str) -> String {
    let swap = |one: char| match one.is_ascii_lowercase() {
        true => one.to_ascii_uppercase(),
        false => one.to_ascii_lowercase(),
    };
    text.chars().map(swap).collect()
}

#[test]
fn each_attribute_behaves_as_its_schema_says() {
    on_each_database(|database| {
        let world = World::new(database);
        let idp = Idp::new(&world);
        let schema = |urn: &Value| shown(&idp.get(&format!("/Schemas/{}", urn.as_str().unwrap())));
        for ty in shown(&idp.get("/ResourceTypes"))["Resources"]
            .as_array()
            .unwrap()
        {
            let mut documents = vec![(None, schema(&ty["schema"]))];
            for extension in ty["schemaExtensions"].as_array().unwrap() {
                documents.push((extension["schema"].as_str(), schema(&extension["schema"])));
            }
            let mut probes = Vec::new();
            for (urn, document) in &documents {
                for attribute in document["attributes"].as_array().unwrap() {
                    probes.push(Probe {
                        urn: *urn,
                        parent: None,
                        attribute,
                    });
                    for sub in attribute["subAttributes"].as_array().into_iter().flatten() {
                        probes.push(Probe {
                            urn: *urn,
                            parent: Some(attribute),
                            attribute: sub,
                        });
                    }
                }
            }
            let bench = Bench {
                idp: &idp,
                endpoint: ty["endpoint"].as_str().unwrap(),
                probes: &probes,
            };
            assert!(probes.len() > 5);
            for probe in &probes {
                // Members name resources, and have tests of their own.
                let top = probe.parent.unwrap_or(probe.attribute);
                if top["name"] != "members" {
                    bench.probe(probe);
                }
            }
        }
    });
}

struct Bench<'b> {
    idp: &'b Idp<'b>,
    endpoint: &'b str,
    probes: &'b [Probe<'b>],
}

impl Bench<'_> {
    /// What each resource needs, made different from others by the salt.
    fn required(&self, salt: &str) -> Map<String, Value> {
        let required = self
            .probes
            .iter()
            .filter(|probe| probe.parent.is_none() && probe.is("required"));
        required
            .map(|probe| (probe.name().to_owned(), sample(probe.attribute, salt)))
            .collect()
    }

    fn post(&self, body: &Value) -> crate::http::Answer {
        self.idp.post(self.endpoint, body)
    }

    fn found(&self, filter: &str) -> Value {
        let found = self.idp.find(self.endpoint.trim_start_matches('/'), filter);
        found["totalResults"].clone()
    }

    fn probe(&self, probe: &Probe<'_>) {
        let path = probe.path();
        let salt = format!("of {path}");
        let required = self.required(&salt);
        let value = sample(probe.attribute, &salt);
        let sent = probe.body(value.clone(), &required);
        let posted = created(&self.post(&sent));
        let address = format!("{}/{}", self.endpoint, posted["id"].as_str().unwrap());
        let stored = shown(&self.idp.get(&address));
        assert_eq!(stored, posted, "{path}");

        let expected = match (probe.says("mutability"), probe.says("returned")) {
            ("readOnly", _) | (_, "never" | "request") => None,
            _ => Some(&value),
        };
        assert_eq!(probe.in_resource(&stored), expected, "{path}");
        self.returned(probe, &address, &value);
        self.types(probe, &salt);
        self.unique(probe, &sent, &salt);
        self.compared(probe, &value);
        self.written(probe, &address, &salt);
        self.idp.delete(&address);
    }

    fn returned(&self, probe: &Probe<'_>, address: &str, value: &Value) {
        let path = probe.path();
        let seen = |query: &str| {
            let shown = shown(&self.idp.get(&format!("{address}?{query}")));
            probe.in_resource(&shown).cloned()
        };
        let (asked, other, excluded) = (
            seen(&format!("attributes={path}")),
            seen("attributes=id"),
            seen(&format!("excludedAttributes={path}")),
        );
        let is_there = (probe.says("mutability") != "readOnly").then(|| value.clone());
        let (asked_for, always) = match probe.says("returned") {
            "always" => (is_there.clone(), is_there),
            "never" => (None, None),
            _ => (is_there, None),
        };
        assert_eq!(asked, asked_for, "{path} asked for");
        assert_eq!(other, always, "{path} not asked for");
        assert_eq!(excluded, always, "{path} excluded");
    }

    fn types(&self, probe: &Probe<'_>, salt: &str) {
        if probe.says("mutability") == "readOnly" || probe.says("mutability") == "writeOnly" {
            return;
        }
        let path = probe.path();
        let required = self.required(&format!("wrong {salt}"));
        let wrong_value = match probe.is("multiValued") {
            true => json!([wrong(probe.attribute)]),
            false => wrong(probe.attribute),
        };
        let answer = self.post(&probe.body(wrong_value, &required));
        assert_eq!(refused(&answer), (400, "invalidValue".to_owned()), "{path}");
        if !probe.is("multiValued") {
            let one = sample(probe.attribute, salt);
            let answer = self.post(&probe.body(json!([one, one]), &required));
            assert_eq!(
                refused(&answer),
                (400, "invalidValue".to_owned()),
                "two of {path}"
            );
        }
        if probe.is("required") && probe.parent.is_none() {
            let mut without = required.clone();
            without.remove(probe.name());
            let answer = self.post(&Value::Object(without));
            assert_eq!(
                refused(&answer),
                (400, "invalidValue".to_owned()),
                "no {path}"
            );
        }
        // Canonical values are suggestions (RFC 7643 section 7).
        for canonical in probe.attribute["canonicalValues"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let body = probe.body(
                canonical.clone(),
                &self.required(&format!("{canonical} {salt}")),
            );
            assert_eq!(
                probe.in_resource(&created(&self.post(&body))),
                Some(canonical),
                "{path}"
            );
        }
    }

    fn unique(&self, probe: &Probe<'_>, sent: &Value, salt: &str) {
        if probe.parent.is_some()
            || probe.says("type") == "complex"
            || probe.says("mutability") == "readOnly"
        {
            return;
        }
        let mut again = Value::Object(self.required(&format!("again {salt}")));
        let holder = match probe.urn {
            Some(urn) => {
                again[urn] = sent[urn].clone();
                &mut again[urn]
            }
            None => &mut again,
        };
        let value = match probe.urn {
            Some(urn) => &sent[urn][probe.name()],
            None => &sent[probe.name()],
        };
        holder[probe.name()] = value.clone();
        let answer = self.post(&again);
        if ["none", ""].contains(&probe.says("uniqueness")) {
            self.idp
                .delete(&format!("{}/{}", self.endpoint, id_of(&answer)));
            return;
        }
        assert_eq!(
            refused(&answer),
            (409, "uniqueness".to_owned()),
            "{}",
            probe.path()
        );
        if let Some(text) = value.as_str() {
            again[probe.name()] = other_case(text).into();
            let status = self.post(&again).status;
            assert_eq!(
                status,
                if probe.is("caseExact") { 201 } else { 409 },
                "{}",
                probe.path()
            );
        }
    }

    fn compared(&self, probe: &Probe<'_>, value: &Value) {
        let path = probe.path();
        let Some(text) = value
            .as_str()
            .filter(|_| probe.says("mutability") != "readOnly")
        else {
            return;
        };
        let filter = |text: &str| format!("{path} eq \"{text}\"");
        if probe.says("returned") == "never" {
            let asked = format!("{}?filter={}", self.endpoint, encoded(&filter(text)));
            assert_eq!(refused(&self.idp.get(&asked)).0, 403, "{path}");
            return;
        }
        if probe.says("type") == "dateTime" {
            return;
        }
        assert_eq!(self.found(&filter(text)), 1, "{path}");
        let expected = u8::from(!probe.is("caseExact"));
        assert_eq!(
            self.found(&filter(&other_case(text))),
            expected,
            "{path} in another case"
        );
    }

    fn written(&self, probe: &Probe<'_>, address: &str, salt: &str) {
        let path = probe.path();
        let patch = |operation: Value| self.idp.patch(address, &json!([operation]));
        let other = sample(probe.attribute, &format!("other {salt}"));
        let replaced = patch(json!({ "op": "replace", "path": path, "value": other }));
        match probe.says("mutability") {
            "readOnly" => {
                assert_eq!(refused(&replaced), (400, "mutability".to_owned()), "{path}");
                return;
            }
            "immutable" => {
                assert_eq!(refused(&replaced), (400, "mutability".to_owned()), "{path}");
                return;
            }
            "writeOnly" => {
                assert_eq!(probe.in_resource(&shown(&replaced)), None, "{path}");
                return;
            }
            _ => {}
        }
        let seen = |answer: &crate::http::Answer| {
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            let seen = shown(&self.idp.get(&format!("{address}?attributes={path}")));
            probe.in_resource(&seen).cloned()
        };
        assert_eq!(seen(&replaced), Some(other), "{path} replaced");
        let removed = patch(json!({ "op": "remove", "path": path }));
        if probe.is("required") && probe.parent.is_none() {
            assert_eq!(
                refused(&removed),
                (400, "invalidValue".to_owned()),
                "{path}"
            );
            return;
        }
        assert_eq!(seen(&removed), None, "{path} removed");
        let body = probe.body(sample(probe.attribute, salt), &self.required(salt));
        let put = self.idp.put(address, &body);
        assert_eq!(
            seen(&put),
            Some(sample(probe.attribute, salt)),
            "{path} put"
        );
        let without = self.idp.put(address, &Value::Object(self.required(salt)));
        let kept = (path == "active").then_some(json!(true));
        assert_eq!(seen(&without), kept, "{path} left out");
    }
}
