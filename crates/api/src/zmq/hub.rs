//! The publisher's socket: it accepts subscribers and hands each what it wants. One that does not keep up misses
//! messages, as with any ZeroMQ publisher.
//!
//! After a restart those who were connected come back within a moment, and what was committed meanwhile is published
//! before they are there. For so long it is held for everybody who comes.

use super::zmtp::{self, Mechanism, Topics};
use bytes::Bytes;
use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, broadcast};
use tokio::task::JoinHandle;

/// Messages a slow subscriber may be behind.
const BEHIND: usize = 1024;
/// Subscribers at a time.
const SUBSCRIBERS: usize = 256;
/// How long a handshake or the sending of one message may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long after the start messages are held for those who come back, and how many bytes of them.
const RETURNING: Duration = Duration::from_secs(15);
const HELD: usize = 64 << 20;
/// A subscriber who comes back says all he wants at once; what he missed follows when he has said nothing for so
/// long.
const SAID: Duration = Duration::from_millis(100);

/// Who may subscribe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Door {
    pub(super) username: Arc<str>,
    pub(super) password: Arc<str>,
}

impl Door {
    fn mechanism(&self) -> Mechanism {
        if self.username.is_empty() && self.password.is_empty() { Mechanism::Null } else { Mechanism::Plain }
    }
}

/// An open socket; it closes when this is dropped.
pub(super) struct Hub {
    pub(super) address: SocketAddr,
    pub(super) door: Door,
    wire: Arc<Wire>,
    accepting: JoinHandle<()>,
}

/// What subscribers are handed.
struct Wire {
    /// Gone when the hub is.
    sender: Mutex<Option<broadcast::Sender<Bytes>>>,
    held: Mutex<Held>,
    /// Subscribers who are being sent something.
    writing: AtomicUsize,
}

/// Counts one of them for as long as it lives.
struct Writing<'w>(&'w AtomicUsize);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What was published since the start, for those who come back.
struct Held {
    until: Option<Instant>,
    messages: Vec<Bytes>,
    bytes: usize,
}

impl Held {
    fn keep(&mut self, message: &Bytes) {
        let Some(until) = self.until else { return };
        self.bytes += message.len();
        if Instant::now() > until || self.bytes > HELD {
            *self = Self { until: None, messages: Vec::new(), bytes: 0 };
            return;
        }
        self.messages.push(message.clone());
    }

    /// Until when those who come are given what they missed.
    fn until(&self) -> Option<Instant> {
        self.until.filter(|until| Instant::now() <= *until)
    }

    fn messages(&self) -> Vec<Bytes> {
        if self.until().is_some() { self.messages.clone() } else { Vec::new() }
    }
}

impl Wire {
    fn writing(&self) -> Writing<'_> {
        self.writing.fetch_add(1, Ordering::SeqCst);
        Writing(&self.writing)
    }

    /// What was held, and all that comes after it.
    fn join(&self) -> Option<(Vec<Bytes>, broadcast::Receiver<Bytes>)> {
        let held = self.held.lock();
        let messages = self.sender.lock().as_ref()?.subscribe();
        Some((held.messages(), messages))
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // Subscribers leave by themselves when the sender is gone.
        *self.wire.sender.lock() = None;
        self.accepting.abort();
    }
}

impl Hub {
    /// `returning`: there were subscribers before, who will come back.
    pub(super) async fn open(address: SocketAddr, door: Door, returning: bool) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let (sender, _) = broadcast::channel(BEHIND);
        let until = returning.then(|| Instant::now() + RETURNING);
        let held = Mutex::new(Held { until, messages: Vec::new(), bytes: 0 });
        let wire = Arc::new(Wire { sender: Mutex::new(Some(sender)), held, writing: AtomicUsize::new(0) });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&wire), door.clone()));
        Ok(Self { address, door, wire, accepting })
    }

    /// Hands a message (topic, space, JSON) to all who want it.
    pub(super) fn send(&self, message: Vec<u8>) {
        let message = Bytes::from(message);
        let mut held = self.wire.held.lock();
        held.keep(&message);
        if let Some(sender) = &*self.wire.sender.lock() {
            // Nobody may be there.
            let _ = sender.send(message);
        }
    }

    /// Whether everything went out to those who are there.
    pub(super) fn is_idle(&self) -> bool {
        let waiting = self.wire.sender.lock().as_ref().map_or(0, broadcast::Sender::len);
        waiting == 0 && self.wire.writing.load(Ordering::SeqCst) == 0
    }

    /// Whether somebody is far enough behind that what is at hand anyway had better wait.
    pub(super) fn is_behind(&self) -> bool {
        self.wire.sender.lock().as_ref().is_some_and(|sender| sender.len() > BEHIND / 4)
    }
}

