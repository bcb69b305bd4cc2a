//! A client that shows what went over the wire, and notices an answer that was cut off.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request being put together.
#[derive(Clone)]
pub struct Ask {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Ask {
    pub fn new(method: &str, target: impl Into<String>) -> Ask {
        Ask {
            method: method.to_owned(),
            target: target.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Ask {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Ask {
        self.body = body.into();
        self
    }

    /// Sends it on a connection of its own and reads all that comes back.
    pub async fn send(self, address: &str) -> Answer {
        let mut stream = self.write(address, "close").await;
        let mut raw = Vec::new();
        let ended = stream.read_to_end(&mut raw).await;
        Answer::parse(&raw, ended.is_ok())
    }

    /// Sends it on a connection of its own and closes that after a while, whatever comes back. A server notices that only
    /// of a connection on which more could come.
    pub async fn send_and_hang_up(self, address: &str, after: Duration) {
        let stream = self.write(address, "keep-alive").await;
        tokio::time::sleep(after).await;
        drop(stream);
    }

    async fn write(self, address: &str, connection: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: {address}\r\nConnection: {connection}\r\nContent-Length: {}\r\n",
            self.method,
            self.target,
            self.body.len()
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // A server that refuses a large body may answer and close before it has read it.
        let _early = stream.write_all(&self.body).await;
        stream
    }
}

/// Sends messages as they are, one after the other on one connection, and reads an answer after each.
pub async fn raw(address: &str, messages: &[&[u8]]) -> Vec<Answer> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answers = Vec::new();
    for message in messages {
        stream.write_all(message).await.unwrap();
        let mut read = Vec::new();
        let mut chunk = [0; 4096];
        let answer = loop {
            let length = stream.read(&mut chunk).await.unwrap();
            read.extend_from_slice(&chunk[..length]);
            if read.windows(4).any(|four| four == b"\r\n\r\n") {
                let answer = Answer::parse(&read, true);
                if answer.complete || length == 0 {
                    break answer;
                }
            }
            assert!(length > 0, "the connection ended before an answer");
        };
        answers.push(answer);
    }
    answers
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// False if the connection broke before the answer's own end.
    pub complete: bool,
    /// True if it came in chunks.
    pub chunked: bool,
    headers: Vec<(String, String)>,
}

impl Answer {
    fn parse(raw: &[u8], ended: bool) -> Answer {
        let end = raw
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("an answer with a head");
        let head = std::str::from_utf8(&raw[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Answer {
            status,
            body: Vec::new(),
            complete: ended,
            chunked: false,
            headers,
        };
        answer.chunked = answer.header("transfer-encoding") == Some("chunked");
        let rest = &raw[end + 4..];
        if answer.chunked {
            answer.complete = unchunk(rest, &mut answer.body);
        } else {
            answer.body = rest.to_vec();
            let length = answer
                .header("content-length")
                .and_then(|length| length.parse().ok());
            answer.complete = ended && length.is_none_or(|length: usize| length == rest.len());
        }
        answer
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// All that stand under one name.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.headers.iter().filter(move |(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// Puts chunks together; false if the last one is missing.
fn unchunk(mut rest: &[u8], body: &mut Vec<u8>) -> bool {
    loop {
        let Some(line) = rest.windows(2).position(|two| two == b"\r\n") else {
            return false;
        };
        let length = std::str::from_utf8(&rest[..line]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        let chunk = line + 2;
        if rest.len() < chunk + length + 2 {
            return false;
        }
        if length == 0 {
            return true;
        }
        body.extend_from_slice(&rest[chunk..chunk + length]);
        rest = &rest[chunk + length + 2..];
    }
}
