//! Indexes kept in memory beside the database: built from it, thrown away and built again at will.
//!
//! Anybody above `pisax-model` may call; nothing here reads or writes anything but memory.

pub mod warninglist;

pub use warninglist::{Builder, Half, Hit, List, Problem, SharedWarninglists, Warninglists};
