//! Bytes in a bucket of an S3-compatible service: the four calls PISAX needs, signed as AWS Signature Version 4
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>) says.

use super::{Listed, PAGE, Trouble, seconds, unusable};
use crate::Result;
use hmac::{Hmac, KeyInit, Mac};
use pisax_model::{Clock, time};
use pisax_outbound::Method;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// One call, at most; a body of 256 MiB takes that long at 18 Mbit/s.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Calls before one counts as failed: the service's own advice for its 500s and 503s.
const TRIES: usize = 3;
/// The largest answer that is no object; a page of a listing has some 300 KB.
const MAX_ANSWER: u64 = 4 << 20;

/// A bucket, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    pub name: String,
    /// Before every name; empty, or with a slash at its end.
    pub prefix: String,
    /// Address of the service without a final slash; `None`: Amazon's.
    pub endpoint: Option<String>,
    pub region: String,
}

/// Who signs.
#[derive(Clone)]
pub struct Credentials {
    pub key_id: String,
    pub secret: String,
    /// For credentials that were lent.
    pub token: Option<String>,
}

impl Bucket {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("s3://").ok_or("a bucket is named s3://BUCKET")?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (name, prefix) = path.split_once('/').unwrap_or((path, ""));
        let plain = |text: &str, more: &[u8]| {
            text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || more.contains(&b))
        };
        if !(3..=63).contains(&name.len()) || !plain(name, b".-") {
            return Err(format!("'{name}' is no name of a bucket"));
        }
        if !plain(&prefix.to_ascii_lowercase(), b"._/-") || prefix.contains("..") || prefix.contains("//") {
            return Err(format!("'{prefix}' is no prefix: letters, digits, dots, dashes and single slashes"));
        }
        let mut bucket =
            Self { name: name.into(), prefix: String::new(), endpoint: None, region: "us-east-1".into() };
        let prefix = prefix.trim_matches('/');
        if !prefix.is_empty() {
            bucket.prefix = format!("{prefix}/");
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("endpoint", url)) if is_origin(url) => {
                    bucket.endpoint = Some(url.trim_end_matches('/').to_owned());
                }
                Some(("region", region)) if !region.is_empty() && plain(region, b"-") => {
                    bucket.region = region.to_owned();
                }
                _ => return Err(format!("'{pair}' is neither endpoint=URL nor region=NAME")),
            }
        }
        Ok(bucket)
    }

    /// Scheme, host, and the path of the bucket: a service of one's own rarely has a name for each bucket.
    fn address(&self) -> (String, String) {
        match &self.endpoint {
            Some(endpoint) => (endpoint.clone(), format!("/{}", self.name)),
            None => (format!("https://{}.s3.{}.amazonaws.com", self.name, self.region), String::new()),
        }
    }
}

/// Scheme, host and perhaps a port: nothing else could be signed as it is sent.
fn is_origin(url: &str) -> bool {
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
    let host = host.trim_end_matches('/');
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".:-[]".contains(&b);
    !host.is_empty() && host.bytes().all(plain)
}

pub(super) struct Client {
    bucket: Bucket,
    credentials: Credentials,
    clock: Arc<dyn Clock>,
    http: pisax_outbound::Client,
}

struct Call<'a> {
    method: Method,
    /// Below the bucket.
    path: String,
    /// Sorted, encoded.
    query: String,
    body: &'a [u8],
    /// The largest answer read.
    limit: u64,
}

impl Client {
    pub(super) fn new(bucket: Bucket, credentials: Credentials, clock: Arc<dyn Clock>) -> Self {
        Self { bucket, credentials, clock, http: pisax_outbound::Client::default() }
    }

