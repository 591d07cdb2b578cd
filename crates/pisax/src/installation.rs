//! One installation: its database and the use cases over it.

use crate::config::Config;
use anyhow::{Context, Result, bail};
use pisax_access::{Actor, Permission};
use pisax_model::{Clock, SystemClock};
use pisax_service::Service;
use pisax_service::first_start::{Created, FirstStart, first_start};
use pisax_service::setup;
use pisax_store::files::{Files, Place};
use pisax_store::{Address, Store};
use std::path::Path;
use std::sync::Arc;

pub struct Installation {
    pub service: Arc<Service>,
}

/// Opens the database, which makes or migrates it.
pub fn open_store(config: &Config) -> Result<Store> {
    if let Address::Sqlite(path) = &config.database {
        make_private(&config.data, path)?;
    }
    let files = open_files(config, &config.attachments)?;
    Ok(Store::open(&config.database, config.options)?.with_files(files))
}

/// Opens a place for the bytes of attachments.
pub fn open_files(config: &Config, place: &Place) -> Result<Files> {
    Ok(Files::open(place, config.bucket_credentials.clone(), Arc::new(SystemClock))?)
}

/// Opens a database that has to be there: looking after one that a typing error just made helps nobody.
pub fn open_existing_store(config: &Config) -> Result<Store> {
    if let Address::Sqlite(path) = &config.database
        && !path.exists()
    {
        bail!("there is no database {}: name it with --database or --data", path.display());
    }
    open_store(config)
}

/// Opens the installation; the first time, an organisation and its administrator are made, and what nobody chose
/// is printed.
pub fn open(config: &Config, base_url: Option<&str>) -> Result<Installation> {
    from_store(config, open_store(config)?, base_url)
}

pub fn from_store(config: &Config, store: Store, base_url: Option<&str>) -> Result<Installation> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let given = FirstStart {
        email: config.admin_email.clone(),
        password: config.admin_password.clone(),
        key: config.admin_key.clone(),
        org: config.org.clone(),
    };
    if let Some(created) = first_start(&store, clock.as_ref(), given).context("first start")? {
        announce(&created);
    }
    let base_url = base_url.or(config.base_url.as_deref());
    let base_url = base_url.map_or_else(|| format!("http://{}", config.listen), str::to_owned);
    let mut service = setup::open(store, clock, &base_url)?;
    service.policy.proxy = config.outbound_proxy.clone();
    service.policy.data = Some(config.data.clone());
    service.policy.peers = config.peers;
    Ok(Installation { service: Arc::new(service) })
}

impl Installation {
    /// Who acts when a command adds events: the first site admin, so that what is imported has an owner whom
    /// people know.
    pub fn operator(&self, reason: &'static str) -> Result<Actor> {
        let users = pisax_service::user::list(&self.service, &Actor::system(reason), None, None)?;
        let admin = users
            .into_iter()
            .filter(|listed| !listed.user.disabled && listed.role.permissions.has(Permission::SiteAdmin))
            .min_by_key(|listed| listed.user.id)
            .context("there is no site admin: `pisax user add` makes one")?;
        Ok(Actor {
            user_id: admin.user.id,
            org_id: admin.user.org_id,
            permissions: admin.role.permissions,
            host_org: admin.user.org_id == self.service.policy.host_org_id,
            reason: Some(reason),
            origin: Default::default(),
        })
    }
}

/// Says what the first start made. Secrets that were given are not repeated.
fn announce(created: &Created) {
    println!("PISAX made its first organisation and administrator:");
    println!("  organisation  {}", created.org);
    println!("  e-mail        {}", created.email);
    match &created.password {
        Some(password) => println!("  password      {password}"),
        None => println!("  password      as it was given"),
    }
    match &created.key {
        Some(key) => println!("  API key       {key}"),
        None => println!("  API key       as it was given"),
    }
    if created.password.is_some() || created.key.is_some() {
        println!("Write these down: they are not shown again.");
    }
}

/// Makes the data folder and the empty database file, for their owner alone: they hold what others trusted this
/// instance with. What is there already keeps the rights somebody gave it.
fn make_private(folder: &Path, database: &Path) -> Result<()> {
    let cannot = |path: &Path| format!("data: cannot make {}", path.display());
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).with_context(|| cannot(folder))?;
    if let Some(parent) = database.parent().filter(|p| !p.as_os_str().is_empty()) {
        builder.create(parent).with_context(|| cannot(parent))?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(database) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(e).with_context(|| cannot(database)),
        _ => Ok(()),
    }
}
