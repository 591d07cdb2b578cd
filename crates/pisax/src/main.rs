//! The program: reads its settings, wires the crates together, starts and stops.
//!
//! `cli.rs` is the command line, `config/` the settings, `cmd/` one file for each command, `http.rs` what stands
//! around the API and the pages. No rules of threat sharing live here.

mod background;
mod cli;
mod cmd;
mod config;
mod http;
mod import;
mod installation;
mod mail;
mod metrics;
mod telemetry;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
