//! A small HTTP/1.1 client that costs little beside what it measures.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// No single answer takes longer, or something is wrong.
const PATIENCE: Duration = Duration::from_secs(600);

/// A request, ready to be sent again and again.
#[derive(Clone)]
pub struct Request {
    bytes: Vec<u8>,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// The cookie that it sets, as a name and its value.
    pub cookie: Option<String>,
}

/// A connection that is kept open.
pub struct Wire {
    stream: BufReader<TcpStream>,
}

impl Request {
    /// A request with the header `Authorization`, and with a body if that is not empty.
    pub fn new(method: &str, path: &str, authorization: &str, media: &str, body: &[u8]) -> Self {
        let mut bytes = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\nAccept: {media}\r\n"
        )
        .into_bytes();
        if !body.is_empty() {
            let about = format!(
                "Content-Type: {media}\r\nContent-Length: {}\r\n",
                body.len()
            );
            bytes.extend_from_slice(about.as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
        Self { bytes }
    }

    /// A page of the console, asked for by somebody who is signed in.
    pub fn page(path: &str, cookie: &str) -> Self {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n");
        Self {
            bytes: head.into_bytes(),
        }
    }

    /// A form of the console, sent by nobody in particular.
    pub fn form(path: &str, fields: &str) -> Self {
        let text = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{fields}",
            fields.len()
        );
        Self {
            bytes: text.into_bytes(),
        }
    }

    /// Method and path, for messages.
    pub fn first_line(&self) -> String {
        let line = self
            .bytes
            .split(|byte| *byte == b'\r')
            .next()
            .unwrap_or_default();
        String::from_utf8_lossy(line).into_owned()
    }
}

impl Wire {
    /// Connects to `http://HOST:PORT`.
    pub fn connect(url: &str) -> Result<Self> {
        let address = url.trim_start_matches("http://");
        let stream = TcpStream::connect(address).with_context(|| format!("cannot reach {url}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream: BufReader::with_capacity(64 * 1024, stream),
        })
    }

    /// Asks and keeps the answer's body.
    pub fn ask(&mut self, request: &Request) -> Result<Answer> {
        let mut body = Vec::new();
        let head = self.exchange(request, &mut |bytes| body.extend_from_slice(bytes))?;
        Ok(Answer {
            status: head.status,
            body,
            cookie: head.cookie,
        })
    }

    /// Asks and only counts the bytes of the body. An answer that is no success is an error that shows it.
    pub fn count(&mut self, request: &Request) -> Result<u64> {
        let (mut bytes, mut beginning) = (0, Vec::new());
        let head = self.exchange(request, &mut |part| {
            bytes += part.len() as u64;
            if beginning.len() < 400 {
                beginning.extend_from_slice(part);
            }
        })?;
        if !(200..300).contains(&head.status) {
            let text = String::from_utf8_lossy(&beginning);
            bail!("{}: answer {}: {text}", request.first_line(), head.status);
        }
        Ok(bytes)
    }

    fn exchange(&mut self, request: &Request, part: &mut dyn FnMut(&[u8])) -> Result<Head> {
        self.stream.get_mut().write_all(&request.bytes)?;
        let head = self.head()?;
        match head.length {
            Length::Known(length) => self.pass(length, part)?,
            Length::Chunked => loop {
                let size = self.line()?;
                let size =
                    u64::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)?;
                self.pass(size, part)?;
                self.line()?;
                if size == 0 {
                    break;
                }
            },
        }
        Ok(head)
    }

    fn head(&mut self) -> Result<Head> {
        let first = self.line()?;
        let status = first.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.with_context(|| format!("no status in '{first}'"))?;
        let mut head = Head {
            status,
            length: Length::Known(0),
            cookie: None,
        };
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else {
                return Ok(head);
            };
            if name.eq_ignore_ascii_case("content-length") {
                head.length = Length::Known(value.trim().parse()?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                head.length = Length::Chunked;
            } else if name.eq_ignore_ascii_case("set-cookie") {
                head.cookie = value.trim().split(';').next().map(str::to_owned);
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            bail!("the server closed the connection");
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }

    /// Reads so many bytes of a body.
    fn pass(&mut self, mut length: u64, part: &mut dyn FnMut(&[u8])) -> Result<()> {
        while length > 0 {
            let available = self.stream.fill_buf()?;
            if available.is_empty() {
                bail!("the server cut an answer short");
            }
            let taken = available
                .len()
                .min(usize::try_from(length).unwrap_or(usize::MAX));
            part(&available[..taken]);
            self.stream.consume(taken);
            length -= taken as u64;
        }
        Ok(())
    }
}

/// What comes before a body.
struct Head {
    status: u16,
    length: Length,
    cookie: Option<String>,
}

#[derive(Clone, Copy)]
enum Length {
    Known(u64),
    Chunked,
}
