//! Administrators sign in at a real OpenID provider: npm's oidc-provider, which runs here.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use reqwest::{Method, Url};

use crate::program::Program;

/// The provider's script, and what it needs with versions and hashes.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openid");
/// Where npm puts it.
const MODULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/openid");
const SECRET: &str = "a secret: with % and +\n";

/// The provider, which ends with this.
struct Provider {
    child: Child,
    issuer: String,
    /// Held open: what it writes to a closed pipe would end it.
    _output: BufReader<ChildStdout>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn works(program: &str) -> bool {
    let asked = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

/// The folder with the packages of the lock file; they are fetched once.
fn modules() -> PathBuf {
    let place = Path::new(MODULES);
    let lock = std::fs::read_to_string(Path::new(FOLDER).join("package-lock.json")).unwrap();
    let stamp = place.join("made-from");
    if std::fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == lock) {
        return place.to_owned();
    }
    std::fs::create_dir_all(place).unwrap();
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(Path::new(FOLDER).join(file), place.join(file)).unwrap();
    }
    let words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    let fetched = Command::new("npm").current_dir(place).args(words).output();
    let fetched = fetched.unwrap();
    assert!(fetched.status.success(), "{fetched:?}");
    std::fs::write(stamp, lock).unwrap();
    place.to_owned()
}

impl Provider {
    fn start(redirect_uri: &str) -> Provider {
        let mut child = Command::new("node")
            .arg(Path::new(FOLDER).join("provider.js"))
            .arg(redirect_uri)
            .env("OPENID_MODULES", modules())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut issuer = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut issuer).unwrap();
        let issuer = issuer.trim().to_owned();
        assert!(issuer.starts_with("http://"), "the provider did not start");
        Provider {
            child,
            issuer,
            _output: output,
        }
    }
}

/// A browser without scripts, which keeps cookies for each host.
struct Browser {
    client: reqwest::Client,
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

struct Page {
    url: Url,
    status: u16,
    text: String,
}

impl Browser {
    fn new() -> Browser {
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        Browser {
            client: client.build().unwrap(),
            cookies: BTreeMap::new(),
        }
    }

    /// Asks once. A redirect is told, not followed.
    async fn ask(&mut self, method: Method, url: &Url, form: &[(&str, &str)]) -> Page {
        let jar = self.cookies.entry(url.authority().to_owned()).or_default();
        let cookies: Vec<String> = jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut body = Url::parse("form:").unwrap();
        body.query_pairs_mut().extend_pairs(form);
        let request = self
            .client
            .request(method, url.clone())
            .header("Cookie", cookies.join("; "))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body.query().unwrap_or_default().to_owned());
        let answer = request.send().await.unwrap();
        for set in answer.headers().get_all("set-cookie") {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() || set.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        let status = answer.status().as_u16();
        let next = answer.headers().get("location");
        let next = next.map(|next| url.join(next.to_str().unwrap()).unwrap());
        Page {
            url: next.unwrap_or_else(|| url.clone()),
            status,
            text: answer.text().await.unwrap(),
        }
    }

    /// Looks at a page, wherever that leads.
    async fn look(&mut self, url: &Url) -> Page {
        let mut page = self.ask(Method::GET, url, &[]).await;
        while (300..400).contains(&page.status) {
            page = self.ask(Method::GET, &page.url.clone(), &[]).await;
        }
        page
    }

