//! First start, users, keys, roles, organisations, settings.

use crate::*;
use pisax_access::Permission;
use pisax_auth::password;
use pisax_service::auth_key::{self, KeyDraft};
use pisax_service::role::{self, RoleDraft};
use pisax_service::setting::{self, Value};

#[test]
fn the_first_start_makes_an_administrator_once() {
    let here = here();
    assert_eq!((here.created.email.as_str(), here.created.org.as_str()), ("admin@admin.test", "ORGNAME"));
    assert_eq!(here.created.password, None, "it was given");
    let key = here.created.key.as_deref().unwrap();
    let owner =
        here.service.read(&Actor::system("a test"), |r| Ok(r.key_by_hash(&here.service.keys.hash(key))?));
    let owner = owner.unwrap().unwrap();
    assert!(owner.role.permissions.has(Permission::SiteAdmin));
    assert_eq!(owner.org.id, here.service.policy.host_org_id);
    assert!(here.admin().host_org);
    assert_eq!(here.service.policy.base_url, "https://pisax.example");
    assert_eq!(
        first_start(&here.service.store, &Still, FirstStart::default()).unwrap().map(|c| c.email),
        None
    );
}

#[test]
fn what_the_operator_got_wrong_is_said_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let wrong = |given| field(first_start(&store, &Still, given));
    assert_eq!(wrong(FirstStart { email: Some("nobody".into()), ..FirstStart::default() }), "email");
    assert_eq!(wrong(FirstStart { password: Some("short".into()), ..FirstStart::default() }), "password");
    assert_eq!(wrong(FirstStart { key: Some("abc".into()), ..FirstStart::default() }), "key");
    let made = first_start(&store, &Still, FirstStart::default()).unwrap().unwrap();
    assert!(made.password.is_some() && made.key.is_some_and(|key| key.len() == 40));
}

#[test]
fn an_organisation_admin_adds_users_of_his_own_organisation_and_no_site_admins() {
    let here = here();
    let (own, other) = (here.org("Own"), here.org("Other"));
    let admin = here.member(own, ORG_ADMIN);
    let ask = |role_id| UserDraft {
        email: Some("New@Member.test ".into()),
        org_id: Some(other),
        role_id,
        ..UserDraft::default()
    };
    assert!(matches!(user::add(&here.service, &admin, ask(Some(1))), Err(Error::Forbidden)));
    assert!(matches!(user::add(&here.service, &admin, ask(Some(SYNC))), Err(Error::Forbidden)));
    let added = user::add(&here.service, &admin, ask(None)).unwrap();
    assert_eq!(
        (added.user.org_id, added.user.role_id, added.user.email.as_str()),
        (own, USER, "new@member.test")
    );
    assert!(added.user.change_pw && added.password.is_some(), "a made password has to be changed");
    assert_eq!(field(user::add(&here.service, &admin, ask(None))), "email");

    let stranger = here.member(other, USER);
    let edit = UserDraft { disabled: Some(true), ..UserDraft::default() };
    assert!(matches!(
        user::edit(&here.service, &admin, stranger.user_id, edit.clone()),
        Err(Error::NotFound("user"))
    ));
    assert!(user::edit(&here.service, &admin, added.user.id, edit).unwrap().disabled);
    assert!(matches!(user::delete(&here.service, &stranger, added.user.id), Err(Error::Forbidden)));
    let promoted = UserDraft { role_id: Some(1), ..UserDraft::default() };
    assert!(matches!(user::edit(&here.service, &admin, admin.user_id, promoted), Err(Error::Forbidden)));
    let promoted = UserDraft { role_id: Some(SYNC), ..UserDraft::default() };
    assert!(matches!(
        user::edit(&here.service, &admin, admin.user_id, promoted.clone()),
        Err(Error::Forbidden)
    ));
    let sync = user::edit(&here.service, &here.admin(), added.user.id, promoted).unwrap();
    assert_eq!(sync.role_id, SYNC);
    let renamed = UserDraft { autoalert: Some(true), ..UserDraft::default() };
    assert!(user::edit(&here.service, &admin, sync.id, renamed).is_ok(), "the role stays as it was");
    let listed = user::list(&here.service, &admin, Some(other), None).unwrap();
    assert!(listed.iter().all(|l| l.user.org_id == own));
}

