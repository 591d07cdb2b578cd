//! HTTP calls to others, by the one client there is: blocking, bounded in time and size, following nowhere.
//!
//! Whoever calls says how long a call may take and how much may come back. A redirect is an answer like any
//! other: it is the caller's address that was allowed, not where that points to. No proxy is taken from the
//! environment. TLS by ring; what is trusted is what the machine trusts.
//!
//! An address that a user names is fetched as a [`Page`]: by [`Reach::Public`] no machine of one's own network is
//! reached through this one.

mod link;
mod pace;
mod page;
mod reach;

pub use link::Link;
pub use page::{Page, checked};
pub use reach::Reach;
pub use ureq::http::HeaderMap;
pub use url::Url;

use pace::Paced;
use std::io::Read;
use std::time::Duration;
use ureq::unversioned::transport::DefaultConnector;
use url::Host;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// What is always read of an answer: it may say why it failed.
const LEAST: u64 = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
}

/// One call.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub method: Method,
    pub url: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    /// Of a POST or PUT.
    pub body: &'a [u8],
    /// The whole call, from the name to the last byte.
    pub timeout: Duration,
    /// The largest answer, in bytes.
    pub limit: u64,
}

/// An answer of any status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// An answer whose body is read as it comes; reading more than the call's limit is an error.
pub struct Opened {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Box<dyn Read + Send>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was configured for the connection cannot be used.
    #[error("{0}")]
    Link(&'static str),
    #[error("no answer in time")]
    Late,
    /// It sends, but so little that it holds us up on purpose or for ever.
    #[error("the answer came at less than {} bytes a second", pace::SLOWEST)]
    Slow,
    #[error("the answer is larger than {0} bytes")]
    TooLarge(u64),
    #[error("{0}")]
    Unreachable(String),
    /// An address that is none, or of a kind that is not called.
    #[error("expected an address that begins with http:// or https://")]
    BadAddress,
    #[error("{0} is not on the public Internet")]
    NotPublic(String),
    #[error("the page sends on to another one too often")]
    Circles,
}

/// The client; connections are kept open between calls.
#[derive(Clone)]
pub struct Client {
    anywhere: ureq::Agent,
    /// The same, and no connection to what is not public.
    public: ureq::Agent,
}

impl Default for Client {
    fn default() -> Self {
        Self::with(link::tls(ureq::tls::RootCerts::PlatformVerifier, None, false), None)
    }
}

impl Client {
    /// A client for one server that is reached in its own way.
    pub fn over(link: &Link) -> Result<Self, Error> {
        Ok(Self::with(link.tls()?, link.proxy()?))
    }

    fn with(tls: ureq::tls::TlsConfig, proxy: Option<ureq::Proxy>) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(proxy)
            .user_agent(concat!("PISAX/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        let public = ureq::Agent::with_parts(
            config.clone(),
            DefaultConnector::new(),
            reach::PublicResolver::default(),
        );
        Self { anywhere: config.into(), public }
    }

    /// The same for addresses that users name: no machine of one's own network is reached.
    pub fn public_only(&self) -> Self {
        Self { anywhere: self.public.clone(), public: self.public.clone() }
    }

    /// The whole answer.
    pub fn send(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let limit = call.limit.max(LEAST);
        let mut answer = Self::begin(&self.anywhere, call).map_err(told)?;
        let (status, headers) = (answer.status().as_u16(), std::mem::take(answer.headers_mut()));
        let reader = answer.into_body().into_with_config().limit(limit).reader();
        let mut body = Vec::new();
        Paced::new(reader, call.timeout).read_to_end(&mut body)?;
        Ok(Answer { status, headers, body })
    }

    /// The answer as it comes.
    pub fn open(&self, call: &Call<'_>) -> Result<Opened, Error> {
        self.open_within(Reach::Anywhere, call)
    }

    /// The answer as it comes, of an address that somebody named. Behind a proxy it is the proxy that looks names up:
    /// here the addresses are judged that are written as such.
    pub fn open_within(&self, reach: Reach, call: &Call<'_>) -> Result<Opened, Error> {
        let limit = call.limit.max(LEAST);
        let agent = match reach {
            Reach::Anywhere => &self.anywhere,
            Reach::Public => {
                literal(call.url)?;
                if self.anywhere.config().proxy().is_some() { &self.anywhere } else { &self.public }
            }
        };
        let mut answer = Self::begin(agent, call).map_err(told)?;
        let (status, headers) = (answer.status().as_u16(), std::mem::take(answer.headers_mut()));
        let body = answer.into_body().into_with_config().limit(limit).reader();
        Ok(Opened { status, headers, body: Box::new(Paced::new(body, call.timeout)) })
    }