    fn object<'a>(&self, method: Method, name: &str, body: &'a [u8], limit: u64) -> Call<'a> {
        Call { method, path: format!("/{}{name}", self.bucket.prefix), query: String::new(), body, limit }
    }

    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        self.send(&self.object(Method::Put, name, bytes, MAX_ANSWER)).map(|_| ())
    }

    pub(super) fn get(&self, name: &str, limit: u64) -> Result<Vec<u8>, Trouble> {
        self.send(&self.object(Method::Get, name, b"", limit))
    }

    pub(super) fn delete(&self, name: &str) -> Result<(), Trouble> {
        match self.send(&self.object(Method::Delete, name, b"", MAX_ANSWER)) {
            Err(Trouble::Missing) => Ok(()),
            other => other.map(|_| ()),
        }
    }

    pub(super) fn each_page(&self, f: &mut dyn FnMut(&[Listed]) -> Result<()>) -> Result<()> {
        let mut after = String::new();
        loop {
            let query = format!(
                "list-type=2&max-keys={PAGE}&prefix={}&start-after={}",
                encoded(&self.bucket.prefix),
                encoded(&after)
            );
            let call = Call { method: Method::Get, path: "/".into(), query, body: b"", limit: MAX_ANSWER };
            let answer = self.send(&call).map_err(unusable)?;
            let text = String::from_utf8_lossy(&answer);
            let listed = listed(&text);
            let Some((last, _)) = listed.last() else { return Ok(()) };
            if *last <= after {
                return Err(unusable("the bucket's listing does not go on"));
            }
            after = last.clone();
            let page: Vec<Listed> = listed
                .iter()
                .filter_map(|(key, since)| {
                    let name = key.strip_prefix(&self.bucket.prefix)?;
                    // What is not of ours stays: somebody put it there.
                    let ours = name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit());
                    ours.then(|| Listed { name: name.to_owned(), since: *since })
                })
                .collect();
            f(&page)?;
            if text.contains("<IsTruncated>false</IsTruncated>") {
                return Ok(());
            }
        }
    }

    /// Each call can be repeated: what is put has a name of its own.
    fn send(&self, call: &Call<'_>) -> Result<Vec<u8>, Trouble> {
        let mut last = Trouble::Missing;
        for _ in 0..TRIES {
            match self.send_once(call) {
                Ok((200..=299, body)) => return Ok(body),
                Ok((404, body)) if !String::from_utf8_lossy(&body).contains("NoSuchBucket") => {
                    return Err(Trouble::Missing);
                }
                Ok((status, body)) => {
                    let words = String::from_utf8_lossy(&body);
                    let code = element(&words, "Code").unwrap_or("no code");
                    last = Trouble::Failed(format!("the bucket answers {status} ({code})"));
                    if !(500..=599).contains(&status) {
                        return Err(last);
                    }
                }
                // It is not what was put there.
                Err(pisax_outbound::Error::TooLarge(_)) => return Err(Trouble::Missing),
                Err(why) => last = Trouble::Failed(format!("the bucket cannot be reached: {why}")),
            }
        }
        Err(last)
    }

    fn send_once(&self, call: &Call<'_>) -> Result<(u16, Vec<u8>), pisax_outbound::Error> {
        let (origin, root) = self.bucket.address();
        let path = format!("{root}{}", call.path);
        let question = if call.query.is_empty() { "" } else { "?" };
        let url = format!("{origin}{path}{question}{}", call.query);
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        let signed = self.sign(call, &path, host);
        let headers: Vec<_> = signed.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = self.http.send(&pisax_outbound::Call {
            method: call.method,
            url: &url,
            headers: &headers,
            body: call.body,
            timeout: TIMEOUT,
            limit: call.limit,
        })?;
        Ok((answer.status, answer.body))
    }

    /// The headers that say who asks.
    fn sign(&self, call: &Call<'_>, path: &str, host: &str) -> Vec<(&'static str, String)> {
        let now = time::format_datetime(self.clock.now_ms() / 1000);
        let digits: String = now.chars().filter(char::is_ascii_digit).collect();
        let (day, clock) = digits.split_at(8);
        let moment = format!("{day}T{clock}Z");
        let hash = hex(&Sha256::digest(call.body));
        let mut headers = vec![("x-amz-content-sha256", hash.clone()), ("x-amz-date", moment.clone())];
        if let Some(token) = &self.credentials.token {
            headers.push(("x-amz-security-token", token.clone()));
        }
        let names: Vec<&str> = std::iter::once("host").chain(headers.iter().map(|h| h.0)).collect();
        let names = names.join(";");
        let verb = match call.method {
            Method::Head => "HEAD",
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        };
        let mut canonical = format!("{verb}\n{path}\n{}\nhost:{host}\n", call.query);
        for (name, value) in &headers {
            let _ = writeln!(canonical, "{name}:{value}");
        }
        let _ = write!(canonical, "\n{names}\n{hash}");
        let scope = format!("{day}/{}/s3/aws4_request", self.bucket.region);
        let to_sign =
            format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
        let mut key = hmac(format!("AWS4{}", self.credentials.secret).as_bytes(), day.as_bytes());
        for part in [self.bucket.region.as_str(), "s3", "aws4_request"] {
            key = hmac(&key, part.as_bytes());
        }
        let signature = hex(&hmac(&key, to_sign.as_bytes()));
        let id = &self.credentials.key_id;
        headers.push((
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"),
        ));
        headers
    }
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Percent-encoded as a signature wants it.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    })
}

