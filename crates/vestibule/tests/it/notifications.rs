//! Mail to administrators, taken by a real mail server: PyPI's aiosmtpd, which runs here.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::program::Program;

/// The server's script, and what it needs with versions and hashes.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail");
/// Where pip puts it.
const ENVIRONMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/mail");
const USER: &str = "vestibule";
const PASSWORD: &str = "violet: anchor with % and +";

/// The mail server, which ends with this.
struct MailServer {
    child: Child,
    port: u16,
    /// The certificate of its authority.
    authority: String,
    output: BufReader<ChildStdout>,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn works(arguments: &[&str]) -> bool {
    let asked = Command::new("python3")
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

fn done(command: &mut Command) {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

/// Python with the packages of the lock file; they are fetched once.
fn python() -> PathBuf {
    let place = Path::new(ENVIRONMENT);
    let program = place.join("bin/python");
    let lock = Path::new(FOLDER).join("requirements.txt");
    let text = std::fs::read_to_string(&lock).unwrap();
    let stamp = place.join("made-from");
    if std::fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == text) {
        return program;
    }
    done(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(place),
    );
    let words = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    let sure = [
        "--only-binary",
        ":all:",
        "--require-hashes",
        "--requirement",
    ];
    done(Command::new(&program).args(words).args(sure).arg(lock));
    std::fs::write(stamp, text).unwrap();
    program
}

impl MailServer {
    fn start(folder: &Path) -> MailServer {
        let mut child = Command::new(python())
            .arg(Path::new(FOLDER).join("server.py"))
            .arg(folder)
            .args([USER, PASSWORD])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = MailServer {
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            port: 0,
            authority: String::new(),
        };
        let told = server.next();
        server.port = told["port"].as_u64().unwrap().try_into().unwrap();
        server.authority = told["authority"].as_str().unwrap().to_owned();
        server
    }

    /// What it prints next: a mail that it took.
    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }
}

#[test]
fn a_mail_server_takes_what_administrators_are_told() {
    if !works(&["-c", "import ensurepip, venv"]) {
        eprintln!("skipped: there is no Python with virtual environments; see cargo xtask tools");
        return;
    }
    let certificates = tempfile::tempdir().unwrap();
    let mut mail = MailServer::start(certificates.path());
    let program = Program::new()
        .with("SSL_CERT_FILE", &mail.authority)
        .with("VESTIBULE_OUTBOUND_ALLOW", "127.0.0.1,::1")
        .with("VESTIBULE_PUBLIC_URL", "https://scim.example.com");
    drop(program.serve(&[]));
    program.file("password", PASSWORD);
    program.file("wrong", "a guess");
    let port = mail.port.to_string();
    let channel = |command: &str, secret: &str| {
        let words = [
            "notifications",
            command,
            "operations",
            "--mail-server",
            "localhost",
            "--port",
            &port,
            "--username",
            USER,
            "--secret",
            secret,
            "--from",
            "vestibule@example.com",
            "--to",
            "ann@example.com",
            "--to",
            "bob@example.com",
            "--json",
        ];
        program.json(&words)
    };
    channel("create", "file:wrong");
    let test = ["notifications", "test", "operations"];
    let refused = program.run(&test);
    assert!(
        refused.code != 0 && refused.err.contains("535"),
        "{refused:?}"
    );
    assert!(!refused.err.contains("a guess"), "{refused:?}");
    channel("set", "file:password");
    let tested = program.run(&test);
    assert!(tested.out.contains("250 taken by the test"), "{tested:?}");
    let taken = mail.next();
    assert_eq!(taken["encrypted"], true);
    assert_eq!(taken["from"], "vestibule@example.com");
    assert_eq!(
        taken["to"],
        serde_json::json!(["ann@example.com", "bob@example.com"])
    );
    assert_eq!(taken["subject"], "Vestibule: a test message");
    assert_eq!(taken["automatic"], "auto-generated");

    // Who cannot prove to be the server gets no password, and this machine is called by leave alone.
    let data = program.folder().join("vestibule-data");
    let elsewhere = |name: &str, value: &str| {
        let other = Program::new().with(name, value);
        let words = [&test[..], &["--data", data.to_str().unwrap()]].concat();
        other.run(&words)
    };
    let stranger = elsewhere("VESTIBULE_OUTBOUND_ALLOW", "127.0.0.1,::1");
    assert!(
        stranger.code != 0 && stranger.err.contains("certificate"),
        "{stranger:?}"
    );
    let refused = elsewhere("SSL_CERT_FILE", &mail.authority);
    assert!(
        refused.code != 0 && refused.err.contains("outbound_allow"),
        "{refused:?}"
    );
    assert!(refused.err.contains("--server"), "{refused:?}");

    // The running server tells by itself what stands, once.
    program.json(&[
        "token", "create", "--label", "sändare", "--role", "auditor", "--days", "5", "--json",
    ]);
    let serving = program.serve(&[]);
    let told = mail.next();
    let subject = told["subject"].as_str().unwrap();
    assert!(
        subject.starts_with("Vestibule: The token sändare of the admin API ends on "),
        "{told}"
    );
    let text = told["text"].as_str().unwrap();
    assert!(
        text.contains("https://scim.example.com/console/tokens"),
        "{told}"
    );
    assert!(told["id"].as_str().unwrap().starts_with("<msg_"), "{told}");
    // A second start looks again, and sends nothing but what is asked for.
    drop(serving);
    let _serving = program.serve(&[]);
    let tested = program.run(&test);
    assert_eq!(tested.code, 0, "{tested:?}");
    assert_eq!(mail.next()["subject"], "Vestibule: a test message");
    let listed = program.run(&["notifications", "list"]);
    assert!(listed.out.contains("working"), "{listed:?}");
    let deleted = program.run(&["notifications", "delete", "Operations"]);
    assert_eq!(deleted.code, 0, "{deleted:?}");
    assert_eq!(
        program.json(&["notifications", "list", "--json"]),
        serde_json::json!([])
    );
}