    fn begin(agent: &ureq::Agent, call: &Call<'_>) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        match call.method {
            Method::Get | Method::Delete | Method::Head => {
                let request = match call.method {
                    Method::Get => agent.get(call.url),
                    Method::Head => agent.head(call.url),
                    _ => agent.delete(call.url),
                };
                let request = call.headers.iter().fold(request, |r, (name, value)| r.header(*name, *value));
                request.config().timeout_global(Some(call.timeout)).build().call()
            }
            Method::Post | Method::Put => {
                let request = match call.method {
                    Method::Post => agent.post(call.url),
                    _ => agent.put(call.url),
                };
                let request = call.headers.iter().fold(request, |r, (name, value)| r.header(*name, *value));
                request.config().timeout_global(Some(call.timeout)).build().send(call.body)
            }
        }
    }
}

/// An address of the web; one that is written in numbers has to be public.
fn literal(address: &str) -> Result<(), Error> {
    let url = Url::parse(address).map_err(|_| Error::BadAddress)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Error::BadAddress);
    }
    let address = match url.host() {
        Some(Host::Ipv4(four)) => four.into(),
        Some(Host::Ipv6(six)) => six.into(),
        Some(Host::Domain(name)) if name == "localhost" || name.ends_with(".localhost") => {
            return Err(Error::NotPublic(name.to_owned()));
        }
        Some(Host::Domain(_)) => return Ok(()),
        None => return Err(Error::BadAddress),
    };
    match reach::is_public(address) {
        true => Ok(()),
        false => Err(Error::NotPublic(url.host_str().unwrap_or_default().to_owned())),
    }
}

impl From<std::io::Error> for Error {
    /// Why a body could not be read on.
    fn from(error: std::io::Error) -> Self {
        told(error.into())
    }
}

fn told(error: ureq::Error) -> Error {
    match error {
        ureq::Error::Timeout(_) => Error::Late,
        ureq::Error::BodyExceedsLimit(limit) => Error::TooLarge(limit),
        ureq::Error::Io(error) if pace::is_slow(&error) => Error::Slow,
        ureq::Error::Other(why) => match why.downcast::<reach::NotPublic>() {
            Ok(found) => Error::NotPublic(found.0),
            Err(other) => Error::Unreachable(other.to_string()),
        },
        other => Error::Unreachable(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// Answers one call with these bytes, or with nothing until the caller gives up.
    fn server(answer: Option<Vec<u8>>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            let _ = connection.read(&mut asked);
            match answer {
                Some(bytes) => drop(connection.write_all(&bytes)),
                None => drop(connection.read(&mut asked)),
            }
        });
        url
    }

    fn get(url: &str, timeout: u64, limit: u64) -> Result<Answer, Error> {
        let timeout = Duration::from_millis(timeout);
        Client::default().send(&Call { method: Method::Get, url, headers: &[], body: b"", timeout, limit })
    }

    #[test]
    fn any_status_is_an_answer_and_redirects_lead_nowhere() {
        for status in ["200 OK", "404 Not Found", "302 Found\r\nLocation: http://127.0.0.1:1/"] {
            let text = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nhi");
            let answer = get(&server(Some(text.into_bytes())), 10_000, 10).unwrap();
            assert_eq!((answer.status.to_string().as_str(), &answer.body[..]), (&status[..3], &b"hi"[..]));
        }
    }

    #[test]
    fn what_is_not_public_is_not_reached_in_any_spelling() {
        let (listener, client) = (TcpListener::bind("127.0.0.1:0").unwrap(), Client::default());
        let port = listener.local_addr().unwrap().port();
        let timeout = Duration::from_secs(10);
        for host in
            ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001", "2130706433", "127.1"]
        {
            let url = format!("http://{host}:{port}/");
            let call = Call { method: Method::Get, url: &url, headers: &[], body: b"", timeout, limit: 10 };
            let opened = client.open_within(Reach::Public, &call);
            assert!(matches!(opened, Err(Error::NotPublic(_))), "{host}");
        }
        let call =
            Call { method: Method::Get, url: "file:///x", headers: &[], body: b"", timeout, limit: 10 };
        assert!(matches!(client.open_within(Reach::Public, &call), Err(Error::BadAddress)));
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "no connection was made");
    }

    #[test]
    fn who_does_not_answer_or_answers_too_much_is_left() {
        assert!(matches!(get(&server(None), 200, 10), Err(Error::Late)));
        let long = [&b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"[..], &[b'x'; 10_000]].concat();
        assert!(matches!(get(&server(Some(long)), 10_000, 10), Err(Error::TooLarge(LEAST))));
        assert!(matches!(get("http://127.0.0.1:1/", 10_000, 10), Err(Error::Unreachable(_))));
    }
}
