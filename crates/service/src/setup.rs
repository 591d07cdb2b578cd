//! From an open database to the use cases over it: what one installation is, kept in its settings.

use crate::{PeerBounds, Policy, Result, Service, decaying_model, knowledge, noticelist, setting};
use pisax_access::Actor;
use pisax_auth::key::KeyHasher;
use pisax_auth::session::Secret;
use pisax_model::ids::new_uuid;
use pisax_model::{Clock, Uuid};
use pisax_store::{Error as StoreError, Store, Writer};
use std::sync::Arc;

const KEY_SECRET: &str = "instance.key_secret";
pub(crate) const INSTANCE_UUID: &str = "MISP.uuid";
pub(crate) const HOST_ORG: &str = "MISP.host_org_id";

/// Reads (and, where it is the first time, makes) the installation's identity, and loads what is kept in
/// memory: settings and warninglists.
pub fn open(store: Store, clock: Arc<dyn Clock>, base_url: &str) -> Result<Service> {
    let actor = Actor::system("read the identity of this instance");
    let (secret, uuid, host) = store.write::<_, crate::Error>(&actor, clock.now_ms(), |w| {
        let host = w.setting(HOST_ORG)?.and_then(|id| id.parse().ok()).unwrap_or(0);
        Ok((key_hasher(w)?, instance_uuid(w)?, host))
    })?;
    let policy = Policy {
        base_url: base_url.trim_end_matches('/').to_owned(),
        host_org_id: host,
        instance_uuid: uuid,
        proxy: None,
        data: None,
        peers: PeerBounds::default(),
    };
    let service = Service::new(store, clock, policy, secret);
    setting::load(&service)?;
    bring_builtin(&service)?;
    knowledge::load_warninglists(&service)?;
    Ok(service)
}

/// Settings under which the versions of what was taken in already stand.
const BROUGHT: &str = "instance.builtin";

/// Takes in what this version of the platform brings with it, once: what an administrator took away afterwards
/// stays away until he asks for an update.
fn bring_builtin(service: &Service) -> Result<()> {
    let actor = Actor::system("take in what the platform brings");
    let version = env!("CARGO_PKG_VERSION");
    if service.read(&actor, |r| Ok(r.setting(BROUGHT)?))?.as_deref() == Some(version) {
        return Ok(());
    }
    service.write(&actor, |w| {
        noticelist::put_builtin(w)?;
        decaying_model::put_builtin(w, false)?;
        Ok(w.set_setting(BROUGHT, version)?)
    })
}

/// The hasher of API keys. Its secret is made once per installation.
pub(crate) fn key_hasher(w: &mut Writer<'_>) -> Result<KeyHasher> {
    let stored = w.add_setting(KEY_SECRET, &Secret::generate().to_hex())?;
    let secret = Secret::parse(&stored).ok_or(StoreError::Damaged("the secret of API keys"))?;
    Ok(KeyHasher::new(secret.hash()))
}

pub(crate) fn instance_uuid(w: &mut Writer<'_>) -> Result<Uuid> {
    let stored = w.add_setting(INSTANCE_UUID, &new_uuid(w.now_ms).to_string())?;
    Ok(Uuid::try_parse(&stored).map_err(|_| StoreError::Damaged("the uuid of this instance"))?)
}
