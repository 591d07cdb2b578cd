//! A feed's files, from an address or from a folder of this machine: asked for only when they changed, bounded in
//! time and size, kept in a nameless file while they are read, so that a download that breaks off is never taken
//! for a whole one.

use crate::Fault;
use crate::peer::said;
use pisax_model::feed::{Feed, Input};
use pisax_outbound::{Call, Client, Error, Link, Method, Opened, Reach, Url};
use pisax_service::Service;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often a file may be elsewhere.
const HOPS: usize = 5;
/// Largest file as it is sent, and unpacked.
pub(super) const PACKED: u64 = 256 << 20;
pub(super) const UNPACKED: u64 = 1 << 30;
/// Largest event of a feed.
pub(super) const EVENT: u64 = 256 << 20;
/// How long a list or a manifest may take, one event, and what somebody waits for.
pub(super) const LONG: Duration = Duration::from_secs(900);
pub(super) const SOME: Duration = Duration::from_secs(180);
pub(super) const SHORT: Duration = Duration::from_secs(25);

/// What a fetch may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) time: Duration,
    pub(super) bytes: u64,
}

/// Tells versions of a file apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) etag: String,
    pub(super) last_modified: String,
}

/// A file that was asked for.
pub(super) enum Fetched {
    /// As it was when it had this version.
    Same,
    New(Download, Version),
}

/// A file that is here as a whole.
pub(super) struct Download(File);

/// Where the files of a feed are.
pub(super) struct Place {
    client: Client,
    reach: Reach,
    input: Input,
    base: String,
    headers: Vec<(String, String)>,
    scratch: PathBuf,
}

impl Place {
    pub(super) fn of(service: &Service, feed: &Feed) -> Result<Self, Fault> {
        let data = service.policy.data.as_ref();
        let data = data.ok_or_else(|| Fault::Setup("there is no folder for what is fetched".into()))?;
        let link = Link { proxy: service.proxy(), ..Link::default() };
        let private = service.settings().fetch_private_addresses;
        Ok(Self {
            client: Client::over(&link)?,
            reach: if private { Reach::Anywhere } else { Reach::Public },
            input: feed.input_source,
            base: feed.url.trim_end_matches('/').to_owned(),
            headers: headers(feed.headers.as_deref().unwrap_or_default())?,
            scratch: data.join("fetched"),
        })
    }

    /// The feed's own file (`None`), or one in its folder.
    pub(super) fn get(
        &self,
        name: Option<&str>,
        known: Option<&Version>,
        bounds: Bounds,
    ) -> Result<Fetched, Fault> {
        let path = match name {
            Some(name) => format!("{}/{name}", self.base),
            None => self.base.clone(),
        };
        match self.input {
            Input::Local => local(Path::new(&path), known, bounds.bytes),
            Input::Network => self.remote(&path, known, bounds),
        }
    }

    /// The same where any version is new.
    pub(super) fn file(&self, name: Option<&str>, bounds: Bounds) -> Result<Download, Fault> {
        match self.get(name, None, bounds)? {
            Fetched::New(download, _) => Ok(download),
            Fetched::Same => {
                Err(Fault::Unusable("it answered that nothing changed, and was not asked".into()))
            }
        }
    }

