//! What workflows hand to subscribers over ZeroMQ: kept in memory until the publisher takes it, as it keeps nothing
//! for who is not there either.

use crate::{Error, Result};
use parking_lot::Mutex;

/// Messages that wait, and their bytes.
const MESSAGES: usize = 1000;
const BYTES: usize = 64 * 1024 * 1024;

#[derive(Default)]
pub(crate) struct Pushed(Mutex<Vec<String>>);

impl Pushed {
    pub(crate) fn push(&self, json: String) -> Result<()> {
        let mut waiting = self.0.lock();
        let bytes: usize = waiting.iter().map(String::len).sum();
        if waiting.len() >= MESSAGES || bytes + json.len() > BYTES {
            return Err(Error::Refused("Too much waits to be published over ZeroMQ.".into()));
        }
        waiting.push(json);
        Ok(())
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock())
    }
}
