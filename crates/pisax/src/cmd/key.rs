//! `pisax key`.

use super::{table, user};
use crate::config::Config;
use crate::installation;
use anyhow::{Context, Result};
use pisax_access::Actor;
use pisax_model::ids::Ref;
use pisax_model::time;
use pisax_service::auth_key::{self, KeyDraft, Listed};

#[derive(clap::Subcommand)]
pub enum Key {
    /// Make an API key for a user and print it this once
    Add {
        email: String,
        #[arg(long)]
        comment: Option<String>,
        /// For reading only
        #[arg(long)]
        read_only: bool,
        /// Last day, as in 2030-01-31 [default: none]
        #[arg(long, value_name = "DATE")]
        expires: Option<String>,
        /// Address or range it may be used from; may be repeated [default: anywhere]
        #[arg(long, value_name = "ADDRESS")]
        allow: Vec<String>,
    },
    /// List keys, of one user or all; the keys themselves are not kept
    List { email: Option<String> },
    /// Revoke a key for good
    Delete {
        /// Its number or uuid
        key: String,
    },
}

pub fn run(config: &Config, command: Key) -> Result<()> {
    let here = installation::open(config, None)?;
    let actor = Actor::system("pisax key");
    match command {
        Key::Add { email, comment, read_only, expires, allow } => {
            let user = user::by_email(&here, &email)?.user;
            let draft = KeyDraft {
                uuid: None,
                comment,
                allowed_ips: Some(allow),
                expiration: expires,
                read_only: Some(read_only),
            };
            let added = auth_key::add(&here.service, &actor, user.id, draft)?;
            println!("Key {} for {}; it is not shown again:", added.key.id, user.email);
            println!("{}", added.raw);
        }
        Key::List { email } => {
            let user = email.map(|email| user::by_email(&here, &email)).transpose()?;
            let keys = auth_key::list(&here.service, &actor, user.map(|listed| listed.user.id))?;
            let moment = |seconds: i64| match seconds {
                0 => "never".to_owned(),
                seconds => time::format_datetime(seconds),
            };
            let rows: Vec<_> = keys
                .into_iter()
                .map(|Listed { key, email }| {
                    [
                        key.id.to_string(),
                        format!("{}…{}", key.start, key.end),
                        email,
                        if key.read_only { "read" } else { "read, write" }.to_owned(),
                        moment(key.expiration),
                        moment(key.last_used),
                        key.allowed_ips.join(" "),
                        key.comment,
                    ]
                })
                .collect();
            table::print(["ID", "KEY", "USER", "FOR", "EXPIRES", "LAST USED", "ADDRESSES", "COMMENT"], &rows);
        }
        Key::Delete { key } => {
            let reference = Ref::parse(&key).with_context(|| format!("'{key}' is no number and no uuid"))?;
            auth_key::delete(&here.service, &actor, reference)?;
            println!("Key {key} is revoked.");
        }
    }
    Ok(())
}
