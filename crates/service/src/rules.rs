//! Who may administer what. Decided on stored records, like the rules on events in `pisax_access`.

use crate::{Error, Result};
use pisax_access::{Actor, Permission};
use pisax_model::sharing::SharingGroup;
use pisax_model::user::{Role, User};
use pisax_store::Writer;

/// Organisations, roles, settings, tags and knowledge belong to those who run the instance.
pub(crate) fn site_admin(actor: &Actor) -> Result<()> {
    if actor.has(Permission::SiteAdmin) { Ok(()) } else { Err(Error::Forbidden) }
}

/// Users of any organisation (site admins) or of one's own (organisation admins).
pub(crate) fn administers_users(actor: &Actor) -> Result<()> {
    let may = actor.has(Permission::Admin) || actor.has(Permission::SiteAdmin);
    if may { Ok(()) } else { Err(Error::Forbidden) }
}

/// Whether this user exists for the actor: his own account, his organisation's for its admins, all for site
/// admins.
pub(crate) fn sees_user(actor: &Actor, user: &User) -> bool {
    actor.sees_all()
        || actor.user_id == user.id
        || (actor.has(Permission::Admin) && actor.org_id == user.org_id)
}

/// Change a user or his keys. An organisation admin has no power over a site admin of his organisation: he
/// would become one himself.
pub(crate) fn manages_user(actor: &Actor, user: &User, role: &Role) -> Result<()> {
    if !sees_user(actor, user) {
        return Err(Error::NotFound("user"));
    }
    let above = role.permissions.has(Permission::SiteAdmin);
    let may = actor.sees_all() || actor.user_id == user.id || !above;
    if may { Ok(()) } else { Err(Error::Forbidden) }
}

/// Give a role to somebody. What reaches beyond one organisation is for site admins to give: a sync user speaks
/// for others and replaces what came from them.
pub(crate) fn grants_role(actor: &Actor, role: &Role) -> Result<()> {
    let beyond = [Permission::SiteAdmin, Permission::Sync, Permission::RegexpAccess];
    let reserved = role.restricted_to_site_admin || beyond.into_iter().any(|p| role.permissions.has(p));
    if actor.sees_all() || !reserved { Ok(()) } else { Err(Error::Forbidden) }
}

/// Change a sharing group: its owner, and members that may extend it.
pub(crate) fn edits_group(actor: &Actor, group: &SharingGroup) -> bool {
    let extends = group.members.iter().any(|m| m.extend && m.org_id == actor.org_id);
    owns_group(actor, group) || (actor.has(Permission::SharingGroup) && extends)
}

/// Delete a sharing group.
pub(crate) fn owns_group(actor: &Actor, group: &SharingGroup) -> bool {
    actor.sees_all() || (actor.has(Permission::SharingGroup) && group.org_id == actor.org_id)
}

/// Read and change the list of blocked events.
pub(crate) fn keeps_blocklist(actor: &Actor) -> Result<()> {
    let host = actor.host_org && actor.has(Permission::Add);
    if host || actor.sees_all() { Ok(()) } else { Err(Error::Forbidden) }
}

/// Refuses a change that leaves nobody who can administer the instance; called after it, in its transaction.
pub(crate) fn still_administered(w: &mut Writer<'_>) -> Result<()> {
    let admins: Vec<i64> =
        w.roles()?.iter().filter(|r| r.permissions.has(Permission::SiteAdmin)).map(|r| r.id).collect();
    let now = w.now();
    let active = |u: &User| !u.disabled && u.expiration.is_none_or(|t| t == 0 || t > now);
    if w.users(None, None)?.iter().any(|u| admins.contains(&u.role_id) && active(u)) {
        return Ok(());
    }
    Err(Error::Refused("There has to be a site admin who can sign in: make another one first.".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pisax_model::Uuid;
    use pisax_model::permission::Permissions;
    use pisax_model::sharing::Member;

    fn actor(user_id: i64, org_id: i64, list: &[Permission]) -> Actor {
        Actor {
            user_id,
            org_id,
            permissions: Permissions::of(list),
            host_org: false,
            reason: None,
            origin: Default::default(),
        }
    }

    fn role(list: &[Permission]) -> Role {
        Role {
            id: 1,
            name: "r".into(),
            permissions: Permissions::of(list),
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

    #[test]
    fn an_organisation_admin_manages_his_own_users_but_no_site_admin() {
        let admin = actor(1, 1, &[Permission::Admin]);
        let user = |id, org_id| User { id, ..crate::user::blank(org_id, 3) };
        let (plain, above) = (role(&[]), role(&[Permission::SiteAdmin]));
        assert!(manages_user(&admin, &user(2, 1), &plain).is_ok());
        assert!(matches!(manages_user(&admin, &user(2, 1), &above), Err(Error::Forbidden)));
        assert!(matches!(manages_user(&admin, &user(2, 2), &plain), Err(Error::NotFound("user"))));
        assert!(manages_user(&actor(2, 2, &[]), &user(2, 2), &plain).is_ok(), "everybody has himself");
        assert!(matches!(manages_user(&actor(3, 2, &[]), &user(2, 2), &plain), Err(Error::NotFound(_))));
        assert!(manages_user(&actor(9, 9, &[Permission::SiteAdmin]), &user(2, 1), &above).is_ok());
        assert!(grants_role(&admin, &above).is_err());
        assert!(grants_role(&admin, &Role { restricted_to_site_admin: true, ..plain.clone() }).is_err());
        for beyond in [Permission::Sync, Permission::RegexpAccess] {
            assert!(grants_role(&admin, &role(&[beyond])).is_err());
            assert!(grants_role(&actor(9, 9, &[Permission::SiteAdmin]), &role(&[beyond])).is_ok());
        }
        assert!(grants_role(&admin, &plain).is_ok());
    }

    #[test]
    fn a_group_is_changed_by_its_owner_and_those_who_may_extend_it() {
        let member = |org_id, extend| Member {
            id: 1,
            org_id,
            org_name: String::new(),
            org_uuid: Uuid::nil(),
            org_local: true,
            extend,
        };
        let group = SharingGroup {
            id: 1,
            uuid: Uuid::nil(),
            name: "g".into(),
            releasability: String::new(),
            description: String::new(),
            organisation_uuid: Uuid::nil(),
            org_id: 1,
            sync_user_id: 1,
            active: true,
            local: false,
            roaming: false,
            created: 0,
            modified: 0,
            members: vec![member(2, true), member(3, false)],
            servers: Vec::new(),
        };
        let of = |org| actor(7, org, &[Permission::SharingGroup]);
        assert!(owns_group(&of(1), &group) && edits_group(&of(1), &group));
        assert!(!owns_group(&of(2), &group) && edits_group(&of(2), &group));
        assert!(!edits_group(&of(3), &group));
        assert!(!owns_group(&actor(7, 1, &[]), &group));
    }
}
