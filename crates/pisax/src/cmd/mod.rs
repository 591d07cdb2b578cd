//! One file for each command.

pub mod audit;
pub mod config;
pub mod db;
pub mod demo;
pub mod import;
pub mod key;
pub mod knowledge;
pub mod org;
pub mod serve;
mod table;
pub mod user;
