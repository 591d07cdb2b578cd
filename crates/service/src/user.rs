//! Users: added and changed by administrators, changed in part by themselves.

use crate::workflow::begin;
use crate::{Error, Result, Service, auth_key, mail, rules};
use pisax_access::Actor;
use pisax_auth::openpgp::Recipient;
use pisax_auth::{key, password};
use pisax_model::ids::{Ref, new_uuid};
use pisax_model::org::Org;
use pisax_model::user::{Role, User, UserDraft};
use pisax_model::{FieldError, time};
use pisax_store::orgs::OrgName;
use pisax_store::{Reader, Writer};

/// A new user with the key that is shown this once.
pub struct Added {
    pub user: User,
    pub key: String,
    /// The password, where it was made here.
    pub password: Option<String>,
}

/// A user as lists show him.
pub struct Listed {
    pub user: User,
    pub role: Role,
    pub org: OrgName,
}

/// A user with all that belongs to him.
pub struct Viewed {
    pub user: User,
    pub role: Role,
    pub org: Org,
}

/// Adds a user with a key. An organisation admin's users are of his organisation, whatever was asked for.
/// Without a password one is made, to be changed at the first sign-in.
pub fn add(service: &Service, actor: &Actor, draft: UserDraft) -> Result<Added> {
    let fresh = prepare(service, actor, &draft)?;
    service.write(actor, |w| insert(w, service, fresh, &draft))
}

/// A user about to be added: what takes long is done.
pub(crate) struct Fresh {
    user: User,
    hash: String,
    /// The password, where it was made here.
    made: Option<String>,
}

/// Checks a new user before any lock is taken.
pub(crate) fn prepare(service: &Service, actor: &Actor, draft: &UserDraft) -> Result<Fresh> {
    rules::administers_users(actor)?;
    begin::before_saving_user(service, actor, 0, draft)?;
    let mut user = blank(actor.org_id, 0);
    user.invited_by = actor.user_id;
    user.nids_sid = random_sid(service.clock.now_ms());
    user.email = check_email(draft.email.as_deref().unwrap_or_default())?;
    user.change_pw = draft.change_pw.unwrap_or(true);
    user.last_pw_change = Some(service.now());
    let given = new_password(draft)?;
    let made = given.is_none().then(password::random_password);
    let hash = given.or_else(|| made.clone()).map(|p| password::hash(&p)).unwrap_or_default();
    Ok(Fresh { user, hash, made })
}

/// Adds a prepared user with a first key.
pub(crate) fn insert(
    w: &mut Writer<'_>,
    service: &Service,
    fresh: Fresh,
    draft: &UserDraft,
) -> Result<Added> {
    let Fresh { mut user, hash, made } = fresh;
    let raw = key::generate();
    w.lock_roles()?;
    apply_own(&mut user, draft, w.now())?;
    apply_administered(w, &mut user, draft)?;
    if user.role_id == 0 {
        user.role_id = w.default_role_id()?.unwrap_or(0);
    }
    settle(w, &user, None)?;
    let id = w.add_user(&user, &hash).map_err(taken)?;
    let first = auth_key::blank(id, w.now_ms);
    let first = pisax_model::user::AuthKey { comment: "Made with the user".into(), ..first };
    auth_key::insert(w, service, first, &raw)?;
    let user = w.user(id)?.ok_or(Error::NotFound("user"))?;
    Ok(Added { user, key: raw, password: made })
}

/// Gives a user a new password that he changes at his next sign-in, and sends it to him.
pub fn reset_password(service: &Service, actor: &Actor, id: i64, first_time: bool) -> Result<()> {
    rules::administers_users(actor)?;
    if !service.sends_mail() {
        return Err(Error::Refused("No mail server is set up here: change the password and tell it.".into()));
    }
    let new = password::random_password();
    let hash = password::hash(&new);
    service.write(actor, |w| {
        let user = managed(w, id)?;
        w.edit_user(&User { change_pw: true, ..user.clone() })?;
        w.set_password(id, &hash)?;
        w.delete_sessions_of(id)?;
        mail::credentials(service, w, &user, &new, first_time)
    })
}