async fn accept(listener: TcpListener, wire: Arc<Wire>, door: Door) {
    let turns = Arc::new(Semaphore::new(SUBSCRIBERS));
    loop {
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, mostly: others are given time to close theirs.
                tracing::warn!(%error, "a ZeroMQ subscriber could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (wire, door) = (Arc::clone(&wire), door.clone());
        tokio::spawn(async move {
            let _turn = turn;
            if let Err(error) = serve(stream, &wire, &door).await {
                tracing::debug!(%error, "a ZeroMQ subscriber left");
            }
        });
    }
}

fn no_subscriber() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, "it speaks no ZMTP 3, or is no subscriber")
}

fn stranger() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::PermissionDenied, "its name or password is wrong")
}

async fn serve(mut stream: TcpStream, wire: &Wire, door: &Door) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    tokio::time::timeout(PATIENCE, greet(&mut stream, &mut buffer, door)).await??;
    let mut topics = Topics::default();
    let until = wire.held.lock().until();
    if let Some(until) = until {
        // libzmq subscribes anew when its application looks at the socket next.
        loop {
            take_all(&mut buffer, &mut topics, &mut stream).await?;
            let left = until.saturating_duration_since(Instant::now());
            let patience = if topics.is_empty() { left } else { SAID.min(left) };
            match tokio::time::timeout(patience, stream.read_buf(&mut buffer)).await {
                Ok(Ok(0)) => return Ok(()),
                Ok(read) => drop(read?),
                Err(_) => break,
            }
        }
    }
    let Some((held, mut messages)) = wire.join() else { return Ok(()) };
    for message in held.iter().filter(|message| topics.want(message)) {
        let _writing = wire.writing();
        send(&mut stream, &zmtp::message(message)).await?;
    }
    drop(held);
    loop {
        take_all(&mut buffer, &mut topics, &mut stream).await?;
        tokio::select! {
            read = stream.read_buf(&mut buffer) => {
                if read? == 0 {
                    return Ok(());
                }
            }
            message = messages.recv() => match message {
                Ok(message) if topics.want(&message) => {
                    let _writing = wire.writing();
                    send(&mut stream, &zmtp::message(&message)).await?;
                }
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "a ZeroMQ subscriber is too slow"),
                Err(RecvError::Closed) => return Ok(()),
            },
        }
    }
}

/// Takes the whole frames out of the buffer.
async fn take_all(buffer: &mut Vec<u8>, topics: &mut Topics, stream: &mut TcpStream) -> std::io::Result<()> {
    loop {
        let (answer, taken) = match zmtp::first_frame(buffer).map_err(|()| no_subscriber())? {
            Some((frame, taken)) => (topics.take(&frame), taken),
            None => return Ok(()),
        };
        buffer.drain(..taken);
        if let Some(answer) = answer {
            send(stream, &answer).await?;
        }
    }
}

async fn send(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    tokio::time::timeout(PATIENCE, stream.write_all(bytes)).await?
}

/// Both sides say what they are; what came after that stays in the buffer.
async fn greet(stream: &mut TcpStream, buffer: &mut Vec<u8>, door: &Door) -> std::io::Result<()> {
    let mechanism = door.mechanism();
    stream.write_all(&zmtp::greeting(mechanism)).await?;
    let mut theirs = [0; zmtp::GREETING];
    stream.read_exact(&mut theirs).await?;
    if !zmtp::is_greeting(&theirs, mechanism) {
        return Err(no_subscriber());
    }
    match mechanism {
        Mechanism::Null => {
            stream.write_all(&zmtp::ready()).await?;
            expect(stream, buffer, |frame| zmtp::is_subscriber(frame, mechanism), no_subscriber).await
        }
        Mechanism::Plain => {
            let known = |frame: &zmtp::Frame<'_>| zmtp::is_hello(frame, &door.username, &door.password);
            if let Err(error) = expect(stream, buffer, known, stranger).await {
                // It learns that it need not come again.
                stream.write_all(&zmtp::refusal()).await?;
                return Err(error);
            }
            stream.write_all(&zmtp::welcome()).await?;
            expect(stream, buffer, |frame| zmtp::is_subscriber(frame, mechanism), no_subscriber).await?;
            stream.write_all(&zmtp::ready()).await
        }
    }
}

/// Takes the next frame, which has to be right.
async fn expect(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    right: impl Fn(&zmtp::Frame<'_>) -> bool,
    wrong: fn() -> std::io::Error,
) -> std::io::Result<()> {
    loop {
        if let Some((frame, taken)) = zmtp::first_frame(buffer).map_err(|()| no_subscriber())? {
            if !right(&frame) {
                return Err(wrong());
            }
            buffer.drain(..taken);
            return Ok(());
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(no_subscriber());
        }
    }
}
