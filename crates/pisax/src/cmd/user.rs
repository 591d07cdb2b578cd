//! `pisax user`.

use super::table;
use crate::config::Config;
use crate::installation::{self, Installation};
use anyhow::{Context, Result, bail};
use pisax_access::Actor;
use pisax_model::user::{Role, UserDraft};
use pisax_service::user::Listed;

#[derive(clap::Subcommand)]
pub enum User {
    /// Add a user; without a password one is made and printed this once
    Add {
        email: String,
        /// Name of the organisation [default: the one that runs this instance]
        #[arg(long)]
        org: Option<String>,
        /// Name of the role [default: the instance's default role]
        #[arg(long)]
        role: Option<String>,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// List users
    List,
    /// Give a user another password: a new random one, printed this once
    Password {
        email: String,
        /// Read it from standard input instead
        #[arg(long)]
        password_stdin: bool,
    },
    /// Refuse a user's password, sessions and keys
    Disable { email: String },
    /// Let a disabled user in again
    Enable { email: String },
    /// Delete a user and his keys; what he made stays
    Delete { email: String },
}

pub fn run(config: &Config, command: User) -> Result<()> {
    let here = installation::open(config, None)?;
    let actor = Actor::system("pisax user");
    let edit = |email: &str, draft: UserDraft| -> Result<()> {
        let user = by_email(&here, email)?.user;
        pisax_service::user::edit(&here.service, &actor, user.id, draft)?;
        Ok(())
    };
    match command {
        User::Add { email, org, role, password_stdin } => {
            let draft = UserDraft {
                email: Some(email),
                org_id: Some(org_id(&here, org.as_deref())?),
                role_id: role.map(|name| role_named(&here, &name)).transpose()?.map(|role| role.id),
                password: password_stdin.then(read_password).transpose()?,
                ..UserDraft::default()
            };
            let added = pisax_service::user::add(&here.service, &actor, draft)?;
            println!("Added {}.", added.user.email);
            if let Some(password) = added.password {
                println!("password  {password}");
            }
            println!("API key   {}", added.key);
        }
        User::List => list(&here)?,
        User::Password { email, password_stdin } => {
            let given = password_stdin.then(read_password).transpose()?;
            let made = given.is_none().then(pisax_auth::password::random_password);
            let password = given.or_else(|| made.clone());
            edit(&email, UserDraft { password, change_pw: Some(made.is_some()), ..UserDraft::default() })?;
            println!("{email} has another password, and no session.");
            if let Some(password) = made {
                println!("password  {password}");
            }
        }
        User::Disable { email } => {
            edit(&email, UserDraft { disabled: Some(true), ..UserDraft::default() })?;
            println!("{email} is disabled.");
        }
        User::Enable { email } => {
            edit(&email, UserDraft { disabled: Some(false), ..UserDraft::default() })?;
            println!("{email} is enabled.");
        }
        User::Delete { email } => {
            let user = by_email(&here, &email)?.user;
            pisax_service::user::delete(&here.service, &actor, user.id)?;
            println!("{email} is deleted.");
        }
    }
    Ok(())
}

fn list(here: &Installation) -> Result<()> {
    let rows: Vec<_> =
        pisax_service::user::list(&here.service, &Actor::system("pisax user list"), None, None)?
            .into_iter()
            .map(|Listed { user, role, org }| {
                let state = if user.disabled { "disabled" } else { "" };
                [user.id.to_string(), user.email, org.name, role.name, state.to_owned()]
            })
            .collect();
    table::print(["ID", "EMAIL", "ORGANISATION", "ROLE", "STATE"], &rows);
    Ok(())
}

/// The user of this address, in any case.
pub fn by_email(here: &Installation, email: &str) -> Result<Listed> {
    let users = pisax_service::user::list(&here.service, &Actor::system("find a user"), None, None)?;
    let found = users.into_iter().find(|listed| listed.user.email.eq_ignore_ascii_case(email.trim()));
    found.with_context(|| format!("there is no user '{email}': `pisax user list` shows all"))
}

fn org_id(here: &Installation, name: Option<&str>) -> Result<i64> {
    match name {
        None => Ok(here.service.policy.host_org_id),
        Some(name) => super::org::named(here, name).map(|org| org.id),
    }
}

fn role_named(here: &Installation, name: &str) -> Result<Role> {
    let roles = here.service.read(&Actor::system("find a role"), |r| Ok(r.roles()?))?;
    let names: Vec<_> = roles.iter().map(|r| r.name.clone()).collect();
    let found = roles.into_iter().find(|role| role.name.eq_ignore_ascii_case(name.trim()));
    found.with_context(|| format!("there is no role '{name}': one of {}", names.join(", ")))
}

fn read_password() -> Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("no password came on standard input");
    }
    Ok(password.to_owned())
}
