//! What users set for themselves, under MISP's names.

use crate::user::managed;
use crate::{Error, Result, Service, rules};
use pisax_access::{Actor, Permission};
use pisax_model::FieldError;
use pisax_store::Reader;
use pisax_store::user_settings::{UserSetting, UserSettingQuery};

/// Who may set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    Everybody,
    SiteAdmins,
    /// The program alone.
    Nobody,
}

const NAMES: &[(&str, For)] = &[
    ("publish_alert_filter", For::Everybody),
    ("dashboard_access", For::SiteAdmins),
    ("dashboard", For::Everybody),
    ("homepage", For::Everybody),
    ("default_restsearch_parameters", For::Everybody),
    ("tag_numerical_value_override", For::Everybody),
    ("event_index_hide_columns", For::Everybody),
    ("oidc", For::Nobody),
    ("periodic_notification_filters", For::Everybody),
];

/// Longest value kept, in bytes: MISP's column.
const LONGEST: usize = 65_535;

/// Whose settings to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Whose {
    /// Of everybody one administers.
    #[default]
    All,
    Mine,
    Organisation,
    User(i64),
}

/// Whether there is such a setting, and it is one that people set.
pub fn known(setting: &str) -> bool {
    NAMES.iter().any(|(name, who)| *name == setting && *who != For::Nobody)
}

/// The settings one may see.
pub fn list(
    service: &Service,
    actor: &Actor,
    whose: Whose,
    setting: Option<String>,
) -> Result<Vec<UserSetting>> {
    let mut query = UserSettingQuery { setting, ..UserSettingQuery::default() };
    match whose {
        Whose::All => {}
        Whose::Mine => query.user_id = Some(actor.user_id),
        Whose::Organisation => query.org_id = Some(actor.org_id),
        Whose::User(id) => query.user_id = Some(id),
    }
    if !actor.sees_all() {
        query.org_id = Some(actor.org_id);
        if !actor.has(Permission::Admin) {
            // Of others he sees none: what he may not see is not read.
            if query.user_id.is_some_and(|id| id != actor.user_id) {
                return Ok(Vec::new());
            }
            query.user_id = Some(actor.user_id);
        }
    }
    service.read(actor, |r| {
        let mut found = r.user_settings(&query)?;
        found.retain(|setting| sees(actor, setting));
        Ok(found)
    })
}

/// All settings of one user, for those who see him.
pub fn of_user(service: &Service, actor: &Actor, user_id: i64) -> Result<Vec<UserSetting>> {
    list(service, actor, Whose::User(user_id), None)
}

/// One setting by its number.
pub fn view(service: &Service, actor: &Actor, id: i64) -> Result<UserSetting> {
    service.read(actor, |r| seen(r, UserSettingQuery { id: Some(id), ..UserSettingQuery::default() }))
}

/// One setting of a user.
pub fn get(service: &Service, actor: &Actor, user_id: i64, setting: &str) -> Result<UserSetting> {
    service.read(actor, |r| seen(r, named(user_id, setting)))
}

/// The value of one's own setting, where there is one.
pub fn own(service: &Service, actor: &Actor, setting: &str) -> Result<Option<String>> {
    service.read(actor, |r| Ok(r.user_setting(actor.user_id, setting)?.map(|s| s.value)))
}

/// Sets it (the value is JSON), for oneself or for somebody one administers.
pub fn set(
    service: &Service,
    actor: &Actor,
    user_id: i64,
    setting: &str,
    value: &str,
) -> Result<UserSetting> {
    may_set(actor, setting)?;
    if value.len() > LONGEST {
        return Err(FieldError::new("value", "The value is longer than 65535 bytes.").into());
    }
    if setting == "publish_alert_filter" {
        crate::mail::read_filter(value).map_err(|message| FieldError::new("value", message))?;
    }
    if setting == crate::mail::digest::SETTING {
        pisax_formats::summary::Wishes::read(value).map_err(|message| FieldError::new("value", message))?;
    }
    service.write(actor, |w| {
        managed(w, user_id)?;
        w.set_user_setting(user_id, setting, value)?;
        w.user_setting(user_id, setting)?.ok_or(Error::NotFound("user setting"))
    })
}

/// Takes a setting away: by its number, or by user and name. Returns its number.
pub fn delete(service: &Service, actor: &Actor, which: UserSettingQuery) -> Result<i64> {
    service.write(actor, |w| {
        let setting = seen(w, which)?;
        may_set(actor, &setting.setting)?;
        managed(w, setting.user_id)?;
        w.delete_user_setting(&setting)?;
        Ok(setting.id)
    })
}

/// The setting of this name of one user.
pub fn named(user_id: i64, setting: &str) -> UserSettingQuery {
    UserSettingQuery {
        user_id: Some(user_id),
        setting: Some(setting.to_owned()),
        ..UserSettingQuery::default()
    }
}

fn seen(r: &mut Reader<'_>, query: UserSettingQuery) -> Result<UserSetting> {
    let actor = r.actor().clone();
    let found = r.user_settings(&query)?.pop().filter(|setting| sees(&actor, setting));
    found.ok_or(Error::NotFound("user setting"))
}

fn sees(actor: &Actor, setting: &UserSetting) -> bool {
    let own = actor.user_id == setting.user_id;
    let administered = actor.has(Permission::Admin) && actor.org_id == setting.org_id;
    actor.sees_all() || (known(&setting.setting) && (own || administered))
}

fn may_set(actor: &Actor, setting: &str) -> Result<()> {
    match NAMES.iter().find(|(name, _)| *name == setting) {
        None | Some((_, For::Nobody)) => Err(Error::NotFound("setting")),
        Some((_, For::SiteAdmins)) => rules::site_admin(actor).map_err(|_| {
            Error::Refused(
                "This setting is restricted and requires the following permission(s): site_admin".into(),
            )
        }),
        Some((_, For::Everybody)) => Ok(()),
    }
}
