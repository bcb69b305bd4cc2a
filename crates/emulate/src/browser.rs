//! A headless Chromium that does what it is told by WebDriver, as somebody at a console would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

mod crawl;

pub use crawl::{Seen, crawl};

/// Serves the driver until the end of its input; see there.
const KEEPER: &str = include_str!("browser.sh");
/// Where Debian puts them.
const DRIVERS: &[&str] = &["/usr/bin/chromedriver", "/usr/local/bin/chromedriver"];
const BROWSERS: &[&str] = &[
    "/usr/bin/chromium",
    "/usr/bin/google-chrome",
    "/usr/bin/chrome",
];
/// The name under which WebDriver hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How long something may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long an answer may take, a page that loads included.
const ANSWER: Duration = Duration::from_secs(60);
/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Why the browser did not do it.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// Chromium or its driver is not installed.
    #[error(
        "{0} is not installed: `apt-get install chromium chromium-driver` brings both, and so does `cargo xtask test`"
    )]
    Missing(&'static str),
    /// The driver cannot be started or spoken to.
    #[error("the driver of the browser: {0}")]
    Driver(#[from] std::io::Error),
    /// It answered something else than was expected.
    #[error("the browser answered {0}")]
    Answer(String),
    /// It did not come to it in time.
    #[error("in vain waited for {what}, at {at}:\n{shown}")]
    Patience {
        /// What was waited for.
        what: String,
        /// The address of the page.
        at: String,
        /// What the page shows.
        shown: String,
    },
}

/// What kind of browser it is to be.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    /// Whether pages may run scripts.
    pub scripts: bool,
}

/// A browser with one window. It ends with this value, and also when the process ends without dropping it.
pub struct Browser {
    keeper: Child,
    port: u16,
    session: String,
}

impl Browser {
    /// A browser that runs scripts.
    pub fn start() -> Result<Browser, BrowserError> {
        Browser::with(Wishes { scripts: true })
    }

