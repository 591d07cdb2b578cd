//! On whose behalf something happens.

use pisax_model::permission::{Permission, Permissions};

/// By which door somebody came. Codes are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Via {
    /// The system for itself, or the command line.
    #[default]
    System = 0,
    Page = 1,
    Api = 2,
}

/// Where a request came from; lands in the audit log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Origin {
    pub via: Via,
    pub address: Option<std::net::IpAddr>,
    /// Row number of the API key, 0 without one.
    pub key_id: i64,
}

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
    pub origin: Origin,
}

impl Actor {
    /// The system acting for itself: sees and may do everything. Greppable, never made from a request.
    pub fn system(reason: &'static str) -> Self {
        Self {
            user_id: 0,
            org_id: 0,
            permissions: Permissions::all(),
            host_org: true,
            reason: Some(reason),
            origin: Origin::default(),
        }
    }

    /// Nobody in particular: somebody in this sharing group, or (0) in any organisation here. Such a reader is in no
    /// organisation, so nothing is his own.
    pub fn audience(sharing_group: i64) -> Self {
        Self {
            user_id: 0,
            org_id: if sharing_group > 0 { -sharing_group } else { -i64::MAX },
            permissions: Permissions::default(),
            host_org: false,
            reason: None,
            origin: Origin::default(),
        }
    }

    /// The sharing group that an [`Actor::audience`] is in.
    pub fn audience_group(&self) -> Option<i64> {
        self.org_id.checked_neg().filter(|group| *group > 0)
    }

    pub fn has(&self, permission: Permission) -> bool {
        self.permissions.has(permission)
    }

    /// Site admins and the system see every record.
    pub fn sees_all(&self) -> bool {
        self.has(Permission::SiteAdmin)
    }
}
