//! `pisax audit`: is the audit log whole, what does it say, how much of it is kept.

use super::table;
use crate::config::Config;
use crate::installation;
use anyhow::{Context, Result, bail};
use pisax_access::Actor;
use pisax_model::{Clock, SystemClock, time};
use pisax_store::audit::{EntryQuery, hex, unhex};
use pisax_store::{Error, Store};

#[derive(clap::Subcommand)]
pub enum Audit {
    /// Say whether the audit log is whole; exit code 1 if not
    Verify {
        /// A hash that an earlier run printed: it has to be in the log still
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
    },
    /// Print the newest rows
    List {
        /// How many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=100_000))]
        limit: i64,
        /// What one user did
        #[arg(long, value_name = "ADDRESS")]
        user: Option<String>,
        /// What happened to one event
        #[arg(long, value_name = "NUMBER")]
        event: Option<i64>,
        /// From this day or moment on
        #[arg(long, value_name = "WHEN")]
        since: Option<String>,
    },
    /// Remove old rows; that they were removed stays in the log
    Trim {
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=36_500))]
        older_than: i64,
    },
}

const DAY: i64 = 86_400;

pub fn run(config: &Config, command: Audit) -> Result<()> {
    let store = installation::open_existing_store(config)?;
    match command {
        Audit::Verify { head } => verify(&store, head.as_deref()),
        Audit::List { limit, user, event, since } => list(&store, limit, user, event, since),
        Audit::Trim { older_than } => {
            let now_ms = SystemClock.now_ms();
            let removed = store.trim_audit(now_ms, now_ms / 1000 - older_than * DAY)?;
            println!("{removed} rows were older than {older_than} days and are gone.");
            Ok(())
        }
    }
}

fn verify(store: &Store, head: Option<&str>) -> Result<()> {
    let known = match head {
        None => None,
        Some(text) => Some(unhex(text).with_context(|| format!("'{text}' is no hash that this prints"))?),
    };
    let found = store.read::<_, Error>(&Actor::system("pisax audit"), |r| r.verify_audit(known))?;
    if let Some(words) = found.broken {
        bail!("the audit log is not whole: {words}");
    }
    if !found.known {
        bail!("the audit log is whole, but it is not the one of that hash: it was replaced or cut");
    }
    println!("The audit log is whole: {} rows.", found.rows);
    println!("Note this down, and ask for it next time with --head:");
    println!("{}", hex(&found.head));
    Ok(())
}

fn list(
    store: &Store,
    limit: i64,
    user: Option<String>,
    event: Option<i64>,
    since: Option<String>,
) -> Result<()> {
    let now = SystemClock.now_ms() / 1000;
    let from = match since {
        None => None,
        Some(text) => {
            Some(time::parse_moment(&text, now).with_context(|| format!("--since: '{text}' is no moment"))?)
        }
    };
    let query = EntryQuery { event_id: event, from, email: user, limit, ..EntryQuery::default() };
    let mut rows = Vec::new();
    store.read::<_, Error>(&Actor::system("pisax audit"), |r| {
        r.audit(&query, &mut |entry| {
            let fields: Vec<String> =
                entry.fields.iter().map(|f| format!("{}: {:?} -> {:?}", f.name, f.old, f.new)).collect();
            let who = entry.email.clone().or_else(|| entry.reason.clone()).unwrap_or_default();
            rows.push([
                entry.seq.to_string(),
                time::format_datetime(entry.at),
                who,
                entry.address.clone(),
                pisax_api::log_words(entry.noun, entry.action),
                entry.title.clone(),
                fields.join(", "),
            ]);
            Ok(())
        })
    })?;
    table::print(["ROW", "WHEN", "WHO", "FROM", "WHAT", "RECORD", "FIELDS"], &rows);
    Ok(())
}
