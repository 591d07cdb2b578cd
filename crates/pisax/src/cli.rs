//! The command line.

use crate::cmd;
use crate::config::{self, sources::Flags};
use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// A threat-sharing platform that answers as MISP does.
#[derive(Parser)]
#[command(name = "pisax", version, about, arg_required_else_help = true, after_help = AFTER)]
struct Cli {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "Settings are read from flags, else from the environment (PISAX_…), else from pisax.toml.\n\
                     `pisax config` lists them all, with where each value came from.";

/// Where this installation is.
#[derive(Args)]
struct Place {
    /// Settings file [default: pisax.toml in the data folder, else in the current one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of everything PISAX keeps [default: data]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<String>,
    /// sqlite:PATH or postgres://… [default: sqlite:DIR/pisax.db]
    #[arg(long, global = true, value_name = "ADDRESS")]
    database: Option<String>,
    /// dir:PATH, s3://BUCKET… or database [default: dir:DIR/attachments]
    #[arg(long, global = true, value_name = "PLACE")]
    attachments: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API and the pages
    Serve {
        /// Address and port [default: 127.0.0.1:8080]
        #[arg(long, value_name = "HOST:PORT")]
        listen: Option<String>,
    },
    /// Look after the database
    #[command(subcommand)]
    Db(cmd::db::Db),
    /// Users
    #[command(subcommand)]
    User(cmd::user::User),
    /// Organisations
    #[command(subcommand)]
    Org(cmd::org::Org),
    /// API keys
    #[command(subcommand)]
    Key(cmd::key::Key),
    /// The audit log
    #[command(subcommand)]
    Audit(cmd::audit::Audit),
    /// Taxonomies, galaxies, object templates, warninglists
    #[command(subcommand)]
    Knowledge(cmd::knowledge::Knowledge),
    /// Import MISP event files (.json), feed folders and indicator lists (.txt)
    Import {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Load sample events: those of ../shared/data, else a small set of its own
    Demo,
    /// Print every setting and where its value came from
    Config {
        /// As `serve` takes it
        #[arg(long, value_name = "HOST:PORT")]
        listen: Option<String>,
    },
}

/// Runs the program. What goes wrong is one line on standard error.
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pisax: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let (config, settings) = config::load(&flags(&cli))?;
    match cli.command {
        Command::Config { .. } => return cmd::config::run(&settings),
        Command::Serve { .. } => return cmd::serve::run(config),
        _ => {}
    }
    // The result of a command is what it prints; a log besides is for what went wrong.
    crate::telemetry::start(config.log_filter("warn"), config.log_format)?;
    match cli.command {
        Command::Db(command) => cmd::db::run(&config, command),
        Command::User(command) => cmd::user::run(&config, command),
        Command::Org(command) => cmd::org::run(&config, command),
        Command::Key(command) => cmd::key::run(&config, command),
        Command::Audit(command) => cmd::audit::run(&config, command),
        Command::Knowledge(command) => cmd::knowledge::run(&config, command),
        Command::Import { files } => cmd::import::run(&config, &files),
        Command::Demo => cmd::demo::run(&config),
        Command::Config { .. } | Command::Serve { .. } => Ok(()),
    }
}

/// The flags that are settings, by the setting's name.
fn flags(cli: &Cli) -> Flags {
    let listen = match &cli.command {
        Command::Serve { listen } | Command::Config { listen } => listen,
        _ => &None,
    };
    let named = [
        ("data", &cli.place.data),
        ("database", &cli.place.database),
        ("attachments", &cli.place.attachments),
        ("listen", listen),
    ];
    let values = named.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
    Flags { config: cli.place.config.clone(), values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::table::SETTINGS;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_of_the_table_is_one_of_the_command_line() {
        for setting in SETTINGS.iter().filter(|s| s.flag.is_some()) {
            let flag = setting.flag.unwrap();
            let cli = Cli::try_parse_from(["pisax", "config", flag, "x"]).unwrap();
            assert_eq!(flags(&cli).values, [(setting.name, "x".to_owned())]);
        }
    }

    #[test]
    fn the_place_can_be_given_before_and_after_the_command() {
        for words in [
            ["pisax", "--data", "here", "db", "check"].as_slice(),
            &["pisax", "db", "check", "--data", "here"],
            &["pisax", "import", "one.json", "two.json", "--data", "here"],
        ] {
            let cli = Cli::try_parse_from(words).unwrap();
            assert_eq!(cli.place.data.as_deref(), Some("here"));
        }
    }
}
