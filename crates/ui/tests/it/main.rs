//! The pages: as they are drawn, and as they are served over a database of their own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod house;
mod markup;
mod reading;
mod servers;
mod signing_in;
mod writing;
