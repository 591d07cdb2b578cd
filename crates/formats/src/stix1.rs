//! STIX 1.1.1, as MISP has always spoken it: packages with an incident per event. It is written for the
//! systems that still read it and thin on purpose; STIX 2 says more.

mod export;
mod import;
mod properties;
#[cfg(test)]
mod tests;

pub use export::{Form, Stix1};
pub use import::read_package;
