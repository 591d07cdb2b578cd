//! What a handler gives back.

use crate::failure::Failure;
use crate::inlaid::Later;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pisax_store::files::Elsewhere;
use pisax_wire::xml::XmlTranscoder;

/// Where a body goes: to the client piece by piece, or into memory when it is short.
pub struct Sink {
    sender: Option<Sender>,
    buffer: Vec<u8>,
    /// Size at which the buffer is sent.
    full: usize,
    sent: usize,
    /// Time the client made us wait.
    waited: std::time::Duration,
    /// Turns what is written, JSON, into XML on its way.
    xml: Option<XmlTranscoder>,
    /// Attachments that are fetched when what stands for them is sent.
    later: Later,
    /// The most that memory takes.
    most: usize,
}

/// A piece of a body on its way. Without an `End` the connection is broken off, so that a client never takes
/// half an answer for a whole one.
pub(crate) enum Piece {
    Bytes(Bytes),
    End,
}

pub(crate) type Sender = tokio::sync::mpsc::Sender<Piece>;

/// Size of the pieces a body is sent in.
const CHUNK: usize = 64 * 1024;

/// While a database snapshot is open the buffer grows to this before a client is waited for.
const HELD: usize = 8 << 20;
/// How long a client may take for one piece.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
/// Slowest reading, in bytes per second waited for the client, once that is a minute.
const SLOWEST: usize = 16 * 1024;

/// Why a body ends before its end.
#[derive(Debug)]
pub enum Stop {
    /// The client went away.
    Gone,
    /// Something failed after the head was sent.
    Broken(Failure),
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(e: E) -> Self {
        Self::Broken(e.into())
    }
}

impl Sink {
    pub(crate) fn new(sender: Sender) -> Self {
        Self::with(Some(sender), CHUNK + 4096)
    }

    pub(crate) fn memory() -> Self {
        Self::with(None, 4096)
    }

    /// Into memory, and no further than this many bytes and what one record has.
    pub(crate) fn memory_up_to(most: usize) -> Self {
        Self { most, ..Self::memory() }
    }

    /// Whether memory holds it all.
    pub(crate) fn fits(&self) -> Result<(), Stop> {
        if self.buffer.len() <= self.most {
            return Ok(());
        }
        let words =
            format!("The answer is larger than the {} bytes passed on here: ask for less.", self.most);
        Err(Stop::Broken(Failure::BadRequest(words)))
    }

    fn with(sender: Option<Sender>, capacity: usize) -> Self {
        let buffer = Vec::with_capacity(capacity);
        Self {
            sender,
            buffer,
            full: CHUNK,
            sent: 0,
            waited: std::time::Duration::ZERO,
            xml: None,
            later: Later::default(),
            most: usize::MAX,
        }
    }

    /// Runs `f`, which holds a database snapshot, so that a slow client seldom holds it too.
    pub(crate) fn held<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        self.full = HELD;
        let result = f(self);
        self.full = CHUNK;
        result
    }

    /// From here on what is written leaves as XML.
    pub(crate) fn as_xml(&mut self) {
        self.xml = Some(XmlTranscoder::default());
    }

    pub(crate) fn into_bytes(mut self) -> Result<Vec<u8>, Stop> {
        let mut whole = Vec::new();
        self.later.fill(std::mem::take(&mut self.buffer), &mut |piece| {
            whole.extend_from_slice(&piece);
            Ok(())
        })?;
        Ok(whole)
    }

    /// Text that stands for the base64 of an attachment until it is sent, when mostly no snapshot is held any more:
    /// then it is fetched, one at a time.
    pub(crate) fn stand_in(&mut self, attachment: Elsewhere) -> String {
        self.later.add(attachment)
    }

    /// The buffer to write into; call [`Sink::flush_full`] after each record.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Sends what is there, once it is worth a piece.
    pub fn flush_full(&mut self) -> Result<(), Stop> {
        if self.buffer.len() < self.full { Ok(()) } else { self.flush() }
    }

    /// Sends what is there.
    pub fn flush(&mut self) -> Result<(), Stop> {
        if self.sender.is_none() {
            return self.fits();
        }
        if self.buffer.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK + 4096));
        let later = std::mem::take(&mut self.later);
        later.fill(full, &mut |piece| self.send(piece))?;
        // Those of a snapshot that is still open may stand in what comes.
        if self.full == HELD {
            self.later = later;
        }
        Ok(())
    }

    fn send(&mut self, mut piece: Vec<u8>) -> Result<(), Stop> {
        let Some(sender) = &self.sender else { return Ok(()) };
        if let Some(xml) = &mut self.xml {
            let json = std::mem::take(&mut piece);
            xml.push(&json, &mut piece);
        }
        self.sent += piece.len();
        let before = std::time::Instant::now();
        send(sender, Piece::Bytes(piece.into()))?;
        self.waited += before.elapsed();
        if self.waited > PATIENCE && self.sent / (self.waited.as_secs() as usize) < SLOWEST {
            return Err(Stop::Gone);
        }
        Ok(())
    }

    /// Sends the rest and says that it is all.
    pub(crate) fn finish(mut self) -> Result<(), Stop> {
        self.flush()?;
        if let Some(mut xml) = self.xml.take() {
            xml.finish(&mut self.buffer);
            self.flush()?;
        }
        self.sender.as_ref().map_or(Ok(()), |sender| send(sender, Piece::End))
    }
}

