//! The client: requests made beforehand, one connection kept open, answers drained rather than read.
//!
//! It shares the machine with the server, so it must cost next to nothing: no parser beyond the head and
//! the chunk sizes, no copy of the body beyond its first bytes.

use anyhow::{Context as _, Result, anyhow, bail};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// No single answer may take longer: the whole bench is bounded.
const PATIENCE: Duration = Duration::from_secs(150);
const BUFFER: usize = 256 * 1024;
/// Bytes of each body that are kept: enough to say what went wrong.
const KEPT: usize = 1024;

/// How answers begin: an event that was added or is viewed.
pub const ADDED: &str = r#"{"Event":{"#;
/// An attribute that was added.
pub const ADDED_ATTRIBUTE: &str = r#"{"Attribute":{"#;
/// A search that found something.
pub const FOUND: &str = r#"{"response":{"Attribute":[{"#;
/// A list of events that is not empty.
pub const LISTED: &str = "[{";

/// A request as it goes over the wire.
pub struct Request(Vec<u8>);

impl Request {
    /// A GET with the key of the administrator.
    pub fn get(path: &str, key: &str) -> Self {
        Self(head("GET", path, key, 0).into_bytes())
    }

    /// A POST of JSON.
    pub fn post(path: &str, key: &str, body: &[u8]) -> Self {
        let head = head("POST", path, key, body.len());
        let mut bytes = Vec::with_capacity(head.len() + body.len());
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(body);
        Self(bytes)
    }
}

fn head(method: &str, path: &str, key: &str, length: usize) -> String {
    let body = if method == "GET" {
        String::new()
    } else {
        format!("Content-Type: application/json\r\nContent-Length: {length}\r\n")
    };
    format!(
        "{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: {key}\r\nAccept: application/json\r\n{body}\r\n"
    )
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// `X-Result-Count`.
    pub count: Option<u64>,
    /// From the first byte sent to the first byte of the body. Not from the last byte sent: a woken server may
    /// push this thread aside before it looks at the clock, and the wait would seem to be nothing.
    pub first_byte: Duration,
    /// From the first byte sent to the last byte received.
    pub took: Duration,
    /// Length of the body.
    pub bytes: u64,
    /// How the body begins.
    pub start: Vec<u8>,
}

impl Answer {
    /// The answer, if it is a 200 that begins as it must. A server that says yes to everything is fast, and
    /// its figures would be worth nothing.
    pub fn ok(self, what: &str, begins: &str) -> Result<Self> {
        if self.status == 200 && self.start.starts_with(begins.as_bytes()) {
            return Ok(self);
        }
        let said = String::from_utf8_lossy(&self.start);
        Err(anyhow!("{what} was answered {}: {}", self.status, said.chars().take(600).collect::<String>()))
    }
}

/// One connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// What of the buffer is received and not yet used.
    filled: std::ops::Range<usize>,
}

/// How a body ends.
enum Framing {
    Length(u64),
    Chunks,
}