    /// Removes the file of a local feed, as its definition may say.
    pub(super) fn remove(&self, name: Option<&str>) {
        if self.input == Input::Local {
            let path = name.map_or_else(|| self.base.clone(), |name| format!("{}/{name}", self.base));
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!(%error, path, "the file of a feed could not be removed");
            }
        }
    }

    fn remote(&self, address: &str, known: Option<&Version>, bounds: Bounds) -> Result<Fetched, Fault> {
        let end = Instant::now() + bounds.time;
        let start = Url::parse(address).map_err(|_| Error::BadAddress)?;
        let mut url = start.clone();
        for _ in 0..=HOPS {
            let opened = self.ask(&start, &url, known, end, bounds.bytes)?;
            match opened.status {
                200..=299 => return self.keep(opened, bounds.bytes),
                304 if known.is_some() => return Ok(Fetched::Same),
                301 | 302 | 303 | 307 | 308 => url = next(&url, &opened)?,
                status => {
                    let mut body = Vec::new();
                    // What it says of its refusal is all that is of interest, and only if it comes.
                    let _ = opened.body.take(4096).read_to_end(&mut body);
                    return Err(Fault::Status { status, message: said(&body) });
                }
            }
        }
        Err(Fault::Unusable(format!("it is always elsewhere: {HOPS} redirects were followed")))
    }

    fn ask(
        &self,
        start: &Url,
        url: &Url,
        known: Option<&Version>,
        end: Instant,
        limit: u64,
    ) -> Result<Opened, Fault> {
        let timeout = end.saturating_duration_since(Instant::now());
        if timeout.is_zero() {
            return Err(Error::Late.into());
        }
        let mut headers = vec![("Accept", "*/*")];
        // What was written down for one server is nobody else's business.
        if start.origin() == url.origin() {
            headers.extend(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        }
        if let Some(known) = known {
            let conditions = [("If-None-Match", &known.etag), ("If-Modified-Since", &known.last_modified)];
            let conditions = conditions.into_iter().filter(|(_, value)| !value.is_empty());
            headers.extend(conditions.map(|(name, value)| (name, value.as_str())));
        }
        let call =
            Call { method: Method::Get, url: url.as_str(), headers: &headers, body: b"", timeout, limit };
        Ok(self.client.open_within(self.reach, &call)?)
    }

    fn keep(&self, opened: Opened, limit: u64) -> Result<Fetched, Fault> {
        let header = |name: &str| {
            let value = opened.headers.get(name).and_then(|value| value.to_str().ok());
            value.filter(|value| value.len() <= 500).unwrap_or_default().to_owned()
        };
        let version = Version { etag: header("etag"), last_modified: header("last-modified") };
        let mut file = nameless(&self.scratch)?;
        let mut body = opened.body.take(limit + 1);
        let mut piece = vec![0; 64 * 1024];
        let mut size = 0;
        loop {
            let read = body.read(&mut piece).map_err(Error::from)?;
            if read == 0 {
                break;
            }
            size += read as u64;
            if size > limit {
                return Err(Error::TooLarge(limit).into());
            }
            file.write_all(&piece[..read]).map_err(here)?;
        }
        file.seek(SeekFrom::Start(0)).map_err(here)?;
        Ok(Fetched::New(Download(file), version))
    }
}

/// Where a redirect leads: never from a connection that is protected to one that is not.
fn next(url: &Url, opened: &Opened) -> Result<Url, Fault> {
    let location = opened.headers.get("location").and_then(|value| value.to_str().ok());
    let next = location.and_then(|location| url.join(location).ok());
    let next = next.ok_or_else(|| Fault::Unusable("it is elsewhere, and does not say where".into()))?;
    match (url.scheme(), next.scheme()) {
        (_, "https") | ("http", "http") => Ok(next),
        ("https", "http") => Err(Fault::Unusable("it is elsewhere, without TLS: it was not followed".into())),
        _ => Err(Error::BadAddress.into()),
    }
}

fn local(path: &Path, known: Option<&Version>, limit: u64) -> Result<Fetched, Fault> {
    let cannot = |e: io::Error| Fault::Unusable(format!("{} cannot be read: {e}", path.display()));
    // Looked at before it is opened: to open a pipe is to wait for somebody who writes.
    let seen = std::fs::metadata(path).map_err(cannot)?;
    if !seen.is_file() {
        return Err(Fault::Unusable(format!("{} is no file", path.display())));
    }
    if seen.len() > limit {
        return Err(Error::TooLarge(limit).into());
    }
    let changed = seen.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let version = Version {
        etag: format!("{}-{}", seen.len(), changed.map_or(0, |at| at.as_nanos())),
        last_modified: String::new(),
    };
    if known.is_some_and(|known| *known == version) {
        return Ok(Fetched::Same);
    }
    Ok(Fetched::New(Download(File::open(path).map_err(cannot)?), version))
}