fn send(sender: &Sender, piece: Piece) -> Result<(), Stop> {
    let patient = tokio::time::timeout(PATIENCE, sender.send(piece));
    match tokio::runtime::Handle::current().block_on(patient) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Stop::Gone),
    }
}

/// Writes a long body; runs on the blocking pool after the head has been sent.
pub type Producer = Box<dyn FnOnce(&mut Sink) -> Result<(), Stop> + Send>;

/// Makes an answer while no database connection is held for it.
pub type Maker = Box<dyn FnOnce() -> Result<Answer, Failure> + Send>;

pub enum Body {
    Whole(Vec<u8>),
    Streamed(Producer),
    /// Open as long as the client listens.
    Live(Box<crate::streams::live::Live>),
    /// Others are waited for: modules, or the place of attachments.
    Waiting(Maker),
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Body,
}

impl Answer {
    pub fn json(body: Vec<u8>) -> Self {
        Self::with(StatusCode::OK, Body::Whole(body))
    }

    pub fn status(status: StatusCode, body: Vec<u8>) -> Self {
        Self::with(status, Body::Whole(body))
    }

    pub fn stream(producer: impl FnOnce(&mut Sink) -> Result<(), Stop> + Send + 'static) -> Self {
        Self::with(StatusCode::OK, Body::Streamed(Box::new(producer)))
    }

    /// An answer for which others are waited for.
    pub fn waiting(make: impl FnOnce() -> Result<Self, Failure> + Send + 'static) -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), body: Body::Waiting(Box::new(make)) }
    }

    /// A body short enough to be made before the head is sent, so that a failure is still a failure.
    pub fn short(produce: impl FnOnce(&mut Sink) -> Result<(), Stop>) -> Result<Self, Failure> {
        let mut sink = Sink::memory();
        match produce(&mut sink).and_then(|()| sink.into_bytes()) {
            Ok(body) => Ok(Self::json(body)),
            Err(Stop::Broken(failure)) => Err(failure),
            Err(Stop::Gone) => Err(Failure::Internal("a body in memory has no client to lose".into())),
        }
    }

    /// An empty 200, for HEAD.
    pub fn exists() -> Self {
        Self::json(Vec::new())
    }

    fn with(status: StatusCode, body: Body) -> Self {
        let mut headers = HeaderMap::new();
        headers
            .insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
        Self { status, headers, body }
    }

    /// The same answer in XML, unless it is no JSON.
    pub(crate) fn into_xml(mut self) -> Self {
        if let Body::Waiting(make) = self.body {
            self.body = Body::Waiting(Box::new(move || make().map(Self::into_xml)));
            return self;
        }
        let json = self
            .headers
            .get(http::header::CONTENT_TYPE)
            .is_some_and(|v| v.as_bytes().starts_with(b"application/json"));
        if !json {
            return self;
        }
        self.body = match self.body {
            Body::Whole(bytes) if bytes.is_empty() => Body::Whole(bytes),
            Body::Whole(bytes) => {
                let (mut xml, mut out) = (XmlTranscoder::default(), Vec::with_capacity(bytes.len() * 2));
                xml.push(&bytes, &mut out);
                xml.finish(&mut out);
                Body::Whole(out)
            }
            live @ Body::Live(_) => live,
            Body::Streamed(produce) => Body::Streamed(Box::new(move |sink: &mut Sink| {
                sink.as_xml();
                produce(sink)
            })),
            waiting @ Body::Waiting(_) => waiting,
        };
        self.header("content-type", "application/xml; charset=UTF-8")
    }

    pub fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        if let Ok(value) = HeaderValue::from_str(&value.to_string()) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}
