//! Organisations, users, roles, keys, sightings and the list of types in MISP's shapes.

use crate::json::{JsonWriter, k};
use pisax_model::org::Org;
use pisax_model::permission::Permission;
use pisax_model::sighting::Sighting;
use pisax_model::user::{AuthKey, Role, User};
use pisax_model::{AttributeType, Category};

// ---- Organisations --------------------------------------------------------------------------------

/// How many users an organisation has, and who made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrgFacts<'a> {
    pub user_count: i64,
    pub created_by_email: Option<&'a str>,
}

/// `{"Organisation":{…}}` of `organisations/view` (008).
pub fn write_viewed_org(w: &mut JsonWriter<'_>, org: &Org, facts: OrgFacts<'_>) {
    w.begin_object();
    w.name(k!("Organisation"));
    w.begin_object();
    w.num(k!("id"), org.id);
    w.text(k!("name"), &org.name);
    w.datetime(k!("date_created"), org.date_created);
    w.datetime(k!("date_modified"), org.date_modified);
    w.text(k!("type"), &org.kind);
    w.text(k!("nationality"), &org.nationality);
    w.text(k!("sector"), &org.sector);
    w.text_or_null(k!("contacts"), org.contacts.as_deref());
    w.text_or_null(k!("description"), org.description.as_deref());
    w.flag(k!("local"), org.local);
    w.id(k!("uuid"), org.uuid);
    domains(w, org);
    w.num(k!("created_by"), org.created_by);
    org_facts(w, facts);
    w.end_object();
    w.end_object();
}

/// `{"Organisation":{…}}`: an item of `organisations/index` (with facts) or the answer of
/// `admin/organisations/add` and `edit` (without).
pub fn write_org(w: &mut JsonWriter<'_>, org: &Org, facts: Option<OrgFacts<'_>>) {
    w.begin_object();
    w.name(k!("Organisation"));
    w.begin_object();
    org_columns(w, org);
    if let Some(facts) = facts {
        org_facts(w, facts);
    }
    w.end_object();
    w.end_object();
}

fn org_facts(w: &mut JsonWriter<'_>, facts: OrgFacts<'_>) {
    w.num(k!("user_count"), facts.user_count);
    w.text(k!("created_by_email"), facts.created_by_email.unwrap_or("Unknown"));
}

pub(crate) fn org_columns(w: &mut JsonWriter<'_>, org: &Org) {
    w.num(k!("id"), org.id);
    w.text(k!("name"), &org.name);
    w.datetime(k!("date_created"), org.date_created);
    w.datetime(k!("date_modified"), org.date_modified);
    w.text_or_null(k!("description"), org.description.as_deref());
    w.text(k!("type"), &org.kind);
    w.text(k!("nationality"), &org.nationality);
    w.text(k!("sector"), &org.sector);
    w.num(k!("created_by"), org.created_by);
    w.id(k!("uuid"), org.uuid);
    w.text_or_null(k!("contacts"), org.contacts.as_deref());
    w.flag(k!("local"), org.local);
    domains(w, org);
    w.text_or_null(k!("landingpage"), org.landingpage.as_deref());
}

fn domains(w: &mut JsonWriter<'_>, org: &Org) {
    w.name(k!("restricted_to_domain"));
    texts_or_null(w, &org.restricted_to_domain);
}

fn texts_or_null(w: &mut JsonWriter<'_>, texts: &[String]) {
    if texts.is_empty() {
        return w.null();
    }
    w.begin_array();
    texts.iter().for_each(|text| w.str(text));
    w.end_array();
}

// ---- Users ----------------------------------------------------------------------------------------

/// Which of MISP's forms of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserShape<'a> {
    /// `users/view` (005).
    Viewed,
    /// `admin/users/add` (013), where the new key is shown once, and `edit`.
    Saved { authkey: Option<&'a str> },
    /// `admin/users/index`.
    Listed,
}

