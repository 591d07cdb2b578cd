//! Who may change what (MISP semantics 3.3). Decided on the stored record, never on ids a client sent.

use crate::Actor;
use pisax_model::permission::Permission;

/// Owner facts of a stored event.
#[derive(Debug, Clone, Copy)]
pub struct EventOwner {
    pub orgc_id: i64,
    pub user_id: i64,
    pub locked: bool,
}

/// Change the event or anything in it.
pub fn may_edit(actor: &Actor, event: EventOwner) -> bool {
    actor.has(Permission::SiteAdmin)
        || (actor.has(Permission::ModifyOrg) && actor.org_id == event.orgc_id)
        || (actor.has(Permission::Modify) && actor.user_id == event.user_id && actor.org_id == event.orgc_id)
}

/// Replace the event as a whole: also a sync user, for events that came from elsewhere.
pub fn may_replace(actor: &Actor, event: EventOwner) -> bool {
    may_edit(actor, event) || (actor.has(Permission::Sync) && event.locked)
}

/// Change a report of the event: anybody of its creator's organisation who may add.
pub fn may_report(actor: &Actor, event: EventOwner) -> bool {
    may_edit(actor, event) || (actor.has(Permission::Add) && actor.org_id == event.orgc_id)
}

/// Change or delete analyst data by this organisation.
pub fn may_edit_analyst_data(actor: &Actor, orgc_id: i64) -> bool {
    actor.has(Permission::SiteAdmin) || actor.org_id == orgc_id
}

/// Publish or unpublish it.
pub fn may_publish(actor: &Actor, event: EventOwner) -> bool {
    actor.has(Permission::SiteAdmin) || (actor.has(Permission::Publish) && actor.org_id == event.orgc_id)
}

/// Attach or detach a global tag; local ones may also be set by users of the organisation running the instance.
pub fn may_tag(actor: &Actor, event: EventOwner, local: bool) -> bool {
    let tagger = actor.has(Permission::Tagger) || actor.has(Permission::Sync);
    tagger && (may_edit(actor, event) || (local && actor.host_org))
}

/// Change a custom galaxy cluster or its relations: galaxy editors of the organisation that made it.
pub fn may_edit_cluster(actor: &Actor, orgc_id: i64) -> bool {
    actor.has(Permission::SiteAdmin) || (actor.has(Permission::GalaxyEditor) && actor.org_id == orgc_id)
}

/// Change a tag collection: tag editors of its organisation.
pub fn may_edit_collection(actor: &Actor, org_id: i64) -> bool {
    actor.has(Permission::SiteAdmin) || (actor.has(Permission::TagEditor) && actor.org_id == org_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pisax_model::permission::Permissions;

    fn actor(org: i64, user: i64, list: &[Permission]) -> Actor {
        Actor {
            user_id: user,
            org_id: org,
            permissions: Permissions::of(list),
            host_org: false,
            reason: None,
            origin: Default::default(),
        }
    }

    const OWNER: EventOwner = EventOwner { orgc_id: 1, user_id: 7, locked: false };

    #[test]
    fn only_the_creator_organisation_edits() {
        use Permission::{Modify, ModifyOrg, SiteAdmin};
        assert!(may_edit(&actor(1, 8, &[ModifyOrg]), OWNER));
        assert!(may_edit(&actor(1, 7, &[Modify]), OWNER));
        assert!(!may_edit(&actor(1, 8, &[Modify]), OWNER));
        assert!(!may_edit(&actor(2, 7, &[Modify, ModifyOrg]), OWNER));
        assert!(may_edit(&actor(2, 9, &[SiteAdmin]), OWNER));
    }

    #[test]
    fn clusters_and_collections_are_changed_by_editors_of_their_organisation() {
        use Permission::{GalaxyEditor, SiteAdmin, TagEditor};
        assert!(may_edit_cluster(&actor(1, 8, &[GalaxyEditor]), 1));
        assert!(!may_edit_cluster(&actor(2, 8, &[GalaxyEditor]), 1));
        assert!(!may_edit_cluster(&actor(1, 8, &[TagEditor]), 1));
        assert!(may_edit_cluster(&actor(2, 8, &[SiteAdmin]), 1));
        assert!(may_edit_collection(&actor(1, 8, &[TagEditor]), 1));
        assert!(!may_edit_collection(&actor(2, 8, &[TagEditor]), 1));
        assert!(!may_edit_collection(&actor(1, 8, &[GalaxyEditor]), 1));
    }

    #[test]
    fn a_sync_user_replaces_only_what_came_from_elsewhere() {
        let sync = actor(2, 9, &[Permission::Sync]);
        assert!(!may_replace(&sync, OWNER));
        assert!(may_replace(&sync, EventOwner { locked: true, ..OWNER }));
    }
}
