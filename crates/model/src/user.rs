//! Users, roles and their API keys.

use crate::Uuid;
use crate::permission::Permissions;

/// A user as a client sent it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserDraft {
    pub email: Option<String>,
    pub org_id: Option<i64>,
    pub role_id: Option<i64>,
    pub password: Option<String>,
    pub autoalert: Option<bool>,
    pub contactalert: Option<bool>,
    pub disabled: Option<bool>,
    pub change_pw: Option<bool>,
    pub termsaccepted: Option<bool>,
    pub gpgkey: Option<String>,
    pub certif_public: Option<String>,
    pub nids_sid: Option<i64>,
    pub expiration: Option<Option<String>>,
    pub notification_daily: Option<bool>,
    pub notification_weekly: Option<bool>,
    pub notification_monthly: Option<bool>,
}

/// A stored user. The password hash never leaves the store except to be checked.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub id: i64,
    pub org_id: i64,
    pub role_id: i64,
    pub email: String,
    pub autoalert: bool,
    pub contactalert: bool,
    pub disabled: bool,
    pub change_pw: bool,
    pub termsaccepted: bool,
    pub gpgkey: Option<String>,
    pub certif_public: String,
    pub nids_sid: i64,
    pub invited_by: i64,
    /// Unix seconds, all of them; 0: never.
    pub current_login: i64,
    pub last_login: i64,
    pub last_api_access: i64,
    pub date_created: i64,
    pub date_modified: i64,
    pub last_pw_change: Option<i64>,
    pub expiration: Option<i64>,
    pub notification_daily: bool,
    pub notification_weekly: bool,
    pub notification_monthly: bool,
}

impl User {
    /// A user with nothing said about him.
    pub fn nobody() -> Self {
        Self {
            id: 0,
            org_id: 0,
            role_id: 0,
            email: String::new(),
            autoalert: false,
            contactalert: false,
            disabled: false,
            change_pw: false,
            termsaccepted: false,
            gpgkey: None,
            certif_public: String::new(),
            nids_sid: 0,
            invited_by: 0,
            current_login: 0,
            last_login: 0,
            last_api_access: 0,
            date_created: 0,
            date_modified: 0,
            last_pw_change: None,
            expiration: None,
            notification_daily: false,
            notification_weekly: false,
            notification_monthly: false,
        }
    }
}

/// A stored role.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    pub id: i64,
    pub name: String,
    pub permissions: Permissions,
    /// MISP's data level: 0 read only, 1 own events, 2 the organisation's events, 3 publish.
    pub permission: i64,
    pub default_role: bool,
    pub memory_limit: Option<String>,
    pub max_execution_time: Option<String>,
    pub restricted_to_site_admin: bool,
    pub enforce_rate_limit: bool,
    pub rate_limit_count: i64,
    pub created: i64,
    pub modified: i64,
}

/// A stored API key; only a keyed hash of the key itself is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthKey {
    pub id: i64,
    pub uuid: Uuid,
    /// First and last four characters, to recognise it by.
    pub start: String,
    pub end: String,
    pub created: i64,
    /// Unix seconds, 0: never.
    pub expiration: i64,
    pub read_only: bool,
    pub user_id: i64,
    pub comment: String,
    /// Addresses or CIDRs it may be used from; empty: anywhere.
    pub allowed_ips: Vec<String>,
    pub last_used: i64,
}