/// The headers of a feed's definition: a line each, `Name: value`.
fn headers(text: &str) -> Result<Vec<(String, String)>, Fault> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let (name, value) = (name.trim(), value.trim());
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let right = !name.is_empty()
            && name.bytes().all(token)
            && value.bytes().all(|b| b == b'\t' || (b >= b' ' && b != 0x7f));
        right.then(|| (name.to_owned(), value.to_owned()))
    };
    let wrong = || Fault::Setup("headers: expected a line `Name: value` each".into());
    lines.map(|line| header(line).ok_or_else(wrong)).collect()
}

/// A file without a name, which goes when it is closed, whatever happens.
fn nameless(folder: &Path) -> Result<File, Fault> {
    std::fs::create_dir_all(folder).map_err(here)?;
    // It is there for a moment: any name will do that nobody else has.
    let name = folder.join(pisax_model::ids::new_uuid(0).to_string());
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&name).map_err(here)?;
    std::fs::remove_file(&name).map_err(here)?;
    Ok(file)
}

/// The disk of this machine failed.
fn here(error: io::Error) -> Fault {
    Fault::Setup(format!("what is fetched cannot be kept: {error}"))
}

// ---- Unpacking ------------------------------------------------------------------------------------------

impl Download {
    /// What is in it, unpacked where it is gzip or zip; more than `limit` bytes are an error.
    pub(super) fn unpacked(mut self, limit: u64) -> Result<Box<dyn Read + Send>, Fault> {
        let mut magic = [0; 4];
        let mut filled = 0;
        while filled < 4 {
            match self.0.read(&mut magic[filled..]).map_err(here)? {
                0 => break,
                read => filled += read,
            }
        }
        self.0.seek(SeekFrom::Start(0)).map_err(here)?;
        let file = BufReader::with_capacity(64 * 1024, self.0);
        match magic {
            [0x1f, 0x8b, ..] => Ok(Box::new(Bounded::new(flate2::bufread::MultiGzDecoder::new(file), limit))),
            [b'P', b'K', 3, 4] => unzipped(file, limit),
            _ => Ok(Box::new(Bounded::new(file, limit))),
        }
    }

    /// The whole of it.
    pub(super) fn bytes(self, limit: u64) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        self.unpacked(limit)?.read_to_end(&mut bytes).map_err(|e| unpacking(&e))?;
        Ok(bytes)
    }
}

/// The first file of an archive, as MISP takes it.
fn unzipped(file: BufReader<File>, limit: u64) -> Result<Box<dyn Read + Send>, Fault> {
    let wrong = |e: zip::result::ZipError| Fault::Unusable(format!("the archive cannot be read: {e}"));
    let mut archive = zip::ZipArchive::new(file).map_err(wrong)?;
    for place in 0..archive.len() {
        let is_file = archive.by_index(place).map_err(wrong)?.is_file();
        if is_file {
            // The reader borrows the archive, so a thread of its own unpacks into a pipe.
            let (reader, mut writer) = io::pipe().map_err(here)?;
            let unpack = move || -> io::Result<()> {
                let mut inside = archive.by_index(place).map_err(io::Error::other)?;
                io::copy(&mut inside, &mut writer).map(drop)
            };
            let thread = std::thread::Builder::new().name("unzip".into()).spawn(unpack).map_err(here)?;
            return Ok(Box::new(Bounded::new(Piped { reader, thread: Some(thread) }, limit)));
        }
    }
    Err(Fault::Unusable("there is no file in the archive".into()))
}

/// What a thread writes, and whether it came to its end.
struct Piped {
    reader: io::PipeReader,
    thread: Option<std::thread::JoinHandle<io::Result<()>>>,
}

impl Read for Piped {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        if read > 0 || into.is_empty() {
            return Ok(read);
        }
        // The other end is closed: half an archive is not a whole one.
        match self.thread.take().map(std::thread::JoinHandle::join) {
            None | Some(Ok(Ok(()))) => Ok(0),
            Some(Ok(Err(error))) => Err(error),
            Some(Err(_)) => Err(io::Error::other("the archive could not be unpacked")),
        }
    }
}

/// That there is more than is taken.
#[derive(Debug)]
struct TooMuch(u64);

impl std::fmt::Display for TooMuch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unpacked it is larger than {} bytes", self.0)
    }
}

impl std::error::Error for TooMuch {}

