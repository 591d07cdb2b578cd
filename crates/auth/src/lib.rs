//! Who somebody is: passwords, API keys, sessions, signatures and the brake on guessing.
//!
//! Pure functions over plain values: nothing here stores, listens or reads a clock. The store keeps what
//! these functions return (PHC strings, key hashes, session hashes), the edges (api, ui, the command line)
//! hand in what a client sent together with the time.

pub mod brute_force;
pub mod delivery;
pub mod key;
pub mod openpgp;
pub mod password;
pub mod session;

mod random;
