//! From an `Authorization` header to the actor.

use crate::failure::Failure;
use http::HeaderMap;
use pisax_access::{Actor, Permission};
use pisax_auth::key::{KeyHasher, allowed, well_formed};
use pisax_service::Service;
use pisax_store::keys::KeyOwner;
use std::net::IpAddr;

/// MISP accepts the bare key in `Authorization` or `X-MISP-AUTH`, also as one of several comma-separated parts.
fn keys(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    ["authorization", "x-misp-auth"]
        .into_iter()
        .flat_map(|name| headers.get_all(name))
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .filter(|key| well_formed(key))
}

/// The actor a stored user acts as.
pub fn actor(
    service: &Service,
    user: &pisax_model::user::User,
    permissions: pisax_model::permission::Permissions,
) -> Actor {
    Actor {
        user_id: user.id,
        org_id: user.org_id,
        permissions,
        host_org: user.org_id == service.policy.host_org_id,
        reason: None,
        origin: Default::default(),
    }
}

/// Checks the key in MISP's order: known, user active, not expired, allowed address, read-only.
pub fn authenticate(
    service: &Service,
    hasher: &KeyHasher,
    headers: &HeaderMap,
    address: IpAddr,
) -> Result<(Actor, KeyOwner), Failure> {
    let system = Actor::system("check an API key");
    let mut owner = None;
    for key in keys(headers) {
        let hash = hasher.hash(key);
        owner = service.read(&system, |r| Ok(r.key_by_hash(&hash)?))?;
        if owner.is_some() {
            break;
        }
    }
    let owner = owner.ok_or(Failure::Unauthenticated)?;
    let now = service.now();
    let expired = |t: i64| t > 0 && t <= now;
    if owner.user.disabled || owner.user.expiration.is_some_and(expired) {
        return Err(Failure::Unauthenticated);
    }
    if expired(owner.key.expiration) {
        return Err(Failure::Refused("Auth key is expired".into()));
    }
    if !owner.key.allowed_ips.is_empty() && !allowed(address, &owner.key.allowed_ips) {
        return Err(Failure::Refused("It is not possible to use this Auth key from your IP address".into()));
    }
    let mut permissions = owner.role.permissions;
    if !permissions.has(Permission::Auth) {
        return Err(Failure::Unauthenticated);
    }
    // MISP.live, off during maintenance.
    if !service.settings().live && !permissions.has(Permission::SiteAdmin) {
        return Err(Failure::Refused("This instance is not live: only site admins can use it.".into()));
    }
    if owner.key.read_only {
        permissions = permissions.read_only();
    }
    Ok((actor(service, &owner.user, permissions), owner))
}