/// Reads so many bytes; the next one is an error.
struct Bounded<R> {
    inner: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Bounded<R> {
    fn new(inner: R, limit: u64) -> Self {
        Self { inner, left: limit, limit }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left.saturating_add(1)).unwrap_or(usize::MAX).min(into.len());
        let read = self.inner.read(&mut into[..most])?;
        if read as u64 > self.left {
            return Err(io::Error::other(TooMuch(self.limit)));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// What went wrong while a file that is here was read.
pub(super) fn unpacking(error: &io::Error) -> Fault {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<TooMuch>()) {
        Some(much) => Fault::TooMuch(much.to_string()),
        None => Fault::Unusable(format!("it cannot be unpacked: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn download(bytes: &[u8]) -> Download {
        let mut file = nameless(&std::env::temp_dir()).unwrap();
        file.write_all(bytes).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        Download(file)
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut gz = GzEncoder::new(Vec::new(), Compression::best());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    }

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, bytes) in files {
            let options: zip::write::SimpleFileOptions = Default::default();
            match name.strip_suffix('/') {
                Some(folder) => zip.add_directory(folder, options).unwrap(),
                None => {
                    zip.start_file(*name, options).unwrap();
                    zip.write_all(bytes).unwrap();
                }
            }
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        let two = [packed(b"a\n"), packed(b"b\n")].concat();
        let zip = archive(&[("d/", b""), ("list.txt", b"a\nb\n"), ("other.txt", b"c")]);
        for bytes in [&b"a\nb\n"[..], &two, &zip] {
            assert_eq!(download(bytes).bytes(4).unwrap(), b"a\nb\n");
        }
        assert_eq!(download(b"").bytes(4).unwrap(), b"");
        assert_eq!(download(b"PK").bytes(4).unwrap(), b"PK");
    }

    #[test]
    fn a_bomb_is_noticed_and_a_broken_archive_is_no_whole_one() {
        let zeros = vec![0; 1 << 20];
        for bomb in [packed(&zeros), archive(&[("z", &zeros)]), zeros.clone()] {
            assert!(matches!(download(&bomb).bytes(1000), Err(Fault::TooMuch(_))));
        }
        let whole = packed(&(0..100_000u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>());
        assert!(matches!(download(&whole[..whole.len() / 2]).bytes(1 << 20), Err(Fault::Unusable(_))));
        let zip = archive(&[("z", &zeros)]);
        assert!(matches!(download(&zip[..zip.len() / 2]).bytes(1 << 21), Err(Fault::Unusable(_))));
        assert!(matches!(download(&archive(&[("d/", b"")])).bytes(10), Err(Fault::Unusable(_))));
    }

    #[test]
    fn headers_are_lines_of_name_and_value() {
        let read = headers("X-Key:  a:b \r\n\nAccept: text/plain").unwrap();
        assert_eq!(read, [("X-Key".into(), "a:b".into()), ("Accept".into(), "text/plain".into())]);
        for bad in ["x", ": y", "a b: c", "a: \u{7f}"] {
            assert!(headers(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_redirect_never_leaves_tls_behind() {
        let to = |from: &str, location: Option<&str>| {
            let mut headers = pisax_outbound::HeaderMap::new();
            if let Some(location) = location {
                headers.insert("location", location.parse().unwrap());
            }
            let opened = Opened { status: 302, headers, body: Box::new(io::empty()) };
            next(&Url::parse(from).unwrap(), &opened).map(String::from)
        };
        assert_eq!(to("http://a.example/x", Some("/y")).unwrap(), "http://a.example/y");
        assert_eq!(to("http://a.example/x", Some("https://b.example/")).unwrap(), "https://b.example/");
        assert!(to("https://a.example/x", Some("http://a.example/")).is_err());
        assert!(to("http://a.example/x", Some("file:///etc/passwd")).is_err());
        assert!(to("http://a.example/x", None).is_err());
    }

    #[test]
    fn what_is_no_file_is_not_read() {
        for path in ["/", "/dev/zero", "/nowhere/at/all"] {
            assert!(matches!(local(Path::new(path), None, 10), Err(Fault::Unusable(_))), "{path}");
        }
    }
}
