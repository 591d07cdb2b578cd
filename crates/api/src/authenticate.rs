//! From an `Authorization` header to the actor.

use crate::failure::Failure;
use http::HeaderMap;
use pisax_access::{Actor, Origin, Permission, Via};
use pisax_auth::key::{KeyHasher, allowed, well_formed};
use pisax_service::{Service, audit};
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
    let origin = Origin { via: Via::Api, address: Some(address), key_id: 0 };
    let (mut owner, mut tried) = (None, None);
    for key in keys(headers) {
        let hash = hasher.hash(key);
        owner = service.read(&system, |r| Ok(r.key_by_hash(&hash)?))?;
        if owner.is_some() {
            break;
        }
        tried = tried.or_else(|| key.get(..4));
    }
    let Some(owner) = owner else {
        if let Some(start) = tried {
            audit::key_refused(service, None, start, "unknown", origin);
        }
        return Err(Failure::Unauthenticated);
    };
    let origin = Origin { key_id: owner.key.id, ..origin };
    admit(service, &owner, address).inspect_err(|failure| {
        let why = match failure {
            Failure::Refused(reason) => reason.as_str(),
            _ => "its user may not use it",
        };
        audit::key_refused(service, Some(&owner.user), &owner.key.start, why, origin);
    })?;
    let mut permissions = owner.role.permissions;
    if owner.key.read_only {
        permissions = permissions.read_only();
    }
    Ok((actor(service, &owner.user, permissions), owner))
}

/// Whether a known key is good here and now.
fn admit(service: &Service, owner: &KeyOwner, address: IpAddr) -> Result<(), Failure> {
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
    let permissions = owner.role.permissions;
    if !permissions.has(Permission::Auth) {
        return Err(Failure::Unauthenticated);
    }
    // MISP.live, off during maintenance.
    if !service.settings().live && !permissions.has(Permission::SiteAdmin) {
        return Err(Failure::Refused("This instance is not live: only site admins can use it.".into()));
    }
    Ok(())
}
