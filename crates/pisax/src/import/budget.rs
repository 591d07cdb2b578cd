//! How much of the files in work is in memory at a time.

use parking_lot::{Condvar, Mutex};

/// Bytes of files that may be read but not yet stored; parsed, they take a few times as much.
const BYTES: u64 = 48 << 20;

pub(super) struct Budget {
    free: Mutex<u64>,
    freed: Condvar,
}

/// A file's share, given back when dropped.
pub(super) struct Share<'b> {
    budget: &'b Budget,
    bytes: u64,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { free: Mutex::new(BYTES), freed: Condvar::new() }
    }

    /// Waits until a file of this size may be read; one that is larger than everything waits for all of it.
    pub(super) fn take(&self, bytes: u64) -> Share<'_> {
        let bytes = bytes.min(BYTES);
        let mut free = self.free.lock();
        while *free < bytes {
            self.freed.wait(&mut free);
        }
        *free -= bytes;
        Share { budget: self, bytes }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.budget.free.lock() += self.bytes;
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_larger_than_everything_still_gets_its_turn() {
        let budget = Budget::new();
        drop(budget.take(1));
        drop(budget.take(u64::MAX));
        assert_eq!(*budget.free.lock(), BYTES);
    }
}