#[test]
fn everybody_edits_himself_but_not_what_he_may_do() {
    let here = here();
    let member = here.member(here.org("Own"), USER);
    let draft = UserDraft {
        autoalert: Some(true),
        role_id: Some(1),
        org_id: Some(1),
        password: Some("*****".into()),
        ..UserDraft::default()
    };
    let user = user::edit_self(&here.service, &member, draft).unwrap();
    assert_eq!((user.autoalert, user.role_id, user.org_id), (true, USER, member.org_id));
    let change = |new: &str| user::change_password(&here.service, &member, Some(PASSWORD), new);
    assert_eq!(field(change("short")), "password");
    assert_eq!(field(change(PASSWORD)), "password");
    assert_eq!(
        field(user::change_password(&here.service, &member, Some("wrong"), "Password1234")),
        "current_password"
    );
    change("Password1234").unwrap();
    let stored = here.service.read(&member, |r| Ok(r.password_hash(member.user_id)?)).unwrap().unwrap();
    assert!(password::verify("Password1234", &stored));
}

#[test]
fn the_last_site_admin_cannot_be_lost() {
    let here = here();
    let admin = here.admin();
    let kept = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Refused(_))));
    let edit = |draft| user::edit(&here.service, &admin, 1, draft).map(drop);
    kept(edit(UserDraft { disabled: Some(true), ..UserDraft::default() }));
    kept(edit(UserDraft { role_id: Some(USER), ..UserDraft::default() }));
    kept(user::delete(&here.service, &admin, 1));
    let draft = RoleDraft { permissions: vec![(Permission::SiteAdmin, false)], ..RoleDraft::default() };
    kept(role::edit(&here.service, &admin, 1, draft).map(drop));
    assert!(here.admin().has(Permission::SiteAdmin));
    here.member(admin.org_id, 1);
    user::delete(&here.service, &admin, 1).unwrap();
}

#[test]
fn a_key_is_made_for_oneself_and_by_administrators_below_them() {
    let here = here();
    let (own, other) = (here.org("Own"), here.org("Other"));
    let (admin, member, stranger) =
        (here.member(own, ORG_ADMIN), here.member(own, USER), here.member(other, USER));
    let add = |actor: &Actor, user| auth_key::add(&here.service, actor, user, KeyDraft::default());
    let made = add(&member, member.user_id).unwrap();
    assert!(made.raw.starts_with(&made.key.start) && made.raw.ends_with(&made.key.end));
    assert!(add(&admin, member.user_id).is_ok());
    for (actor, user) in [(&member, admin.user_id), (&admin, stranger.user_id), (&stranger, member.user_id)] {
        assert!(matches!(add(actor, user), Err(Error::NotFound("user"))));
    }
    let site_admin = here.member(own, 1);
    assert!(matches!(add(&admin, site_admin.user_id), Err(Error::Forbidden)), "he would become one");
    assert!(matches!(
        auth_key::delete(&here.service, &stranger, Ref::Id(made.key.id)),
        Err(Error::NotFound("auth key"))
    ));
    assert_eq!(auth_key::list(&here.service, &stranger, None).unwrap().len(), 1);
    let reset = auth_key::reset(&here.service, &member, member.user_id).unwrap();
    let living = auth_key::list(&here.service, &member, None).unwrap();
    let living: Vec<i64> = living.iter().filter(|l| l.key.expiration == 0).map(|l| l.key.id).collect();
    assert_eq!(living, [reset.key.id]);
}

#[test]
fn a_use_is_noted_once_a_minute() {
    let here = here();
    let key = auth_key::add(&here.service, &here.admin(), 1, KeyDraft::default()).unwrap().key;
    assert!(auth_key::use_is_news(&here.service, key.id));
    assert!(!auth_key::use_is_news(&here.service, key.id));
    auth_key::note_use(&here.service, &key);
    let noted = auth_key::view(&here.service, &here.admin(), Ref::Id(key.id)).unwrap();
    assert_eq!(noted.key.last_used, NOW);
}

