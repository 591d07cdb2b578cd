//! On whose behalf something happens.

use pisax_model::permission::{Permission, Permissions};

/// A signed-in user, or the system itself with a stated reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub user_id: i64,
    pub org_id: i64,
    pub permissions: Permissions,
    /// Whether the user's organisation runs this instance.
    pub host_org: bool,
    /// Why the system acts, when no user does; lands in the change log.
    pub reason: Option<&'static str>,
}

impl Actor {
    /// The system acting for itself: sees and may do everything. Greppable, never made from a request.
    pub fn system(reason: &'static str) -> Self {
        Self { user_id: 0, org_id: 0, permissions: Permissions::all(), host_org: true, reason: Some(reason) }
    }

    pub fn has(&self, permission: Permission) -> bool {
        self.permissions.has(permission)
    }

    /// Site admins and the system see every record.
    pub fn sees_all(&self) -> bool {
        self.has(Permission::SiteAdmin)
    }
}