/// What stands in the first element of this name. Keys of ours hold nothing that XML would escape.
fn element<'t>(xml: &'t str, name: &str) -> Option<&'t str> {
    let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
    let end = xml[start..].find(&format!("</{name}>"))?;
    Some(&xml[start..start + end])
}

/// Keys of a listing with when they were written; one without a time counts as new.
fn listed(xml: &str) -> Vec<(String, i64)> {
    xml.split("<Contents>")
        .skip(1)
        .filter_map(|entry| {
            let since = element(entry, "LastModified").and_then(seconds).unwrap_or(i64::MAX);
            Some((element(entry, "Key")?.to_owned(), since))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(i64);
    impl Clock for Fixed {
        fn now_ms(&self) -> i64 {
            self.0
        }
    }

    /// The example "GET Bucket (List Objects)" of the service's documentation, with its key and its signature.
    #[test]
    fn a_call_is_signed_as_the_service_expects() {
        let bucket = Bucket::parse("s3://examplebucket").unwrap();
        let credentials = Credentials {
            key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            token: None,
        };
        let client = Client::new(bucket, credentials, Arc::new(Fixed(1_369_353_600_000)));
        let call = Call {
            method: Method::Get,
            path: "/".into(),
            query: "max-keys=2&prefix=J".into(),
            body: b"",
            limit: 0,
        };
        let headers = client.sign(&call, "/", "examplebucket.s3.amazonaws.com");
        assert_eq!(headers[1], ("x-amz-date", "20130524T000000Z".to_owned()));
        let (_, authorization) = headers.last().unwrap();
        let signature = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
        assert!(authorization.ends_with(signature), "{authorization}");
    }

    #[test]
    fn a_listing_is_read_with_its_times() {
        let xml = "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a/0f</Key>\
                   <LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents><Contents><Key>b</Key></Contents>";
        assert_eq!(listed(xml), [("a/0f".to_owned(), 1_767_323_045), ("b".to_owned(), i64::MAX)]);
        assert_eq!(listed("<Error/>"), []);
    }

    #[test]
    fn addresses_are_of_the_service_or_of_ones_own() {
        let own = Bucket::parse("s3://samples/a/b/?endpoint=http://h:9000/&region=eu-1").unwrap();
        assert_eq!(own.address(), ("http://h:9000".into(), "/samples".into()));
        assert_eq!((own.prefix.as_str(), own.region.as_str()), ("a/b/", "eu-1"));
        let theirs = Bucket::parse("s3://samples?region=eu-west-1").unwrap();
        assert_eq!(theirs.address(), ("https://samples.s3.eu-west-1.amazonaws.com".into(), String::new()));
    }
}