#[test]
fn roles_and_organisations_in_use_stay() {
    let here = here();
    let admin = here.admin();
    let own = here.org("Own");
    assert_eq!(
        field(org::add(&here.service, &admin, OrgDraft { name: Some("Own".into()), ..OrgDraft::default() })),
        "name"
    );
    let member = here.member(own, USER);
    assert_eq!(field(role::delete(&here.service, &admin, USER)), "role");
    assert_eq!(field(org::delete(&here.service, &admin, Ref::Id(own))), "organisation");
    assert_eq!(field(org::delete(&here.service, &admin, Ref::Id(admin.org_id))), "organisation");
    assert!(matches!(org::delete(&here.service, &member, Ref::Id(own)), Err(Error::Forbidden)));
    user::delete(&here.service, &admin, member.user_id).unwrap();
    org::delete(&here.service, &admin, Ref::Id(own)).unwrap();
    let role =
        role::add(&here.service, &admin, RoleDraft { name: Some("testrole".into()), ..RoleDraft::default() });
    role::delete(&here.service, &admin, role.unwrap().id).unwrap();
}

#[test]
fn a_user_of_an_organisation_has_an_address_it_allows() {
    let here = here();
    let own = here.org("Own");
    let draft = OrgDraft { restricted_to_domain: Some(vec!["own.test".into()]), ..OrgDraft::default() };
    org::edit(&here.service, &here.admin(), Ref::Id(own), draft).unwrap();
    let ask = |email: &str| {
        let draft = UserDraft { email: Some(email.into()), org_id: Some(own), ..UserDraft::default() };
        user::add(&here.service, &here.admin(), draft)
    };
    assert_eq!(field(ask("a@elsewhere.test")), "email");
    assert!(ask("a@OWN.test").is_ok());
}

#[test]
fn a_setting_holds_at_once_and_after_a_restart() {
    let here = here();
    let admin = here.admin();
    let value = |name| setting::find(name).unwrap().value(&here.service);
    assert_eq!(value("MISP.max_correlations_per_event"), Value::Number(5000));
    setting::edit(&here.service, &admin, "MISP.max_correlations_per_event", "10").unwrap();
    setting::edit(&here.service, &admin, "MISP.unpublishedprivate", "true").unwrap();
    assert_eq!(value("MISP.max_correlations_per_event"), Value::Number(10));
    assert!(here.service.store.rules().unpublished_private);
    assert_eq!(field(setting::edit(&here.service, &admin, "MISP.live", "maybe")), "value");
    assert_eq!(field(setting::edit(&here.service, &admin, "MISP.uuid", "x")), "value");
    setting::edit(&here.service, &admin, "MISP.baseurl", "https://pisax.example").unwrap();
    assert!(matches!(setting::edit(&here.service, &admin, "MISP.unheard_of", "1"), Err(Error::NotFound(_))));
    let member = here.member(here.org("Own"), USER);
    assert!(matches!(setting::edit(&here.service, &member, "MISP.live", "0"), Err(Error::Forbidden)));
    let again = setup::open(store(&here._folder), Arc::new(Still), "https://pisax.example").unwrap();
    assert_eq!(again.settings().max_correlations_per_event, 10);
    assert!(again.store.rules().unpublished_private);
    assert_eq!(again.policy.instance_uuid, here.service.policy.instance_uuid);
    let key = here.created.key.as_deref().unwrap();
    assert_eq!(again.keys.hash(key), here.service.keys.hash(key));
}

/// A clock that the test moves.
struct Moving(std::sync::atomic::AtomicI64);

impl Clock for Moving {
    fn now_ms(&self) -> i64 {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}

#[test]
fn a_setting_that_another_process_changed_holds_after_five_seconds() {
    let here = here();
    let clock = Arc::new(Moving((NOW * 1000).into()));
    let other = setup::open(store(&here._folder), clock.clone(), "https://pisax.example").unwrap();
    setting::edit(&here.service, &here.admin(), "MISP.live", "0").unwrap();
    setting::edit(&here.service, &here.admin(), "MISP.unpublishedprivate", "1").unwrap();
    assert!(!here.service.settings().live);
    clock.0.fetch_add(4999, std::sync::atomic::Ordering::Relaxed);
    assert!(other.settings().live);
    clock.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    assert!(!other.settings().live && other.store.rules().unpublished_private);
}