    /// A browser of this kind.
    pub fn with(wishes: Wishes) -> Result<Browser, BrowserError> {
        let driver = there(DRIVERS).ok_or(BrowserError::Missing("chromedriver"))?;
        let binary = there(BROWSERS).ok_or(BrowserError::Missing("chromium"))?;
        let mut keeper = Command::new("bash")
            .args(["-c", KEEPER, "browser", driver])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = keeper.stdout.take();
        let port = output.and_then(|output| announced_port(BufReader::new(output)));
        let mut browser = Browser {
            keeper,
            port: port.ok_or_else(|| BrowserError::Answer("no port".to_owned()))?,
            session: String::new(),
        };
        let mut prefs = json!({});
        if !wishes.scripts {
            prefs["profile.managed_default_content_settings.javascript"] = json!(2);
        }
        let options = json!({
            "binary": binary,
            "prefs": prefs,
            // Nothing but the pages under test is to be reached.
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", "--hide-scrollbars", "--force-prefers-reduced-motion",
                "--proxy-server=direct://"
            ]
        });
        let wish = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let made = browser.call("POST", "/session", &wish)?;
        let id = made["sessionId"].as_str();
        browser.session = id
            .ok_or_else(|| BrowserError::Answer(made.to_string()))?
            .to_owned();
        browser.size(1440, 900)?;
        Ok(browser)
    }

    /// Opens an address and waits until it is loaded.
    pub fn open(&self, url: &str) -> Result<(), BrowserError> {
        self.post("url", &json!({ "url": url })).map(drop)
    }

    /// The address of the page.
    pub fn url(&self) -> Result<String, BrowserError> {
        let url = self.call(
            "GET",
            &format!("/session/{}/url", self.session),
            &Value::Null,
        )?;
        Ok(url.as_str().unwrap_or_default().to_owned())
    }

    /// Runs a script, which gives something back by `return`; what is given to it is `arguments`.
    pub fn run(&self, script: &str, arguments: &[Value]) -> Result<Value, BrowserError> {
        self.post(
            "execute/sync",
            &json!({ "script": script, "args": arguments }),
        )
    }

    /// Whether anything is there that this selector matches.
    pub fn has(&self, selector: &str) -> Result<bool, BrowserError> {
        let found = self.post(
            "elements",
            &json!({ "using": "css selector", "value": selector }),
        )?;
        Ok(found.as_array().is_some_and(|all| !all.is_empty()))
    }

    /// Clicks on the first match, once it is there.
    pub fn click(&self, selector: &str) -> Result<(), BrowserError> {
        self.click_on("css selector", selector)
    }

    /// Clicks on the link that has this text.
    pub fn follow(&self, text: &str) -> Result<(), BrowserError> {
        self.click_on("link text", text)
    }

    /// Types into the first match.
    pub fn enter(&self, selector: &str, text: &str) -> Result<(), BrowserError> {
        let element = self.element("css selector", selector)?;
        self.post(&format!("element/{element}/clear"), &json!({}))?;
        self.post(
            &format!("element/{element}/value"),
            &json!({ "text": text }),
        )
        .map(drop)
    }

    /// The text of the first match as it is shown.
    pub fn text(&self, selector: &str) -> Result<String, BrowserError> {
        let element = self.element("css selector", selector)?;
        let path = format!("/session/{}/element/{element}/text", self.session);
        let text = self.call("GET", &path, &Value::Null)?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the page shows this text.
    pub fn wait_for(&self, text: &str) -> Result<(), BrowserError> {
        self.wait_until(text, || Ok(self.shown()?.contains(text)))
    }

    /// All the text that the page shows.
    pub fn shown(&self) -> Result<String, BrowserError> {
        self.text("body")
    }

    /// Waits until something is so.
    pub fn wait_until(
        &self,
        what: &str,
        is_so: impl Fn() -> Result<bool, BrowserError>,
    ) -> Result<(), BrowserError> {
        let begun = Instant::now();
        loop {
            // While a page is replaced by the next one, nothing on it can be asked for.
            if is_so().unwrap_or(false) {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                return Err(BrowserError::Patience {
                    what: what.to_owned(),
                    at: self.url()?,
                    shown: self.shown().unwrap_or_default(),
                });
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Gives the window another size.
    pub fn size(&self, width: u32, height: u32) -> Result<(), BrowserError> {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics)
            .map(drop)
    }

    /// Lets pages be told that a dark scheme is liked, or a light one.
    pub fn dark(&self, dark: bool) -> Result<(), BrowserError> {
        let value = if dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.devtools("Emulation.setEmulatedMedia", &features)
            .map(drop)
    }

    /// A picture of the whole page, as PNG.
    pub fn picture(&self) -> Result<Vec<u8>, BrowserError> {
        self.pictured(true)
    }

    /// A picture of what the window shows of the page, as PNG.
    pub fn view(&self) -> Result<Vec<u8>, BrowserError> {
        self.pictured(false)
    }

    fn pictured(&self, whole: bool) -> Result<Vec<u8>, BrowserError> {
        let wish = json!({ "format": "png", "captureBeyondViewport": whole });
        let taken = self.devtools("Page.captureScreenshot", &wish)?;
        let data = taken["data"].as_str().unwrap_or_default();
        let decoded = STANDARD.decode(data);
        decoded.map_err(|error| BrowserError::Answer(format!("no picture: {error}")))
    }

    /// Clicks; what is replaced by the next page between being found and being clicked on is looked for again.
    fn click_on(&self, using: &str, value: &str) -> Result<(), BrowserError> {
        let begun = Instant::now();
        loop {
            let element = self.element(using, value)?;
            match self.post(&format!("element/{element}/click"), &json!({})) {
                Err(BrowserError::Answer(why))
                    if why.starts_with("stale element") && begun.elapsed() < PATIENCE => {}
                done => return done.map(drop),
            }
        }
    }

    fn element(&self, using: &str, value: &str) -> Result<String, BrowserError> {
        let wish = json!({ "using": using, "value": value });
        let begun = Instant::now();
        loop {
            match self.post("element", &wish) {
                Ok(found) => return Ok(found[ELEMENT].as_str().unwrap_or_default().to_owned()),
                Err(_absent) if begun.elapsed() < PATIENCE => std::thread::sleep(LOOK_EVERY),
                Err(error) => return Err(error),
            }
        }
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Result<Value, BrowserError> {
        self.post(
            "goog/cdp/execute",
            &json!({ "cmd": command, "params": parameters }),
        )
    }

    fn post(&self, what: &str, body: &Value) -> Result<Value, BrowserError> {
        self.call("POST", &format!("/session/{}/{what}", self.session), body)
    }

    /// One request to the driver, on a connection of its own.
    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, BrowserError> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(ANSWER))?;
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.port,
            body.len()
        )?;
        let text = answered(BufReader::new(stream))?;
        let answer: Value = serde_json::from_str(&text)
            .map_err(|error| BrowserError::Answer(format!("{error}: {text}")))?;
        let value = &answer["value"];
        match value["error"].as_str() {
            None => Ok(value.clone()),
            Some(error) => {
                let message = value["message"].as_str().unwrap_or_default();
                let message = message.lines().next().unwrap_or_default();
                Err(BrowserError::Answer(format!("{error}: {message}")))
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ended = self.call(
            "DELETE",
            &format!("/session/{}", self.session),
            &Value::Null,
        );
        drop(self.keeper.stdin.take());
        let _gone = self.keeper.wait();
    }
}

/// The body of an answer. The driver keeps its connections open, so its length is what its head says.
fn answered(mut stream: BufReader<TcpStream>) -> std::io::Result<String> {
    let mut length = 0;
    let mut line = String::new();
    while stream.read_line(&mut line)? > 0 && line != "\r\n" {
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or_default();
        }
        line.clear();
    }
    let mut body = String::new();
    stream.take(length).read_to_string(&mut body)?;
    Ok(body)
}

fn there(places: &[&'static str]) -> Option<&'static str> {
    places
        .iter()
        .copied()
        .find(|place| std::path::Path::new(place).exists())
}

/// The port in the line "... was started successfully on port 12345." What comes after is read and dropped, so that the
/// driver never waits for a reader.
fn announced_port(mut output: BufReader<impl Read + Send + 'static>) -> Option<u16> {
    let mut line = String::new();
    while output.read_line(&mut line).ok()? > 0 {
        if let Some((_, port)) = line.trim_end().split_once("successfully on port ") {
            std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
            return port.trim_end_matches('.').parse().ok();
        }
        line.clear();
    }
    None
}
