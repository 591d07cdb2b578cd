//! Role permission flags (MISP's `perm_*` columns).

macro_rules! permissions {
    ($($name:ident = $bit:literal, $wire:literal;)+) => {
        /// One thing a role may allow.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Permission { $($name = $bit,)+ }

        impl Permission {
            /// Every permission, in the order in which MISP lists the columns.
            pub const ALL: &'static [Permission] = &[$(Permission::$name,)+];

            /// The column name: `perm_add`, ….
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $wire,)+ }
            }
        }
    };
}

permissions! {
    Add = 0, "perm_add";
    Modify = 1, "perm_modify";
    ModifyOrg = 2, "perm_modify_org";
    Publish = 3, "perm_publish";
    Delegate = 4, "perm_delegate";
    Sync = 5, "perm_sync";
    Admin = 6, "perm_admin";
    Audit = 7, "perm_audit";
    Auth = 8, "perm_auth";
    SiteAdmin = 9, "perm_site_admin";
    RegexpAccess = 10, "perm_regexp_access";
    Tagger = 11, "perm_tagger";
    Template = 12, "perm_template";
    SharingGroup = 13, "perm_sharing_group";
    TagEditor = 14, "perm_tag_editor";
    Sighting = 15, "perm_sighting";
    ObjectTemplate = 16, "perm_object_template";
    PublishZmq = 17, "perm_publish_zmq";
    PublishKafka = 18, "perm_publish_kafka";
    Decaying = 19, "perm_decaying";
    GalaxyEditor = 20, "perm_galaxy_editor";
    Warninglist = 21, "perm_warninglist";
    ViewFeedCorrelations = 22, "perm_view_feed_correlations";
    AnalystData = 23, "perm_analyst_data";
    SkipOtp = 24, "perm_skip_otp";
}

/// A set of permissions, kept as one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(pub i64);

impl Permissions {
    pub const NONE: Self = Self(0);

    pub fn all() -> Self {
        Permission::ALL.iter().fold(Self::NONE, |set, p| set.with(*p))
    }

    pub fn of(list: &[Permission]) -> Self {
        list.iter().fold(Self::NONE, |set, p| set.with(*p))
    }

    pub fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }

    pub fn with(self, permission: Permission) -> Self {
        Self(self.0 | (1 << permission as u8))
    }

    pub fn without(self, permission: Permission) -> Self {
        Self(self.0 & !(1 << permission as u8))
    }

    /// Sets add, modify, modify_org and publish from MISP's data level 0 to 3, as saving a role does.
    pub fn with_level(self, level: i64) -> Self {
        use Permission::{Add, Modify, ModifyOrg, Publish};
        let bare = self.without(Add).without(Modify).without(ModifyOrg).without(Publish);
        match level {
            1 => bare.with(Add).with(Modify),
            2 => bare.with(Add).with(Modify).with(ModifyOrg),
            3 => bare.with(Add).with(Modify).with(ModifyOrg).with(Publish),
            _ => bare,
        }
    }

    /// What a read-only key leaves of a role (semantics 11.1).
    pub fn read_only(self) -> Self {
        Self(self.0 & Self::of(&[Permission::Auth, Permission::Audit]).0)
    }
}
