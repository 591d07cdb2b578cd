//! The publisher's socket: it accepts subscribers and hands each what it wants. One that does not keep up misses
//! messages, as with any ZeroMQ publisher.

use super::zmtp::{self, Topics};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, broadcast};
use tokio::task::JoinHandle;

/// Messages a slow subscriber may be behind.
const BEHIND: usize = 128;
/// Subscribers at a time.
const SUBSCRIBERS: usize = 256;
/// How long a handshake or the sending of one message may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// An open socket; it closes when this is dropped.
pub(super) struct Hub {
    pub(super) address: SocketAddr,
    sender: broadcast::Sender<Bytes>,
    accepting: JoinHandle<()>,
}

impl Drop for Hub {
    fn drop(&mut self) {
        // Subscribers leave by themselves when the sender is gone.
        self.accepting.abort();
    }
}

impl Hub {
    pub(super) async fn open(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let (sender, _) = broadcast::channel(BEHIND);
        let accepting = tokio::spawn(accept(listener, sender.downgrade()));
        Ok(Self { address, sender, accepting })
    }

    /// Hands a message (topic, space, JSON) to all who want it.
    pub(super) fn send(&self, message: Vec<u8>) {
        // Nobody may be there.
        let _ = self.sender.send(Bytes::from(message));
    }
}

async fn accept(listener: TcpListener, sender: broadcast::WeakSender<Bytes>) {
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
        let Some(sender) = sender.upgrade() else { return };
        let messages = sender.subscribe();
        drop(sender);
        tokio::spawn(async move {
            let _turn = turn;
            if let Err(error) = serve(stream, messages).await {
                tracing::debug!(%error, "a ZeroMQ subscriber left");
            }
        });
    }
}

fn no_subscriber() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, "it speaks no ZMTP 3, or is no subscriber")
}

async fn serve(mut stream: TcpStream, mut messages: broadcast::Receiver<Bytes>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    tokio::time::timeout(PATIENCE, greet(&mut stream, &mut buffer)).await??;
    let mut topics = Topics::default();
    loop {
        take_all(&mut buffer, &mut topics, &mut stream).await?;
        tokio::select! {
            read = stream.read_buf(&mut buffer) => {
                if read? == 0 {
                    return Ok(());
                }
            }
            message = messages.recv() => match message {
                Ok(message) if topics.want(&message) => send(&mut stream, &zmtp::message(&message)).await?,
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
async fn greet(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<()> {
    stream.write_all(&zmtp::greeting()).await?;
    let mut theirs = [0; zmtp::GREETING];
    stream.read_exact(&mut theirs).await?;
    if !zmtp::is_greeting(&theirs) {
        return Err(no_subscriber());
    }
    stream.write_all(&zmtp::ready()).await?;
    loop {
        if let Some((frame, taken)) = zmtp::first_frame(buffer).map_err(|()| no_subscriber())? {
            if !zmtp::is_subscriber(&frame) {
                return Err(no_subscriber());
            }
            buffer.drain(..taken);
            return Ok(());
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(no_subscriber());
        }
    }
}
