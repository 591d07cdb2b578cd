//! The first start of an installation: roles, an organisation, a site admin and his key.

use crate::{Error, Result, auth_key, setup, user};
use pisax_access::{Actor, Permission};
use pisax_auth::{key, password};
use pisax_model::ids::new_uuid;
use pisax_model::org::OrgDraft;
use pisax_model::user::User;
use pisax_model::{Clock, FieldError};
use pisax_store::{Store, Writer};

/// What the operator says; the rest has MISP's default or is made at random.
#[derive(Clone, Default)]
pub struct FirstStart {
    pub email: Option<String>,
    pub password: Option<String>,
    /// 40 letters and digits.
    pub key: Option<String>,
    pub org: Option<String>,
}

/// What was made. Secrets are here only when they were made at random: print them now, they are not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Created {
    pub email: String,
    pub org: String,
    pub password: Option<String>,
    pub key: Option<String>,
}

const EMAIL: &str = "admin@admin.test";
const ORG: &str = "ORGNAME";
/// The number MISP gives the user it is installed with.
const NIDS_SID: i64 = 4_000_000;

/// Makes all of it in one transaction; `None` when there are users already.
pub fn first_start(store: &Store, clock: &dyn Clock, given: FirstStart) -> Result<Option<Created>> {
    let actor = Actor::system("first start");
    if store.read::<_, Error>(&actor, |r| Ok(r.user_count()?))? > 0 {
        return Ok(None);
    }
    let email = user::check_email(given.email.as_deref().unwrap_or(EMAIL))?;
    if let Some(password) = &given.password {
        password::check_policy(password).map_err(|message| FieldError::new("password", message))?;
    }
    if given.key.as_deref().is_some_and(|key| !key::well_formed(key)) {
        return Err(FieldError::new("key", "An API key has 40 letters and digits.").into());
    }
    let made_password = given.password.is_none().then(password::random_password);
    let made_key = given.key.is_none().then(key::generate);
    let hash =
        given.password.as_ref().or(made_password.as_ref()).map(|p| password::hash(p)).unwrap_or_default();
    let raw = given.key.as_ref().or(made_key.as_ref()).cloned().unwrap_or_default();
    let org =
        given.org.map(|o| o.trim().to_owned()).filter(|o| !o.is_empty()).unwrap_or_else(|| ORG.to_owned());
    let made = store.write(&actor, clock.now_ms(), |w| {
        if w.user_count()? > 0 {
            return Ok(false);
        }
        seed(w, &email, &org, &hash, &raw).map(|()| true)
    })?;
    Ok(made.then_some(Created { email, org, password: made_password, key: made_key }))
}

fn seed(w: &mut Writer<'_>, email: &str, org: &str, hash: &str, raw: &str) -> Result<()> {
    w.seed_roles()?;
    let admin = w.roles()?.into_iter().find(|role| role.permissions.has(Permission::SiteAdmin));
    let role_id = admin.ok_or(Error::NotFound("role"))?.id;
    let org_id = match w.org_by_name(org)? {
        Some(org) => org.id,
        None => w.add_org(&host(org), new_uuid(w.now_ms), true)?,
    };
    let admin = User {
        email: email.to_owned(),
        termsaccepted: true,
        nids_sid: NIDS_SID,
        ..user::blank(org_id, role_id)
    };
    let user_id = w.add_user(&admin, hash)?;
    let hasher = setup::key_hasher(w)?;
    auth_key::insert_hashed(w, auth_key::blank(user_id, w.now_ms), raw, &hasher.hash(raw))?;
    setup::instance_uuid(w)?;
    w.set_setting(setup::HOST_ORG, &org_id.to_string())?;
    Ok(())
}

/// The organisation as MISP describes the one it is installed with.
fn host(name: &str) -> OrgDraft {
    OrgDraft {
        name: Some(name.to_owned()),
        description: Some("Automatically generated admin organisation".into()),
        kind: Some("ADMIN".into()),
        ..OrgDraft::default()
    }
}