/// The value of `"User":…`.
pub fn write_user(w: &mut JsonWriter<'_>, user: &User, shape: UserShape<'_>) {
    w.begin_object();
    w.num(k!("id"), user.id);
    let saved = matches!(shape, UserShape::Saved { .. });
    if shape != UserShape::Listed {
        // MISP masks with five stars in one place and six in the other.
        w.text(k!("password"), if saved { "******" } else { "*****" });
    }
    w.num(k!("org_id"), user.org_id);
    if saved {
        w.num(k!("server_id"), 0);
    }
    w.text(k!("email"), &user.email);
    w.flag(k!("autoalert"), user.autoalert);
    if let UserShape::Saved { authkey: Some(key) } = shape {
        w.text(k!("authkey"), key);
    }
    w.num(k!("invited_by"), user.invited_by);
    let gpgkey = user.gpgkey.as_deref();
    w.text_or_null(k!("gpgkey"), if saved { gpgkey.or(Some("")) } else { gpgkey });
    w.text(k!("certif_public"), &user.certif_public);
    w.num(k!("nids_sid"), user.nids_sid);
    w.flag(k!("termsaccepted"), user.termsaccepted);
    w.num(k!("newsread"), 0);
    w.num(k!("role_id"), user.role_id);
    w.flag(k!("change_pw"), user.change_pw);
    w.flag(k!("contactalert"), user.contactalert);
    w.flag(k!("disabled"), user.disabled);
    match user.expiration {
        Some(expiration) => w.datetime(k!("expiration"), expiration),
        None => w.text_or_null(k!("expiration"), None),
    }
    w.num(k!("current_login"), user.current_login);
    w.num(k!("last_login"), user.last_login);
    w.flag(k!("force_logout"), false);
    w.num_or_null(k!("date_created"), Some(user.date_created).filter(|time| *time > 0));
    w.num_or_null(k!("date_modified"), Some(user.date_modified).filter(|time| *time > 0));
    w.text_or_null(k!("sub"), None);
    w.flag(k!("external_auth_required"), false);
    w.text_or_null(k!("external_auth_key"), saved.then_some(""));
    w.num(k!("last_api_access"), user.last_api_access);
    w.flag(k!("notification_daily"), user.notification_daily);
    w.flag(k!("notification_weekly"), user.notification_weekly);
    w.flag(k!("notification_monthly"), user.notification_monthly);
    match shape {
        UserShape::Viewed => w.text(k!("totp"), "*****"),
        UserShape::Saved { .. } => w.text_or_null(k!("totp"), None),
        UserShape::Listed => {}
    }
    if shape != UserShape::Listed {
        w.text_or_null(k!("hotp_counter"), None);
    }
    w.num_or_null(k!("last_pw_change"), user.last_pw_change);
    w.num(k!("totp_is_set"), 0);
    w.end_object();
}

/// The answer of `users/view` (005). `settings` is the object of `"UserSetting":…`, empty for none.
pub fn write_user_view(w: &mut JsonWriter<'_>, user: &User, role: &Role, org: &Org, settings: &[u8]) {
    w.begin_object();
    w.name(k!("User"));
    write_user(w, user, UserShape::Viewed);
    w.name(k!("Role"));
    write_role(w, role, RoleShape::OfUser);
    w.list(k!("UserSetting"), settings);
    w.name(k!("Organisation"));
    w.begin_object();
    org_columns(w, org);
    w.end_object();
    w.end_object();
}

/// An item of `admin/users/index`.
pub fn write_user_row(w: &mut JsonWriter<'_>, user: &User, role: &Role, org_name: &str) {
    w.begin_object();
    w.name(k!("User"));
    write_user(w, user, UserShape::Listed);
    w.name(k!("Role"));
    w.begin_object();
    w.num(k!("id"), role.id);
    w.text(k!("name"), &role.name);
    for permission in [Permission::Auth, Permission::SiteAdmin, Permission::Admin] {
        permission_flag(w, role, permission);
    }
    w.end_object();
    w.name(k!("Organisation"));
    w.begin_object();
    w.num(k!("id"), user.org_id);
    w.text(k!("name"), org_name);
    w.end_object();
    w.end_object();
}

// ---- Roles ----------------------------------------------------------------------------------------

/// Which of MISP's forms of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleShape {
    /// Beside a user.
    OfUser,
    /// `roles/index`, which adds whether it is the role of new users.
    Listed,
}

/// The value of `"Role":…`.
pub fn write_role(w: &mut JsonWriter<'_>, role: &Role, shape: RoleShape) {
    use Permission as P;
    w.begin_object();
    w.num(k!("id"), role.id);
    w.text(k!("name"), &role.name);
    w.datetime(k!("created"), role.created);
    w.datetime(k!("modified"), role.modified);
    // In the order of the columns, to which MISP added some over the years.
    for permission in [
        P::Add,
        P::Modify,
        P::ModifyOrg,
        P::Publish,
        P::Delegate,
        P::Sync,
        P::Admin,
        P::Audit,
        P::Auth,
        P::SiteAdmin,
        P::RegexpAccess,
        P::Tagger,
        P::Template,
        P::SharingGroup,
        P::TagEditor,
        P::Sighting,
        P::ObjectTemplate,
    ] {
        permission_flag(w, role, permission);
    }
    w.flag(k!("default_role"), role.default_role);
    w.text_or_null(k!("memory_limit"), role.memory_limit.as_deref());
    w.text_or_null(k!("max_execution_time"), role.max_execution_time.as_deref());
    w.flag(k!("restricted_to_site_admin"), role.restricted_to_site_admin);
    for permission in [P::PublishZmq, P::PublishKafka, P::Decaying] {
        permission_flag(w, role, permission);
    }
    w.flag(k!("enforce_rate_limit"), role.enforce_rate_limit);
    w.num(k!("rate_limit_count"), role.rate_limit_count);
    for permission in [P::GalaxyEditor, P::Warninglist, P::ViewFeedCorrelations, P::AnalystData, P::SkipOtp] {
        permission_flag(w, role, permission);
    }
    w.num(k!("permission"), role.permission);
    let description = match role.permission {
        1 => "manage_own",
        2 => "manage_org",
        3 => "publish",
        _ => "read_only",
    };
    w.text(k!("permission_description"), description);
    if shape == RoleShape::Listed {
        w.flag(k!("default"), role.default_role);
    }
    w.end_object();
}