/// Changes a user as an administrator does.
pub fn edit(service: &Service, actor: &Actor, id: i64, draft: UserDraft) -> Result<User> {
    rules::administers_users(actor)?;
    change(service, actor, id, &draft, true)
}

/// Changes one's own account: organisation, role and the like are left as they are.
pub fn edit_self(service: &Service, actor: &Actor, draft: UserDraft) -> Result<User> {
    change(service, actor, actor.user_id, &draft, false)
}

fn change(service: &Service, actor: &Actor, id: i64, draft: &UserDraft, administered: bool) -> Result<User> {
    let hash = new_password(draft)?.map(|p| password::hash(&p));
    // Who may not change him is refused by what comes next, not by a workflow.
    let may = service.read(actor, |r| {
        let Some(user) = r.user(id)? else { return Ok(false) };
        let role = r.role(user.role_id)?;
        Ok(role.is_some_and(|role| rules::manages_user(actor, &user, &role).is_ok()))
    })?;
    if may {
        begin::before_saving_user(service, actor, id, draft)?;
    }
    service.write(actor, |w| {
        if administered {
            w.lock_roles()?;
        }
        let before = managed(w, id)?;
        let mut user = before.clone();
        apply_own(&mut user, draft, w.now())?;
        if administered {
            apply_administered(w, &mut user, draft)?;
        }
        settle(w, &user, Some(&before))?;
        w.edit_user(&user).map_err(taken)?;
        if user.gpgkey != before.gpgkey {
            w.release_mails(id)?;
        }
        if let Some(hash) = &hash {
            w.set_password(id, hash)?;
        }
        if hash.is_some() || user.disabled {
            w.delete_sessions_of(id)?;
        }
        if administered {
            rules::still_administered(w)?;
        }
        w.user(id)?.ok_or(Error::NotFound("user"))
    })
}

/// Removes a user with his keys and sessions; what he made stays.
pub fn delete(service: &Service, actor: &Actor, id: i64) -> Result<()> {
    rules::administers_users(actor)?;
    service.write(actor, |w| {
        w.lock_roles()?;
        managed(w, id)?;
        w.delete_user(id)?;
        rules::still_administered(w)
    })
}

/// Changes one's own password and ends one's sessions. A page asks for the `current` one, a key stands for it.
pub fn change_password(service: &Service, actor: &Actor, current: Option<&str>, new: &str) -> Result<()> {
    password::check_policy(new).map_err(|message| FieldError::new("password", message))?;
    let stored = service.read(actor, |r| r.password_hash(actor.user_id)?.ok_or(Error::NotFound("user")))?;
    if current.is_some_and(|current| !password::verify(current, &stored)) {
        return Err(FieldError::new("current_password", "The current password is another one.").into());
    }
    if password::verify(new, &stored) {
        let message = "Submitted new password cannot be the same as the current one";
        return Err(FieldError::new("password", message).into());
    }
    let hash = password::hash(new);
    service.write(actor, |w| {
        let user = managed(w, actor.user_id)?;
        w.edit_user(&User { change_pw: false, ..user })?;
        w.set_password(actor.user_id, &hash)?;
        Ok(w.delete_sessions_of(actor.user_id)?)
    })
}

/// The users one administers: of one organisation or all, whose address contains `search`.
pub fn list(service: &Service, actor: &Actor, org: Option<i64>, search: Option<&str>) -> Result<Vec<Listed>> {
    rules::administers_users(actor)?;
    service.read(actor, |r| {
        let org = if actor.sees_all() { org } else { Some(actor.org_id) };
        let users = r.users(org, search)?;
        let roles = r.roles()?;
        let names = r.org_names(&users.iter().map(|u| u.org_id).collect::<Vec<_>>())?;
        let listed = |user: User| {
            let role = roles.iter().find(|role| role.id == user.role_id)?.clone();
            let org = names.get(&user.org_id)?.clone();
            Some(Listed { user, role, org })
        };
        Ok(users.into_iter().filter_map(listed).collect())
    })
}

