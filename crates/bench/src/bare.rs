//! The floor of an answer over HTTP: a loop that reads a request, writes the next prepared kind of answer and
//! knows nothing else. What the same client measures here is the statement, the JSON and the loopback.

use anyhow::{Context as _, Result, bail};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{Scope, ScopedJoinHandle};

/// Answers one connection in order: `answer(n, out)` makes the body of the n-th answer. Ends when the client
/// leaves.
pub fn answering<'s, F>(
    scope: &'s Scope<'s, '_>,
    answer: F,
) -> Result<(SocketAddr, ScopedJoinHandle<'s, Result<()>>)>
where
    F: FnMut(usize, &mut Vec<u8>) -> Result<()> + Send + 's,
{
    let listener = TcpListener::bind("127.0.0.1:0").context("listen for the floor")?;
    let address = listener.local_addr()?;
    Ok((address, scope.spawn(move || serve(&listener, answer))))
}

fn serve(listener: &TcpListener, mut answer: impl FnMut(usize, &mut Vec<u8>) -> Result<()>) -> Result<()> {
    let (mut stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    let (mut body, mut out) = (Vec::new(), Vec::new());
    let mut number = 0;
    while request(&mut stream)? {
        body.clear();
        answer(number, &mut body)?;
        number += 1;
        out.clear();
        write!(out, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len())?;
        out.extend_from_slice(&body);
        stream.write_all(&out)?;
    }
    Ok(())
}

/// Reads one request; false at the end. The client waits for each answer, so nothing follows a request.
fn request(stream: &mut TcpStream) -> Result<bool> {
    let mut bytes = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        let read = stream.read(&mut piece)?;
        if read == 0 && bytes.is_empty() {
            return Ok(false);
        }
        if read == 0 {
            bail!("the client left in the middle of a request");
        }
        bytes.extend_from_slice(&piece[..read]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]);
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            let length: usize = length.map_or(Ok(0), str::parse)?;
            if bytes.len() >= end + 4 + length {
                return Ok(true);
            }
        }
    }
}

/// A socket whose other end is read as fast as it can be.
pub fn drained<'s>(scope: &'s Scope<'s, '_>) -> Result<(TcpStream, ScopedJoinHandle<'s, Result<u64>>)> {
    let listener = TcpListener::bind("127.0.0.1:0").context("listen for the floor")?;
    let stream = TcpStream::connect(listener.local_addr()?)?;
    let reader = scope.spawn(move || {
        let (mut stream, _) = listener.accept()?;
        let mut piece = vec![0; 256 * 1024];
        let mut bytes = 0;
        loop {
            match stream.read(&mut piece)? {
                0 => return Ok(bytes),
                read => bytes += read as u64,
            }
        }
    });
    Ok((stream, reader))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Client, Request};

    #[test]
    fn answers_come_in_order() {
        std::thread::scope(|scope| {
            let (address, server) = answering(scope, |n, out| {
                out.extend_from_slice(n.to_string().as_bytes());
                Ok(())
            })
            .unwrap();
            let mut client = Client::connect(address).unwrap();
            for (n, request) in
                [Request::get("/", "k"), Request::post("/", "k", &[b'x'; 40_000])].iter().enumerate()
            {
                assert_eq!(client.send(request).unwrap().start, n.to_string().as_bytes());
            }
            drop(client);
            server.join().unwrap().unwrap();
        });
    }
}