fn permission_flag(w: &mut JsonWriter<'_>, role: &Role, permission: Permission) {
    w.key(permission.name());
    w.bool(role.permissions.has(permission));
}

// ---- API keys -------------------------------------------------------------------------------------

/// The value of `"AuthKey":…` (018). `raw` is the key itself, known only when it was just made.
pub fn write_auth_key(w: &mut JsonWriter<'_>, key: &AuthKey, raw: Option<&str>) {
    w.begin_object();
    w.num(k!("id"), key.id);
    w.id(k!("uuid"), key.uuid);
    w.text(k!("authkey_start"), &key.start);
    w.text(k!("authkey_end"), &key.end);
    w.num(k!("created"), key.created);
    w.num(k!("expiration"), key.expiration);
    w.flag(k!("read_only"), key.read_only);
    w.num(k!("user_id"), key.user_id);
    w.text(k!("comment"), &key.comment);
    w.name(k!("allowed_ips"));
    texts_or_null(w, &key.allowed_ips);
    w.list(k!("unique_ips"), b"");
    match raw {
        Some(raw) => w.text(k!("authkey_raw"), raw),
        None => w.num_or_null(k!("last_used"), Some(key.last_used).filter(|time| *time > 0)),
    }
    w.end_object();
}

// ---- Sightings ------------------------------------------------------------------------------------

pub(crate) fn sighting_columns(w: &mut JsonWriter<'_>, sighting: &Sighting) {
    w.num(k!("id"), sighting.id);
    w.num(k!("attribute_id"), sighting.attribute_id);
    w.num(k!("event_id"), sighting.event_id);
    w.num(k!("org_id"), sighting.org_id);
    w.num(k!("date_sighting"), sighting.date_sighting);
    w.id(k!("uuid"), sighting.uuid);
    w.text(k!("source"), &sighting.source);
    w.num(k!("type"), sighting.kind);
}

pub(crate) fn sighting_organisation(w: &mut JsonWriter<'_>, sighting: &Sighting) {
    // An anonymous one has none.
    if sighting.org_id == 0 {
        return;
    }
    w.name(k!("Organisation"));
    w.begin_object();
    w.num(k!("id"), sighting.org_id);
    w.id(k!("uuid"), sighting.org_uuid);
    w.text(k!("name"), &sighting.org_name);
    w.end_object();
}

/// The answer of `sightings/add` (094).
pub fn write_saved_sighting(w: &mut JsonWriter<'_>, sighting: &Sighting) {
    w.begin_object();
    w.name(k!("Sighting"));
    w.begin_object();
    sighting_columns(w, sighting);
    w.end_object();
    w.end_object();
}

/// An item of `sightings/listSightings` (097).
pub fn write_listed_sighting(w: &mut JsonWriter<'_>, sighting: &Sighting) {
    w.begin_object();
    w.name(k!("Sighting"));
    w.begin_object();
    sighting_columns(w, sighting);
    w.end_object();
    if sighting.org_id != 0 {
        w.name(k!("Organisation"));
        w.begin_object();
        w.text(k!("name"), &sighting.org_name);
        w.end_object();
    }
    w.end_object();
}

/// A row of a sighting search; `more` holds the members asked for (`"Event":…`, `"Attribute":…`,
/// `"event_uuid":…`).
pub fn write_search_sighting(w: &mut JsonWriter<'_>, sighting: &Sighting, more: &[u8]) {
    w.begin_object();
    w.name(k!("Sighting"));
    w.begin_object();
    sighting_columns(w, sighting);
    sighting_organisation(w, sighting);
    w.members(more);
    w.end_object();
    w.end_object();
}

// ---- Types ----------------------------------------------------------------------------------------

/// `attributes/describeTypes`: every type, its defaults and the categories it may stand in. Here, and only
/// here, `to_ids` is a number.
pub fn write_describe_types(w: &mut JsonWriter<'_>) {
    w.begin_object();
    w.name(k!("result"));
    w.begin_object();
    w.name(k!("sane_defaults"));
    w.begin_object();
    for kind in AttributeType::all() {
        w.key(kind.name());
        w.begin_object();
        w.text(k!("default_category"), kind.default_category().name());
        w.name(k!("to_ids"));
        w.int(i64::from(kind.default_to_ids()));
        w.end_object();
    }
    w.end_object();
    w.name(k!("types"));
    w.begin_array();
    AttributeType::all().for_each(|kind| w.str(kind.name()));
    w.end_array();
    w.name(k!("categories"));
    w.begin_array();
    Category::all().for_each(|category| w.str(category.name()));
    w.end_array();
    w.name(k!("category_type_mappings"));
    w.begin_object();
    for category in Category::all() {
        w.key(category.name());
        w.begin_array();
        AttributeType::all().filter(|kind| kind.allows(category)).for_each(|kind| w.str(kind.name()));
        w.end_array();
    }
    w.end_object();
    w.end_object();
    w.end_object();
}