/// A user one may see, with role and organisation.
pub fn view(service: &Service, actor: &Actor, id: i64) -> Result<Viewed> {
    service.read(actor, |r| {
        let user = r.user(id)?.filter(|user| rules::sees_user(actor, user)).ok_or(Error::NotFound("user"))?;
        whole(r, user)
    })
}

fn whole(r: &mut Reader<'_>, user: User) -> Result<Viewed> {
    let role = r.role(user.role_id)?.ok_or(Error::NotFound("role"))?;
    let org = r.org(Ref::Id(user.org_id))?.ok_or(Error::NotFound("organisation"))?;
    Ok(Viewed { user, role, org })
}

/// A user with nothing said about him but where he belongs.
pub(crate) fn blank(org_id: i64, role_id: i64) -> User {
    User { org_id, role_id, ..User::nobody() }
}

/// An address in the form it is stored in.
pub(crate) fn check_email(text: &str) -> Result<String, FieldError> {
    let email = text.trim().to_lowercase();
    let wrong = || FieldError::new("email", "Please enter a valid email address.");
    let (local, domain) = email.rsplit_once('@').ok_or_else(wrong)?;
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"@<>()[],;:\\\"".contains(c);
    let label = |l: &str| !l.is_empty() && l.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    let named = domain.contains('.') && domain.split('.').all(label);
    // RFC 5321, 4.5.3.1: an address has at most 254 octets.
    let right = email.len() <= 254 && !local.is_empty() && local.chars().all(plain) && named;
    if right { Ok(email) } else { Err(wrong()) }
}

/// The password asked for. Stars are what MISP shows instead of one: a client that sends back what it read
/// asks for no change.
fn new_password(draft: &UserDraft) -> Result<Option<String>, FieldError> {
    match draft.password.as_deref() {
        None | Some("") => Ok(None),
        Some(stars) if stars.bytes().all(|b| b == b'*') => Ok(None),
        Some(text) => match password::check_policy(text) {
            Ok(()) => Ok(Some(text.to_owned())),
            Err(message) => Err(FieldError::new("password", message)),
        },
    }
}

/// What everybody may say of himself.
fn apply_own(user: &mut User, draft: &UserDraft, now: i64) -> Result<(), FieldError> {
    if let Some(email) = &draft.email {
        user.email = check_email(email)?;
    }
    if let Some(key) = draft.gpgkey.as_deref().map(str::trim) {
        // What is there already may have expired: that must not keep anything else from being changed.
        if !key.is_empty() && user.gpgkey.as_deref() != Some(key) {
            Recipient::parse(key, now).map_err(|error| FieldError::new("gpgkey", error.to_string()))?;
        }
        user.gpgkey = Some(key.to_owned()).filter(|key| !key.is_empty());
    }
    if let Some(certificate) = &draft.certif_public {
        user.certif_public.clone_from(certificate);
    }
    user.nids_sid = draft.nids_sid.unwrap_or(user.nids_sid);
    for (field, wanted) in [
        (&mut user.autoalert, draft.autoalert),
        (&mut user.contactalert, draft.contactalert),
        (&mut user.termsaccepted, draft.termsaccepted),
        (&mut user.notification_daily, draft.notification_daily),
        (&mut user.notification_weekly, draft.notification_weekly),
        (&mut user.notification_monthly, draft.notification_monthly),
    ] {
        *field = wanted.unwrap_or(*field);
    }
    Ok(())
}

