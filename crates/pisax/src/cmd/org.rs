//! `pisax org`.

use super::table;
use crate::config::Config;
use crate::installation::{self, Installation};
use anyhow::{Context, Result};
use pisax_access::Actor;
use pisax_model::Uuid;
use pisax_model::ids::Ref;
use pisax_model::org::{Org as Organisation, OrgDraft};
use pisax_service::org;

#[derive(clap::Subcommand)]
pub enum Org {
    /// Add an organisation
    Add {
        name: String,
        /// Its uuid, when it has one elsewhere
        #[arg(long)]
        uuid: Option<Uuid>,
        /// Without users here, known by what it shares
        #[arg(long)]
        remote: bool,
    },
    /// List organisations
    List,
    /// Delete an organisation that has neither users nor events
    Delete {
        /// Its name, number or uuid
        name: String,
    },
}

pub fn run(config: &Config, command: Org) -> Result<()> {
    let here = installation::open(config, None)?;
    let actor = Actor::system("pisax org");
    match command {
        Org::Add { name, uuid, remote } => {
            let draft = OrgDraft { name: Some(name), uuid, local: Some(!remote), ..OrgDraft::default() };
            let added = org::add(&here.service, &actor, draft)?;
            println!("Added {} ({}).", added.name, added.uuid);
        }
        Org::List => {
            let orgs = here.service.read(&actor, |r| Ok(r.orgs(None, None)?))?;
            let rows: Vec<_> = orgs
                .into_iter()
                .map(|org| {
                    let place = if org.local { "local" } else { "remote" };
                    [org.id.to_string(), org.uuid.to_string(), place.to_owned(), org.name]
                })
                .collect();
            table::print(["ID", "UUID", "USERS", "NAME"], &rows);
        }
        Org::Delete { name } => {
            let found = named(&here, &name)?;
            org::delete(&here.service, &actor, Ref::Id(found.id))?;
            println!("{} is deleted.", found.name);
        }
    }
    Ok(())
}

/// The organisation of this name, number or uuid.
pub fn named(here: &Installation, name: &str) -> Result<Organisation> {
    let found = here.service.read(&Actor::system("find an organisation"), |r| org::find(r, name))?;
    found.with_context(|| format!("there is no organisation '{name}': `pisax org list` shows all"))
}
