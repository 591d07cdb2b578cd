//! Roles: what their users may do. Site admins alone change them.

use crate::{Error, Result, Service, rules};
use pisax_access::{Actor, Permission};
use pisax_model::FieldError;
use pisax_model::permission::Permissions;
use pisax_model::user::Role;
use pisax_store::Writer;

/// A role as a client sends it; what is absent stays or has its default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoleDraft {
    pub name: Option<String>,
    /// MISP's data level 0 to 3; the four data permissions follow from it alone (semantics 3.4).
    pub level: Option<i64>,
    /// The other permissions, on or off.
    pub permissions: Vec<(Permission, bool)>,
    pub default_role: Option<bool>,
    /// Empty: none.
    pub memory_limit: Option<String>,
    pub max_execution_time: Option<String>,
    pub restricted_to_site_admin: Option<bool>,
    pub enforce_rate_limit: Option<bool>,
    pub rate_limit_count: Option<i64>,
}

/// Adds a role; without a level its users may only read.
pub fn add(service: &Service, actor: &Actor, draft: RoleDraft) -> Result<Role> {
    rules::site_admin(actor)?;
    let mut role = blank();
    apply(&mut role, draft)?;
    service.write(actor, |w| {
        let id = w.add_role(&role).map_err(taken)?;
        w.role(id)?.ok_or(Error::NotFound("role"))
    })
}

/// Changes a role; its users have what it says from their next request on.
pub fn edit(service: &Service, actor: &Actor, id: i64, draft: RoleDraft) -> Result<Role> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        w.lock_roles()?;
        let mut role = w.role(id)?.ok_or(Error::NotFound("role"))?;
        apply(&mut role, draft)?;
        w.edit_role(&role).map_err(taken)?;
        rules::still_administered(w)?;
        w.role(id)?.ok_or(Error::NotFound("role"))
    })
}

/// Removes a role that nobody has.
pub fn delete(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        w.lock_roles()?;
        w.role(id)?.ok_or(Error::NotFound("role"))?;
        if has_users(w, id)? {
            let message = "It is not possible to delete a role that users have: give them another one first.";
            return Err(FieldError::new("role", message).into());
        }
        Ok(w.delete_role(id)?)
    })
}

/// Makes it the role of users that are added without one.
pub fn set_default(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    rules::site_admin(actor)?;
    service.write(actor, |w| {
        w.lock_roles()?;
        Ok(w.set_default_role(id)?)
    })
}

fn has_users(w: &mut Writer<'_>, id: i64) -> Result<bool> {
    Ok(w.users(None, None)?.iter().any(|user| user.role_id == id))
}

fn blank() -> Role {
    Role {
        id: 0,
        name: String::new(),
        permissions: Permissions::NONE,
        permission: 0,
        default_role: false,
        memory_limit: None,
        max_execution_time: None,
        restricted_to_site_admin: false,
        enforce_rate_limit: false,
        rate_limit_count: 0,
        created: 0,
        modified: 0,
    }
}

fn apply(role: &mut Role, draft: RoleDraft) -> Result<(), FieldError> {
    if let Some(name) = draft.name {
        role.name = name.trim().to_owned();
    }
    if role.name.is_empty() {
        return Err(FieldError::new("name", "The name cannot be empty."));
    }
    for (permission, on) in draft.permissions {
        let set = role.permissions;
        role.permissions = if on { set.with(permission) } else { set.without(permission) };
    }
    let level = draft.level.unwrap_or(role.permission);
    if !(0..=3).contains(&level) {
        return Err(FieldError::new(
            "permission",
            "Options: 0, 1, 2, 3 (read only, own, organisation, publish)",
        ));
    }
    role.permission = level;
    role.permissions = role.permissions.with_level(level);
    role.default_role = draft.default_role.unwrap_or(role.default_role);
    let limit = |text: String| Some(text).filter(|t| !t.trim().is_empty());
    if let Some(text) = draft.memory_limit {
        role.memory_limit = limit(text);
    }
    if let Some(text) = draft.max_execution_time {
        role.max_execution_time = limit(text);
    }
    role.restricted_to_site_admin = draft.restricted_to_site_admin.unwrap_or(role.restricted_to_site_admin);
    role.enforce_rate_limit = draft.enforce_rate_limit.unwrap_or(role.enforce_rate_limit);
    role.rate_limit_count = draft.rate_limit_count.unwrap_or(role.rate_limit_count);
    Ok(())
}

fn taken(error: pisax_store::Error) -> Error {
    match error {
        pisax_store::Error::Conflict(_) => {
            FieldError::new("name", "A role with this name already exists.").into()
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_permissions_follow_from_the_level_alone() {
        let mut role = blank();
        let draft = RoleDraft {
            name: Some(" testrole ".into()),
            permissions: vec![(Permission::Publish, true), (Permission::Sighting, true)],
            ..RoleDraft::default()
        };
        apply(&mut role, draft).unwrap();
        assert_eq!(role.permissions, Permissions::of(&[Permission::Sighting]));
        apply(&mut role, RoleDraft { level: Some(2), ..RoleDraft::default() }).unwrap();
        assert!(role.permissions.has(Permission::ModifyOrg) && !role.permissions.has(Permission::Publish));
        assert!(role.permissions.has(Permission::Sighting));
        assert!(apply(&mut role, RoleDraft { level: Some(4), ..RoleDraft::default() }).is_err());
        assert!(apply(&mut role, RoleDraft { name: Some(" ".into()), ..RoleDraft::default() }).is_err());
    }
}