    /// Goes to the provider and signs in there as somebody; gives what the server says then.
    async fn sign_in(&mut self, server: &Url, person: &str) -> Page {
        let begin = server
            .join("/console/sign-in/openid?next=/console/journal")
            .unwrap();
        let mut there = self.ask(Method::GET, &begin, &[]).await.url;
        assert_ne!(there.authority(), server.authority());
        there.query_pairs_mut().append_pair("login_hint", person);
        self.look(&there).await
    }
}

fn form_token(page: &Page) -> String {
    let (_, rest) = page
        .text
        .split_once("name=\"form_token\" value=\"")
        .unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn administrators_sign_in_at_their_own_provider() {
    if !works("node") || !works("npm") {
        println!("skipped: there is no Node.js with npm; 'cargo xtask test' installs Debian's");
        return;
    }
    let program = Program::new().with("VESTIBULE_OUTBOUND_ALLOW", "127.0.0.1");
    let serving = program.serve(&[]);
    let server = Url::parse(serving.url()).unwrap();
    let callback = server.join("/console/sign-in/openid/callback").unwrap();
    let provider = Provider::start(callback.as_str());
    let secret = program.file("secret", SECRET);
    let set = |groups: &[&str]| {
        let mut words = vec![
            "admin",
            "openid",
            "set",
            "--json",
            "--issuer",
            &provider.issuer,
        ];
        words.extend([
            "--client-id",
            "vestibule",
            "--label",
            "Example & Sons",
            "--secret-file",
        ]);
        words.push(secret.to_str().unwrap());
        for group in groups {
            words.extend(["--group", group]);
        }
        program.json(&words)
    };
    let shown = set(&["admins=owner", "staff=auditor"]);
    assert_eq!(shown["redirect_uri"], callback.as_str());
    assert_eq!(shown["has_secret"], true);
    assert!(!shown.to_string().contains("with %"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let page = |path: &str| server.join(path).unwrap();
        let mut ann = Browser::new();
        let door = ann.look(&page("/console")).await;
        assert!(
            door.text
                .contains("Sign in with <bdi>Example &#38; Sons</bdi>"),
            "{}",
            door.text
        );
        let back = ann.sign_in(&server, "ann:other,admins").await;
        assert_eq!(
            back.status,
            200,
            "{}",
            program.run(&["audit", "list", "--json"]).out
        );
        assert!(back.text.contains("content=\"0;url=/console/journal\""));
        assert_eq!(
            ann.look(&page("/console/journal")).await.url.path(),
            "/console/journal"
        );
        let home = ann.look(&page("/console")).await;
        assert!(
            home.text.contains("ann</a> <span class=\"role\">owner"),
            "{}",
            home.text
        );
        assert!(
            ann.look(&page("/console/account"))
                .await
                .text
                .contains("You sign in at")
        );
        let checked = ann
            .look(&page("/console/administrators/openid?check=yes"))
            .await;
        assert!(
            checked.text.contains("The provider answers"),
            "{}",
            checked.text
        );

        // What comes back is good once, and only for the browser that went.
        let again = Browser::new().ask(Method::GET, &back.url, &[]).await;
        assert_eq!((again.status, again.url.path()), (303, "/console/sign-in"));
        let again = ann.ask(Method::GET, &back.url, &[]).await;
        assert_eq!((again.status, again.url.path()), (303, "/console/sign-in"));
        let mut other = Browser::new();
        other
            .ask(Method::GET, &page("/console/sign-in/openid"), &[])
            .await;
        assert_eq!(other.ask(Method::GET, &back.url, &[]).await.status, 401);

        // Groups decide, at each sign-in.
        let nobody = Browser::new().sign_in(&server, "carol:other").await;
        assert_eq!(nobody.status, 403);
        assert!(nobody.text.contains("none of your groups has a role here"));
        let refused = Browser::new().sign_in(&server, "").await;
        assert_eq!(refused.status, 401, "{}", refused.text);
        let mut bob = Browser::new();
        bob.sign_in(&server, "bob:staff").await;
        assert!(
            bob.look(&page("/console"))
                .await
                .text
                .contains("<span class=\"role\">auditor")
        );
        let mut bob_later = Browser::new();
        bob_later.sign_in(&server, "bob:staff,admins").await;
        assert!(
            bob_later
                .look(&page("/console"))
                .await
                .text
                .contains("<span class=\"role\">owner")
        );
        assert_eq!(
            bob.look(&page("/console")).await.url.path(),
            "/console/sign-in"
        );

        // Out, here and there.
        let token = form_token(&home);
        let left = ann
            .ask(
                Method::POST,
                &page("/console/sign-out"),
                &[("form_token", &token)],
            )
            .await;
        assert_eq!((left.status, left.url.query()), (303, Some("left=true")));
        let door = ann.look(&left.url).await;
        assert!(door.text.contains("/console/sign-in/openid/sign-out"));
        let there = ann
            .ask(Method::GET, &page("/console/sign-in/openid/sign-out"), &[])
            .await;
        assert_eq!(there.url.path(), "/session/end");
        assert_eq!(ann.look(&there.url).await.status, 200);

        // A name that somebody has is not taken over.
        let all = program.json(&["admin", "list", "--json"]);
        let names: Vec<&str> = all["administrators"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["ann", "bob"]);

        // Who is signed in where is seen, and ended.
        let sessions = program.json(&["admin", "sessions", "bob", "--json"]);
        let newest = &sessions.as_array().unwrap()[0];
        assert_eq!(newest["address"], "127.0.0.1");
        let told = program.run(&["admin", "sessions", "bob"]);
        assert!(
            told.out.contains(newest["id"].as_str().unwrap()),
            "{told:?}"
        );
        let ended = program.run(&["admin", "end-sessions", "ann"]);
        assert_eq!(ended.out.trim(), "0 sessions are ended.");
        let unknown = ["admin", "end-sessions", "bob", "--session", "nothing"];
        assert_eq!(program.run(&unknown).code, 3, "{:?}", program.run(&unknown));
        for words in [
            &["admin", "reset", "ann"][..],
            &["admin", "role", "ann", "auditor"],
        ] {
            let refused = program.run(words);
            assert!(refused.err.contains("signs in at"), "{refused:?}");
        }
        let audit = program.json(&["audit", "list", "--action", "sign_in_openid", "--json"]);
        let done = audit
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["succeeded"] == true);
        assert_eq!(done.count(), 3);

        // A provider that is forgotten opens nothing.
        assert_eq!(program.run(&["admin", "openid", "delete"]).code, 0);
        assert_eq!(
            bob_later.look(&page("/console")).await.url.path(),
            "/console/sign-in"
        );
        assert!(
            !bob_later
                .look(&page("/console/sign-in"))
                .await
                .text
                .contains("Example")
        );
    });
}
