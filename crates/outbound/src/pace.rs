//! How slow an answer may come: who sends a byte now and then is not waited for until the time is over.

use std::io::{Error, ErrorKind, Read, Result};
use std::time::{Duration, Instant};

/// Slowest answer, in bytes per second that were waited for it. What is sent at all, by whatever line, is sent
/// faster; and it is far below what an event with its files needs to come in time.
pub(crate) const SLOWEST: u64 = 4096;
/// The part of a call's time after which it counts: a server that thinks between two records is no slow one.
const GRACE: u32 = 10;

/// A body whose speed is watched.
pub(crate) struct Paced<R> {
    body: R,
    grace: Duration,
    waited: Duration,
    read: u64,
}

impl<R> Paced<R> {
    pub(crate) fn new(body: R, timeout: Duration) -> Self {
        Self { body, grace: timeout / GRACE, waited: Duration::ZERO, read: 0 }
    }

    /// Whether so much in so much time is too little.
    fn is_slow(&self) -> bool {
        self.waited > self.grace
            && u128::from(self.read) * 1000 < u128::from(SLOWEST) * self.waited.as_millis()
    }
}

impl<R: Read> Read for Paced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let since = Instant::now();
        let read = self.body.read(buffer);
        self.waited += since.elapsed();
        let read = read?;
        self.read += read as u64;
        // At its end there is nothing to wait for any more.
        if read > 0 && self.is_slow() {
            return Err(Error::new(ErrorKind::TimedOut, Slow));
        }
        Ok(read)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the answer came at less than {SLOWEST} bytes a second")]
struct Slow;

/// Whether reading ended for this reason.
pub(crate) fn is_slow(error: &Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Slow>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_once_the_grace_is_over() {
        let paced = |waited, read| Paced {
            body: std::io::empty(),
            grace: Duration::from_secs(60),
            waited: Duration::from_secs(waited),
            read,
        };
        assert!(!paced(60, 0).is_slow(), "it may think for a while");
        assert!(paced(61, 61 * SLOWEST - 1).is_slow());
        assert!(!paced(61, 61 * SLOWEST).is_slow());
        assert!(!paced(3600, 1 << 30).is_slow());
    }

    #[test]
    fn a_trickle_is_cut_off() {
        let waited = Duration::from_secs(60);
        let paced =
            |length| Paced { body: std::io::repeat(b' ').take(length), grace: waited / 20, waited, read: 0 };
        let mut body = Vec::new();
        let error = paced(7).read_to_end(&mut body).unwrap_err();
        assert!(is_slow(&error), "{error}");
        assert!(!is_slow(&Error::from(ErrorKind::TimedOut)));
        assert_eq!(paced(0).read_to_end(&mut body).unwrap(), 0, "it was all there was");
    }
}