/// What only an administrator may say of a user.
fn apply_administered(w: &Writer<'_>, user: &mut User, draft: &UserDraft) -> Result<(), FieldError> {
    if w.actor().sees_all() {
        user.org_id = draft.org_id.unwrap_or(user.org_id);
    }
    user.role_id = draft.role_id.unwrap_or(user.role_id);
    user.disabled = draft.disabled.unwrap_or(user.disabled);
    user.change_pw = draft.change_pw.unwrap_or(user.change_pw);
    match draft.expiration.as_ref().map(Option::as_deref) {
        None => {}
        Some(None | Some("" | "0")) => user.expiration = None,
        Some(Some(text)) => {
            let wrong = || FieldError::new("expiration", "Expected a date such as 2030-01-31, or nothing.");
            user.expiration = Some(time::parse_micros(text).ok_or_else(wrong)?.div_euclid(1_000_000));
        }
    }
    Ok(())
}

/// Organisation and role exist and may be given; the address is one the organisation allows.
fn settle(w: &mut Writer<'_>, user: &User, before: Option<&User>) -> Result<()> {
    let actor = w.actor().clone();
    let org = w.org(Ref::Id(user.org_id))?;
    let org = org.ok_or_else(|| FieldError::new("org_id", "There is no such organisation."))?;
    let role = w.role(user.role_id)?;
    let role = role.ok_or_else(|| FieldError::new("role_id", "There is no such role."))?;
    if before.is_none_or(|b| b.role_id != user.role_id) {
        rules::grants_role(&actor, &role)?;
    }
    let changed = before.is_none_or(|b| b.email != user.email || b.org_id != user.org_id);
    let domain = user.email.rsplit_once('@').map_or("", |(_, domain)| domain);
    let allowed = &org.restricted_to_domain;
    if changed && !allowed.is_empty() && !allowed.iter().any(|a| a.eq_ignore_ascii_case(domain)) {
        let list = allowed.join(", ");
        let message = format!("Invalid email domain. Users of this organisation have addresses of: {list}");
        return Err(FieldError::new("email", message).into());
    }
    Ok(())
}

/// A user the actor manages, locked and then read.
pub(crate) fn managed(w: &mut Writer<'_>, id: i64) -> Result<User> {
    w.lock_user(id)?;
    let actor = w.actor().clone();
    let user = w.user(id)?.ok_or(Error::NotFound("user"))?;
    let role = w.role(user.role_id)?.ok_or(Error::NotFound("role"))?;
    rules::manages_user(&actor, &user, &role)?;
    Ok(user)
}

fn taken(error: pisax_store::Error) -> Error {
    match error {
        pisax_store::Error::Conflict(_) => {
            FieldError::new("email", "An account with this email address already exists.").into()
        }
        other => other.into(),
    }
}

/// A number of seven digits, as MISP gives every user for signatures made for him.
fn random_sid(now_ms: i64) -> i64 {
    let bytes = new_uuid(now_ms).into_bytes();
    let random = u32::from_be_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]);
    1_000_000 + i64::from(random % 9_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_name_and_a_domain() {
        for good in ["golden@example.org", " Test.Usr+x@delegate.recipient.local ", "a_b@x-1.example"] {
            assert_eq!(check_email(good).as_deref(), Ok(good.trim().to_lowercase().as_str()));
        }
        for bad in
            ["", "not-an-email", "@example.org", "a@", "a@b", "a b@c.de", "a@b..de", "a@b@c.de", "a@b.de\n<x"]
        {
            assert_eq!(
                check_email(bad).unwrap_err().message,
                "Please enter a valid email address.",
                "{bad:?}"
            );
        }
    }

    #[test]
    fn stars_are_no_password() {
        let asked = |p: &str| new_password(&UserDraft { password: Some(p.into()), ..UserDraft::default() });
        assert_eq!(asked("******"), Ok(None));
        assert_eq!(asked(""), Ok(None));
        assert_eq!(asked("Password1234"), Ok(Some("Password1234".into())));
        assert_eq!(asked("short").unwrap_err().field, "password");
    }
}
