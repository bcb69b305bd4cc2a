//! `vestibule backup` and `vestibule restore`: from a server to another folder, by hand as people do it.

use std::path::Path;
use std::time::{Duration, Instant};

use emulate::databases::on_each_database;
use reqwest::{Body, Client, Method};
use serde_json::{Value, json};

use crate::house::tell;
use crate::program::Program;

/// How long a server may take to begin anew.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_backup_of_a_server_becomes_another_server() {
    let old = Program::new();
    let serving = old.serve(&[]);
    let token = serving.announced["first_start"]["admin_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let made = old.run(&["application", "create", "--name", "jira"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let file = place("everything.backup");
    let remote = ["--server", serving.url(), "--token", &token];
    let taken = old.json(&[&["backup", &file, "--json"][..], &remote].concat());
    assert!(taken["rows"].as_u64().unwrap() > 5, "{taken}");
    // It never overwrites a file, and takes one of the data folder as well.
    assert_eq!(old.run(&["backup", &file]).code, 4);
    let beside = place("beside.backup");
    assert_eq!(old.run(&["backup", &beside]).code, 0);
    assert!(!std::path::Path::new(&place("beside.backup.part")).exists());
    // A server that runs is not replaced.
    let refused = old.run(&["restore", &file, "--replace"]);
    assert_eq!(refused.code, 5, "{}", refused.err);
    serving.signal("TERM");
    serving.wait();

    let new = Program::new();
    let restored = new.json(&["restore", &file, "--json"]);
    assert_eq!(restored["rows"], taken["rows"]);
    assert!(restored["right_key"].is_null());
    let listed = new.run(&["application", "list"]);
    assert!(listed.out.contains("jira"), "{}", listed.out);
    let again = new.run(&["restore", &beside]);
    assert_eq!(again.code, 4);
    assert!(again.err.contains("--replace"), "{}", again.err);
    let again = new.json(&["restore", &beside, "--replace", "--json"]);
    assert_eq!(again["replaced"], true);
    // By now a command has made a key here, which is another one.
    assert_eq!(again["right_key"], false);

    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 9]).unwrap();
    let cut = new.run(&["restore", &file, "--check"]);
    assert_eq!(cut.code, 1);
    assert!(cut.err.contains("not whole"), "{}", cut.err);
}

/// The admin API of a server, asked as a script would.
struct Api {
    client: Client,
    base: String,
    token: String,
}

impl Api {
    async fn send(&self, method: Method, path: &str, body: impl Into<Body>, kind: &str) -> Value {
        let request = self.client.request(method, format!("{}{path}", self.base));
        let request = request.bearer_auth(&self.token).body(body);
        let answer = request.header("Content-Type", kind).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, "", "application/json").await
    }

    async fn stage(&self, file: &Path) -> Value {
        let bytes = std::fs::read(file).unwrap();
        let kind = "application/octet-stream";
        self.send(Method::PUT, "/backup/staged", bytes, kind).await
    }

    async fn restore(&self, staged: &Value) {
        let wish = json!({"sha256": staged["sha256"]}).to_string();
        let path = "/backup/staged/restore";
        self.send(Method::POST, path, wish, "application/json")
            .await;
    }

    /// Asks until the answer is so. Nobody is refused while the server begins anew.
    async fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let answer = self.get(path).await;
            if is_so(&answer) {
                return answer;
            }
            assert!(start.elapsed() < PATIENCE, "{path} stays {answer}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[test]
fn a_server_begins_anew_with_a_backup() {
    on_each_database(|database| {
        let program = Program::new().with("VESTIBULE_DATABASE", &database.url);
        let serving = program.serve(&["--data", "data"]);
        let token = serving.announced["first_start"]["admin_token"].as_str();
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0);
        let api = Api {
            client: client.build().unwrap(),
            base: format!("{}/api/v1", serving.url()),
            token: token.unwrap().to_owned(),
        };
        let create = |name: &str| {
            let words = ["application", "create", "--data", "data", "--name", name];
            assert_eq!(program.run(&words).code, 0);
        };
        let (file, lies) = (
            program.folder().join("everything.backup"),
            program.folder().join("data/restore.backup"),
        );
        create("kept");
        let taken = program.run(&["backup", "everything.backup", "--data", "data"]);
        assert_eq!(taken.code, 0, "{}", taken.err);
        create("later");
        let has = |listed: &Value, name: &str| listed.to_string().contains(name);
        tell(async {
            // One that cannot be restored after all leaves everything as it is, and that is told.
            let staged = api.stage(&file).await;
            std::fs::write(&lies, b"something else").unwrap();
            api.restore(&staged).await;
            let failed = api.until("/backup/staged", |it| !it["failed"].is_null());
            let failed = failed.await;
            let why = failed["failed"]["why"].as_str().unwrap();
            assert!(why.contains("not a backup"), "{why}");
            assert!(failed["backup"].is_null() && !lies.exists());
            assert!(has(&api.get("/applications").await, "later"));
            let told = api.get("/audit?action=restore_backup").await;
            assert_eq!(told["items"][0]["succeeded"], false, "{told}");

            let staged = api.stage(&file).await;
            api.restore(&staged).await;
            let listed = api.until("/applications", |it| !has(it, "later")).await;
            assert!(has(&listed, "kept"));
            let told = api.get("/audit?action=restore_backup").await;
            let items = told["items"].as_array().unwrap();
            assert!(items.len() == 1 && items[0]["succeeded"] == true, "{told}");
            assert!(!lies.exists());
        });
        serving.signal("TERM");
        serving.wait();
    });
}
