//! What a handler gives back.

use crate::failure::Failure;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// Where a body goes: to the client piece by piece, or into memory when it is short.
pub struct Sink {
    sender: Option<Sender>,
    buffer: Vec<u8>,
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

/// How long a client may take for one piece: one that stops reading must not keep a database connection.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

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
        Self { sender: Some(sender), buffer: Vec::with_capacity(CHUNK + 4096) }
    }

    pub(crate) fn memory() -> Self {
        Self { sender: None, buffer: Vec::with_capacity(4096) }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.buffer
    }

    /// The buffer to write into; call [`Sink::flush_full`] after each record.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Sends what is there, once it is worth a piece.
    pub fn flush_full(&mut self) -> Result<(), Stop> {
        if self.buffer.len() < CHUNK { Ok(()) } else { self.flush() }
    }

    /// Sends what is there.
    pub fn flush(&mut self) -> Result<(), Stop> {
        let Some(sender) = &self.sender else { return Ok(()) };
        if self.buffer.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK + 4096));
        send(sender, Piece::Bytes(full.into()))
    }

    /// Sends the rest and says that it is all.
    pub(crate) fn finish(mut self) -> Result<(), Stop> {
        self.flush()?;
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

pub enum Body {
    Whole(Vec<u8>),
    Streamed(Producer),
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

    /// A body short enough to be made before the head is sent, so that a failure is still a failure.
    pub fn short(produce: impl FnOnce(&mut Sink) -> Result<(), Stop>) -> Result<Self, Failure> {
        let mut sink = Sink::memory();
        match produce(&mut sink) {
            Ok(()) => Ok(Self::json(sink.into_bytes())),
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
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
        Self { status, headers, body }
    }

    pub fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        if let Ok(value) = HeaderValue::from_str(&value.to_string()) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}