impl Client {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; BUFFER], filled: 0..0 })
    }

    /// Sends a request and drains its answer.
    pub fn send(&mut self, request: &Request) -> Result<Answer> {
        let begun = Instant::now();
        self.stream.write_all(&request.0).context("send the request")?;
        let (status, count, framing) = self.head()?;
        let mut answer = Answer {
            status,
            count,
            first_byte: Duration::ZERO,
            took: Duration::ZERO,
            bytes: 0,
            start: Vec::new(),
        };
        match framing {
            Framing::Length(length) => self.drain(length, begun, &mut answer)?,
            Framing::Chunks => {
                loop {
                    let line = self.line()?;
                    let digits = line.split(';').next().unwrap_or_default().trim();
                    let size = u64::from_str_radix(digits, 16)
                        .with_context(|| format!("a chunk of size '{line}'"))?;
                    if size == 0 {
                        break;
                    }
                    self.drain(size, begun, &mut answer)?;
                    self.line()?;
                }
                while !self.line()?.is_empty() {}
            }
        }
        if answer.bytes == 0 {
            answer.first_byte = begun.elapsed();
        }
        answer.took = begun.elapsed();
        Ok(answer)
    }

    fn head(&mut self) -> Result<(u16, Option<u64>, Framing)> {
        let status = self.line()?;
        let code = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let code = code.with_context(|| format!("not a status line: '{status}'"))?;
        let (mut count, mut framing) = (None, None);
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                framing = Some(Framing::Length(value.parse().context("Content-Length")?));
            } else if name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked")
            {
                framing = Some(Framing::Chunks);
            } else if name.eq_ignore_ascii_case("x-result-count") {
                count = value.parse().ok();
            }
        }
        Ok((code, count, framing.unwrap_or(Framing::Length(0))))
    }

    /// The next line, without its end.
    fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        loop {
            let waiting = &self.buffer[self.filled.clone()];
            let end = waiting.iter().position(|byte| *byte == b'\n');
            line.extend_from_slice(&waiting[..end.unwrap_or(waiting.len())]);
            self.filled.start += end.map_or(waiting.len(), |end| end + 1);
            if end.is_some() {
                break;
            }
            if line.len() > 64 * 1024 {
                bail!("a line of the answer does not end");
            }
            self.fill()?;
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        String::from_utf8(line).context("a line of the answer is not text")
    }

    fn fill(&mut self) -> Result<()> {
        if self.filled.is_empty() {
            self.filled = 0..0;
        }
        let read = self.stream.read(&mut self.buffer[self.filled.end..]).context("read the answer")?;
        if read == 0 {
            bail!("the server closed the connection in the middle of an answer");
        }
        self.filled.end += read;
        Ok(())
    }

    fn drain(&mut self, mut length: u64, begun: Instant, answer: &mut Answer) -> Result<()> {
        while length > 0 {
            if self.filled.is_empty() {
                self.fill()?;
            }
            if answer.bytes == 0 {
                answer.first_byte = begun.elapsed();
            }
            let piece = (self.filled.len() as u64).min(length) as usize;
            let kept = KEPT.saturating_sub(answer.start.len()).min(piece);
            answer.start.extend_from_slice(&self.buffer[self.filled.start..][..kept]);
            self.filled.start += piece;
            answer.bytes += piece as u64;
            length -= piece as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// A server that says one thing, in pieces of `size` bytes.
    fn saying(text: &'static str, size: usize) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_nodelay(true).unwrap();
            for piece in text.as_bytes().chunks(size) {
                stream.write_all(piece).unwrap();
            }
            let _ = stream.read(&mut [0; 1024]);
        });
        address
    }

    #[test]
    fn chunks_and_lengths_are_followed_however_the_bytes_arrive() {
        let text = "HTTP/1.1 200 OK\r\nx-result-count: 7\r\nTransfer-Encoding: chunked\r\n\r\n\
                    5\r\nhello\r\n1;ext=1\r\n \r\n5\r\nworld\r\n0\r\n\r\n\
                    HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
        for size in [1, 3, 1000] {
            let mut client = Client::connect(saying(text, size)).unwrap();
            let request = Request::get("/", "key");
            let first = client.send(&request).unwrap().ok("the first", "hello").unwrap();
            assert_eq!(
                (first.bytes, first.count, first.start.as_slice()),
                (11, Some(7), &b"hello world"[..])
            );
            let second = client.send(&request).unwrap();
            assert_eq!((second.status, second.bytes), (403, 2));
            assert!(second.ok("the second", "no").unwrap_err().to_string().contains("403: no"));
        }
    }

    #[test]
    fn a_yes_to_everything_is_no_answer() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n72 bytes";
        let answer = Client::connect(saying(text, 1000)).unwrap().send(&Request::get("/", "key")).unwrap();
        let error = answer.ok("the event", ADDED).unwrap_err();
        assert!(error.to_string().contains("200: 72 bytes"), "{error}");
    }

    #[test]
    fn an_answer_that_breaks_off_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").unwrap();
        });
        let error = Client::connect(address).unwrap().send(&Request::get("/", "key")).unwrap_err();
        assert!(error.to_string().contains("closed the connection"), "{error}");
    }
}
