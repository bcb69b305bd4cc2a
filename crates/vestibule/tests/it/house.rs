//! A running server with connectors and applications, and what every story about it needs.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use emulate::databases::TestDatabase;
use emulate::jira::{Jira, Synchronization};
use emulate::organization::{Organization, Size};
use emulate::picture::Picture;
use emulate::report::{Report, quietly};

use crate::program::{Program, Serving};

/// How long the server may take to evaluate what it owes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Rules by which products see what was written, as new connectors pin names and protect groups.
const PLAIN: &str = r#"{"groups": {"protected": [], "rename": "follow", "on_existing": "adopt"},
    "accounts": {"names_reserved_days": 0}}"#;

/// A server in a folder of its own.
pub struct House {
    pub program: Program,
    serving: Option<Serving>,
    address: String,
}

/// What is pasted into an identity provider.
pub struct Connector {
    /// Its name, and that of its directory.
    pub name: String,
    /// The base URL.
    pub url: String,
    /// The token.
    pub token: String,
}

impl House {
    /// A new server on the database.
    pub fn on(database: &TestDatabase) -> House {
        let program = Program::new().with("VESTIBULE_DATABASE", &database.url);
        let serving = program.serve(&[]);
        let address = serving.url().trim_start_matches("http://").to_owned();
        House {
            program,
            serving: Some(serving),
            address,
        }
    }

    /// A new connector with a directory of its own.
    pub fn connector(&self, preset: &str) -> Connector {
        let words = [
            "connector",
            "create",
            "--name",
            preset,
            "--preset",
            preset,
            "--json",
        ];
        let made = self.program.json(&words);
        let plain = self.program.file("plain.json", PLAIN);
        let plain = plain.to_str().unwrap();
        let words = ["connector", "rules", preset, "--file", plain];
        assert_eq!(self.program.run(&words).code, 0);
        self.without_limits(preset);
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        Connector {
            name: text("name"),
            url: text("base_url"),
            token: text("token"),
        }
    }

    /// Switches the connector's safety limits off: a story may rename and remove more people than they let through.
    fn without_limits(&self, connector: &str) {
        let announced = &self.serving.as_ref().unwrap().announced;
        let token = announced["first_start"]["admin_token"].as_str().unwrap();
        let body = r#"{"settings":{"limits":{"enabled":false}}}"#;
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "PATCH /api/v1/connectors/{connector} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// A new application on a connector's directory, and a Jira that uses it.
    pub fn jira(&self, name: &str, connector: &Connector, access: &str) -> Jira {
        let words = ["application", "create", "--name", name, "--access", access];
        let words = [&words[..], &["--directory", &connector.name, "--json"]].concat();
        let made = self.program.json(&words);
        let text = |name: &str| made[name].as_str().unwrap();
        Jira::new(text("url"), text("name"), text("password")).unwrap()
    }

    /// The server URL that is typed into a product.
    pub fn crowd_url(&self) -> String {
        format!("http://{}/crowd", self.address)
    }

    /// Waits until nobody is due for evaluation any more.
    pub fn settle(&self, connector: &Connector) {
        let start = Instant::now();
        let due = || {
            let shown = self
                .program
                .json(&["connector", "show", &connector.name, "--json"]);
            shown["due"].as_u64().unwrap()
        };
        while due() > 0 {
            assert!(start.elapsed() < PATIENCE, "users stay due");
        }
    }

    /// Ends the server without any warning.
    pub fn kill(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.signal("KILL");
            serving.wait();
        }
    }

    /// Starts it again at the same address.
    pub fn start_again(&mut self) {
        self.serving = Some(self.program.serve_at(&self.address, &[]));
    }

    /// Lets Jira synchronise, which must then see exactly what was sent; and so must a Jira that reads everything anew.
    pub async fn sees(
        &self,
        jira: &mut Jira,
        connector: &Connector,
        wanted: &Picture,
    ) -> Synchronization {
        self.settle(connector);
        let done = jira.synchronize(&quietly).await.unwrap();
        let differences = wanted.differences_in_effect(&jira.picture());
        assert_eq!(differences, Vec::<String>::new(), "{done:?}");
        assert_eq!(done.skipped, Vec::<String>::new());
        done
    }
}

/// A small organization in which everything occurs.
pub fn organization(people: usize, groups: usize, seed: u64) -> Organization {
    Organization::found(&Size {
        people,
        groups,
        seed,
        domain: "example.org".to_owned(),
    })
}

/// Nothing may have failed.
pub fn clean(report: &Report) {
    let failures: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
    assert!(report.is_clean(), "{failures:#?}");
}

/// Whoever is here must be active, as they are, and in their groups; that is so for every provider, however it treats
/// those who left.
pub fn follows(picture: &Picture, organization: &Organization) {
    for person in organization
        .people()
        .iter()
        .filter(|person| person.is_here())
    {
        let user = picture
            .users
            .get(&person.login)
            .unwrap_or_else(|| panic!("{} is missing", person.login));
        assert!(user.active, "{} is inactive", person.login);
        assert_eq!(user.display_name, person.name.display);
        assert_eq!(user.email, person.email);
    }
    for group in organization.groups() {
        let here = group
            .members
            .iter()
            .filter_map(|id| organization.person(*id))
            .filter(|person| person.is_here());
        let mut wanted: Vec<&str> = here.map(|person| person.login.as_str()).collect();
        let members = picture
            .groups
            .get(&group.name)
            .unwrap_or_else(|| panic!("{} is missing", group.name));
        let is_active = |name: &&String| picture.users.get(*name).is_some_and(|user| user.active);
        let active: Vec<&str> = members
            .iter()
            .filter(is_active)
            .map(String::as_str)
            .collect();
        wanted.sort_unstable();
        assert_eq!(active, wanted, "in {}", group.name);
    }
}

/// Runs a story to its end on a runtime of its own.
pub fn tell(story: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(story);
}
