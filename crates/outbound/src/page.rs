//! A page that a user names, fetched wherever it is sent on to.

use crate::{Client, Error, LEAST, Reach, told};
use std::time::{Duration, Instant};
use url::{Host, Url};

/// The longest address that is fetched.
const LONGEST: usize = 2048;
/// How often a page may send on to another one.
const HOPS: usize = 5;

/// A page as it was answered in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub status: u16,
    /// As the answer names it, in lower case and without its parameters; empty when it does not.
    pub content_type: String,
    pub body: Vec<u8>,
}

impl Client {
    /// Fetches a page within a time that all it sends on to share, and no more bytes of it than this.
    pub fn page(&self, address: &str, reach: Reach, timeout: Duration, limit: u64) -> Result<Page, Error> {
        let agent = match reach {
            Reach::Anywhere => &self.anywhere,
            Reach::Public => &self.public,
        };
        let (limit, end) = (limit.max(LEAST), Instant::now() + timeout);
        let mut url = checked(address)?;
        for _ in 0..=HOPS {
            if reach == Reach::Public {
                literal(&url)?;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Late);
            }
            let request = agent.get(url.as_str()).header("accept", "text/html, text/plain, */*;q=0.5");
            let answer = request.config().timeout_global(Some(left)).build().call();
            let mut answer = answer.map_err(told)?;
            let status = answer.status().as_u16();
            let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
            if matches!(status, 301 | 302 | 303 | 307 | 308)
                && let Some(next) = header("location")
            {
                let next = url.join(next).map_err(|_| Error::BadAddress)?;
                url = checked(next.as_str())?;
                continue;
            }
            let content_type = header("content-type").unwrap_or_default();
            let content_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            let body = answer.body_mut().with_config().limit(limit).read_to_vec().map_err(told)?;
            return Ok(Page { status, content_type, body });
        }
        Err(Error::Circles)
    }
}

/// An address of the web, without a name and password in it.
pub fn checked(address: &str) -> Result<Url, Error> {
    let url = Url::parse(address.trim()).map_err(|_| Error::BadAddress)?;
    let right = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.as_str().len() <= LONGEST;
    if right { Ok(url) } else { Err(Error::BadAddress) }
}

/// An address instead of a name needs no looking up.
fn literal(url: &Url) -> Result<(), Error> {
    let address = match url.host() {
        Some(Host::Ipv4(four)) => four.into(),
        Some(Host::Ipv6(six)) => six.into(),
        _ => return Ok(()),
    };
    match crate::reach::is_public(address) {
        true => Ok(()),
        false => Err(Error::NotPublic(url.host_str().unwrap_or_default().to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::mpsc;

    /// Answers connections with these texts in turn; tells of each that came.
    fn server(answers: Vec<String>) -> (u16, mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut connection, _) = listener.accept().unwrap();
                let mut asked = [0; 1024];
                let n = connection.read(&mut asked).unwrap_or(0);
                let line = String::from_utf8_lossy(&asked[..n]).lines().next().unwrap_or_default().to_owned();
                let _ = tell.send(line);
                let _ = connection.write_all(answer.replace("PORT", &port.to_string()).as_bytes());
            }
        });
        (port, told)
    }

    fn answer(head: &str, body: &str) -> String {
        format!("HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    fn page(url: &str, reach: Reach) -> Result<Page, Error> {
        Client::default().page(url, reach, Duration::from_secs(10), 10_000)
    }

    #[test]
    fn a_page_is_followed_to_where_it_is() {
        let (port, _told) = server(vec![
            answer("302 Found\r\nLocation: /there", ""),
            answer("200 OK\r\nContent-Type: Text/HTML; charset=utf-8", "<p>hi"),
        ]);
        let page = page(&format!("http://localhost:{port}/"), Reach::Anywhere).unwrap();
        assert_eq!(
            (page.status, page.content_type.as_str(), page.body.as_slice()),
            (200, "text/html", &b"<p>hi"[..])
        );
    }

    #[test]
    fn nothing_is_asked_for_that_is_not_public() {
        let (port, told) = server(vec![answer("200 OK", "secret")]);
        for host in [
            "127.0.0.1",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "0x7f000001",
            "2130706433",
            "0.0.0.0",
            "127.1",
        ] {
            let asked = page(&format!("http://{host}:{port}/"), Reach::Public);
            assert!(matches!(asked, Err(Error::NotPublic(_))), "{host}: {asked:?}");
        }
        assert!(told.try_recv().is_err(), "no connection was made");
    }

    #[test]
    fn what_is_no_address_of_the_web_is_not_fetched() {
        for bad in [
            "",
            "x",
            "file:///etc/passwd",
            "ftp://a.example/",
            "gopher://a",
            "http://",
            "http://u:p@a.example/",
        ] {
            assert!(matches!(page(bad, Reach::Anywhere), Err(Error::BadAddress)), "{bad}");
        }
        for next in ["file:///etc/passwd", "gopher://127.0.0.1/"] {
            let (port, _told) = server(vec![answer(&format!("302 Found\r\nLocation: {next}"), "")]);
            let asked = page(&format!("http://127.0.0.1:{port}/"), Reach::Anywhere);
            assert!(matches!(asked, Err(Error::BadAddress)), "{next}: {asked:?}");
        }
    }

    #[test]
    fn who_sends_in_circles_is_left() {
        let (port, _told) = server(vec![answer("302 Found\r\nLocation: /again", ""); HOPS + 1]);
        assert!(matches!(page(&format!("http://127.0.0.1:{port}/"), Reach::Anywhere), Err(Error::Circles)));
    }
}
