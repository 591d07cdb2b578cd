//! Settings of users, requests for accounts, logs, mail, blueprints.

use crate::*;
use pisax_access::{Origin, Permission, Via};
use pisax_model::user::UserDraft;
use pisax_service::registration::{self, Asked};
use pisax_service::user_setting::{self, Whose};
use pisax_service::{audit, blueprint, collection, mail, setting};
use pisax_store::audit::EntryQuery;
use pisax_store::changes::{Action, Noun};

fn everything() -> EntryQuery {
    EntryQuery { limit: 1000, ..EntryQuery::default() }
}

fn asked(email: &str) -> Asked {
    Asked { email: email.into(), data: format!(r#"{{"email":"{email}"}}"#), ..Asked::default() }
}

#[test]
fn settings_are_ones_own_and_those_of_whom_one_administers() {
    let here = here();
    let (one, other) = (here.org("One"), here.org("Other"));
    let (user, foreign) = (here.member(one, USER), here.member(other, USER));
    let chief = here.member(one, ORG_ADMIN);
    let set = |actor: &Actor, id, name: &str| user_setting::set(&here.service, actor, id, name, "{}");
    assert!(set(&user, user.user_id, "homepage").is_ok());
    assert!(set(&chief, user.user_id, "homepage").is_ok());
    assert!(set(&here.admin(), foreign.user_id, "homepage").is_ok());
    assert!(matches!(set(&user, chief.user_id, "homepage"), Err(Error::NotFound(_))));
    assert!(matches!(set(&chief, foreign.user_id, "homepage"), Err(Error::NotFound(_))));
    assert!(matches!(set(&chief, 1, "homepage"), Err(Error::NotFound(_))), "of another organisation");
    for name in ["oidc", "no_such_setting", ""] {
        assert!(matches!(set(&here.admin(), 1, name), Err(Error::NotFound("setting"))), "{name}");
    }
    assert!(matches!(set(&user, user.user_id, "dashboard_access"), Err(Error::Refused(_))));
    assert!(set(&here.admin(), 1, "dashboard_access").is_ok());
    let wrong = user_setting::set(&here.service, &user, user.user_id, "publish_alert_filter", "7");
    assert_eq!(field(wrong), "value");
    let seen = |actor: &Actor| user_setting::list(&here.service, actor, Whose::All, None).unwrap().len();
    assert_eq!((seen(&user), seen(&chief), seen(&foreign), seen(&here.admin())), (1, 1, 1, 3));
}

#[test]
fn an_account_is_asked_for_where_that_is_allowed_and_made_by_a_site_admin() {
    let here = here();
    let nobody =
        Actor { user_id: 0, org_id: 0, permissions: Default::default(), reason: None, ..Actor::system("x") };
    let ask = |email: &str| registration::ask(&here.service, &nobody, asked(email));
    assert!(matches!(ask("a@example.org"), Err(Error::Refused(_))), "off, until somebody turns it on");
    setting::edit(&here.service, &here.admin(), "Security.allow_self_registration", "1").unwrap();
    assert_eq!(field(ask("no address")), "email");
    for email in ["a@example.org", "b@example.org", "admin@admin.test"] {
        ask(email).unwrap();
    }
    let org = here.org("Members");
    let plain = here.member(org, ORG_ADMIN);
    assert!(matches!(registration::list(&here.service, &plain, None, None), Err(Error::Forbidden)));
    let waiting = registration::list(&here.service, &here.admin(), None, None).unwrap();
    let all: Vec<Ref> = waiting.iter().map(|m| Ref::Id(m.id)).collect();
    assert!(matches!(
        registration::accept(&here.service, &plain, &all, Ref::Id(org), None),
        Err(Error::Forbidden)
    ));
    let done = registration::accept(&here.service, &here.admin(), &[all[0], all[2]], Ref::Id(org), None);
    let done = done.unwrap();
    assert_eq!((done.added, done.failed), (1, 1), "the last has an account already");
    let made = here.service.read(&here.admin(), |r| Ok(r.user_by_email("a@example.org")?)).unwrap().unwrap();
    assert_eq!((made.org_id, made.change_pw, made.role_id), (org, true, USER));
    assert_eq!(
        registration::discard(&here.service, &here.admin(), &all).unwrap(),
        2,
        "what was not accepted"
    );
}

#[test]
fn the_log_is_read_by_those_it_is_for() {
    let here = here();
    let (one, other) = (here.org("One"), here.org("Other"));
    let (user, colleague) = (here.member(one, USER), here.member(one, USER));
    let (chief, foreign) = (here.member(one, ORG_ADMIN), here.member(other, USER));
    for (actor, value) in [(&user, "a"), (&colleague, "b"), (&foreign, "c")] {
        here.seen_by_all(actor, value);
    }
    let users = |actor: &Actor| {
        let found = audit::entries(&here.service, actor, everything()).unwrap();
        let mut ids: Vec<i64> = found.into_iter().map(|e| e.user_id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    assert_eq!(users(&user), [user.user_id], "one's own doings");
    assert_eq!(users(&chief), [user.user_id, colleague.user_id], "one's organisation's");
    assert!(users(&here.admin()).contains(&foreign.user_id));
    let asked = EntryQuery { user_id: Some(foreign.user_id), ..everything() };
    assert!(audit::entries(&here.service, &user, asked.clone()).unwrap().is_empty());
    assert!(audit::entries(&here.service, &chief, asked).unwrap().is_empty());
    let without = Actor { permissions: user.permissions.without(Permission::Audit), ..user.clone() };
    assert!(matches!(audit::entries(&here.service, &without, everything()), Err(Error::Forbidden)));
}

#[test]
fn what_happened_to_an_event_is_for_its_creator_and_names_no_strangers() {
    let here = here();
    let (one, other) = (here.org("One"), here.org("Other"));
    let (owner, reader) = (here.member(one, USER), here.member(other, USER));
    let (id, _) = here.seen_by_all(&owner, "a");
    event::publish(&here.service, &here.admin(), Ref::Id(id)).unwrap();
    let rows = |actor: &Actor| audit::of_event(&here.service, actor, Ref::Id(id), everything());
    let seen = rows(&owner).unwrap();
    let published = seen.iter().find(|e| e.action == Action::Publish as i64).unwrap();
    assert_eq!((published.user_id, published.email.as_deref()), (0, None), "of another organisation");
    assert!(seen.iter().any(|e| e.user_id == owner.user_id));
    assert!(rows(&reader).unwrap().is_empty());
    let hidden = Ref::Id(id + 1000);
    assert!(matches!(
        audit::of_event(&here.service, &owner, hidden, everything()),
        Err(Error::NotFound("event"))
    ));
}

#[test]
fn who_is_turned_away_is_noted_once_and_a_password_in_the_wrong_field_is_not_kept() {
    let here = here();
    let origin = Origin { via: Via::Page, address: Some("192.0.2.9".parse().unwrap()), key_id: 0 };
    audit::sign_in_failed(&here.service, "a@example.org", origin);
    audit::sign_in_failed(&here.service, "hunter2", origin);
    for _ in 0..3 {
        audit::key_refused(&here.service, None, "AbCd", "unknown", origin);
    }
    for i in 0..100 {
        audit::key_refused(&here.service, None, &format!("k{i}"), "unknown", origin);
    }
    let query = EntryQuery { nouns: vec![Noun::Session as i64], ..everything() };
    let found = audit::entries(&here.service, &here.admin(), query).unwrap();
    let of = |action: Action| found.iter().filter(|e| e.action == action as i64).collect::<Vec<_>>();
    assert_eq!(of(Action::LoginFail).len(), 2);
    assert!(found.iter().all(|e| e.address == "192.0.2.9" && !e.title.contains("hunter2")));
    let refused = of(Action::AuthFail);
    assert_eq!(refused.iter().filter(|e| e.title.contains("AbCd")).count(), 1);
    assert!(refused.len() <= audit::MOST_PER_HOUR as usize, "one address does not fill the log");
}

#[test]
fn retention_removes_what_is_older_than_it_is_to_be_kept() {
    let here = here();
    here.org("Old");
    let rows = || audit::entries(&here.service, &here.admin(), everything()).unwrap().len();
    let before = rows();
    audit::retain(&here.service).unwrap();
    assert_eq!(rows(), before, "for good, unless somebody says otherwise");
    assert_eq!(field(setting::edit(&here.service, &here.admin(), "PISAX.audit_days", "-1")), "value");
    assert_eq!(field(setting::edit(&here.service, &here.admin(), "PISAX.audit_days", "99999999")), "value");
    setting::edit(&here.service, &here.admin(), "PISAX.audit_days", "30").unwrap();
    audit::retain(&here.service).unwrap();
    assert_eq!(rows(), before + 1, "nothing is that old; the setting is noted");
}

/// Turns mail on for a user.
fn told(here: &Here, actor: &Actor) {
    let draft = UserDraft { autoalert: Some(true), ..UserDraft::default() };
    user::edit(&here.service, &here.admin(), actor.user_id, draft).unwrap();
}

fn outbox(here: &Here) -> Vec<(String, String, String)> {
    mail::tell_alerts(&here.service).unwrap();
    let mails = here.service.read(&here.admin(), |r| Ok(r.mails(false, 100)?)).unwrap();
    mails.into_iter().map(|m| (m.recipient, m.subject, m.body)).collect()
}

#[test]
fn a_publication_is_told_to_those_who_see_the_event_and_want_to_hear() {
    let here = here();
    here.service.send_mail();
    let (one, other) = (here.org("One"), here.org("Other"));
    let (owner, colleague, foreign) =
        (here.member(one, ORG_ADMIN), here.member(one, USER), here.member(other, USER));
    for actor in [&colleague, &foreign] {
        told(&here, actor);
    }
    let attribute = |kind: &str, value: &str, distribution| pisax_model::attribute::AttributeDraft {
        kind: Some(kind.into()),
        value: Some(value.into()),
        distribution: Some(distribution),
        ..Default::default()
    };
    let add = |distribution| {
        let draft = EventDraft {
            info: Some("Secret title".into()),
            distribution: Some(distribution),
            threat_level_id: Some(1),
            attributes: vec![
                attribute("url", "https://evil.example/x", 5),
                attribute("domain", "inside.example", 0),
            ],
            ..EventDraft::default()
        };
        event::add(&here.service, &owner, draft).unwrap().id
    };
    let (own, shared) = (add(0), add(3));
    for id in [own, shared] {
        mail::publish_and_alert(&here.service, &owner, Ref::Id(id)).unwrap();
    }
    let mails = outbox(&here);
    let to = |user: &Actor| {
        let email = here.service.read(&here.admin(), |r| Ok(r.user(user.user_id)?.unwrap().email)).unwrap();
        mails.iter().filter(move |m| m.0 == email).collect::<Vec<_>>()
    };
    assert_eq!((to(&colleague).len(), to(&foreign).len(), to(&owner).len()), (2, 1, 0));
    let (_, subject, body) = to(&foreign)[0];
    assert_eq!(*subject, format!("[ORGNAME MISP] Event {shared} - High - TLP:AMBER"), "no title in it");
    assert!(body.contains("hxxps://evil[.]example/x") && !body.contains("https://evil"), "{body}");
    assert!(!body.contains("inside"), "an attribute that he does not see");
    assert!(to(&colleague).iter().any(|m| m.2.contains("inside[.]example")));
    assert_eq!(outbox(&here).len(), 3, "told once");
}

#[test]
fn a_filter_and_the_settings_decide_what_is_told() {
    let here = here();
    here.service.send_mail();
    let admin = here.admin();
    told(&here, &admin);
    let filter = r#"{"AND":{"OR":{"Orgc.name":"%orgn%"},"NOT":{"ThreatLevel.name":"low"}}}"#;
    user_setting::set(&here.service, &admin, admin.user_id, "publish_alert_filter", filter).unwrap();
    let publish = |threat: i64, date: &str| {
        let draft = EventDraft {
            info: Some("e".into()),
            threat_level_id: Some(threat),
            date: Some(date.into()),
            ..EventDraft::default()
        };
        let id = event::add(&here.service, &admin, draft).unwrap().id;
        mail::publish_and_alert(&here.service, &admin, Ref::Id(id)).unwrap();
    };
    publish(3, "2026-01-01");
    assert_eq!(outbox(&here).len(), 0, "the filter");
    publish(1, "2026-01-01");
    assert_eq!(outbox(&here).len(), 1);
    let on = |name: &str| setting::edit(&here.service, &admin, name, "1").unwrap();
    on("MISP.block_old_event_alert");
    setting::edit(&here.service, &admin, "MISP.block_old_event_alert_by_date", "30").unwrap();
    publish(1, "2020-01-01");
    assert_eq!(outbox(&here).len(), 1, "of long ago");
    publish(1, "2026-01-01");
    assert_eq!(outbox(&here).len(), 2);
    on("MISP.disable_emailing");
    publish(1, "2026-01-01");
    assert_eq!(outbox(&here).len(), 2);
}

fn question(message: &str) -> mail::Question<'_> {
    mail::Question { message, creator_only: true, ..mail::Question::default() }
}

#[test]
fn a_reporter_is_asked_with_an_answer_for_who_asks_and_strangers_are_not_told_of_events() {
    let here = here();
    let (one, other) = (here.org("One"), here.org("Other"));
    let (owner, reader) = (here.member(one, ORG_ADMIN), here.member(other, USER));
    let (id, _) = here.seen_by_all(&owner, "a");
    mail::contact(&here.service, &reader, Ref::Id(id), question("More?")).unwrap();
    let mails = here.service.read(&here.admin(), |r| Ok(r.mails(false, 10)?)).unwrap();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].body.contains("More?"));
    assert_eq!((mails[0].user_id, mails[0].reply_to.contains('@')), (owner.user_id, true));
    let draft = EventDraft { info: Some("own".into()), distribution: Some(0), ..EventDraft::default() };
    let hidden = event::add(&here.service, &owner, draft).unwrap().id;
    let refused = mail::contact(&here.service, &reader, Ref::Id(hidden), question("x"));
    assert!(matches!(refused, Err(Error::NotFound("event"))));
}

#[test]
fn a_user_asks_reporters_so_many_times_within_an_hour() {
    let here = here();
    let (owner, reader) = (here.member(here.org("One"), ORG_ADMIN), here.member(here.org("Other"), USER));
    let (id, _) = here.seen_by_all(&owner, "a");
    setting::edit(&here.service, &here.admin(), "PISAX.contact_per_hour", "2").unwrap();
    let ask = |actor| mail::contact(&here.service, actor, Ref::Id(id), question("More?"));
    ask(&reader).unwrap();
    ask(&reader).unwrap();
    assert!(matches!(ask(&reader), Err(Error::Refused(why)) if why.contains("2 times within an hour")));
    ask(&owner).unwrap();
    let mails = here.service.read(&here.admin(), |r| Ok(r.mails(false, 10)?)).unwrap();
    assert_eq!(mails.len(), 3);
    setting::edit(&here.service, &here.admin(), "PISAX.contact_per_hour", "0").unwrap();
    ask(&reader).unwrap();
}

#[test]
fn a_blueprint_makes_a_group_of_those_its_rules_choose() {
    let here = here();
    let chief = here.member(here.org("Owner"), ORG_ADMIN);
    let sector = |name: &str, sector: &str| {
        let draft = OrgDraft { name: Some(name.into()), sector: Some(sector.into()), ..OrgDraft::default() };
        org::add(&here.service, &here.admin(), draft).unwrap().id
    };
    let (a, _, c) = (sector("A", "ixp"), sector("B", "bank"), sector("C", "IXP"));
    let rules = r#"{"OR":{"org_sector":["IXP"]}}"#;
    let made = blueprint::add(&here.service, &chief, "Exchanges", rules).unwrap();
    assert_eq!(field(blueprint::add(&here.service, &chief, "X", r#"{"password":"x"}"#)), "rules");
    let user = here.member(chief.org_id, USER);
    assert!(matches!(blueprint::add(&here.service, &user, "X", rules), Err(Error::Forbidden)));
    let run = |actor: &Actor| blueprint::execute(&here.service, actor, Some(Ref::Id(made.id)));
    let done = run(&chief).unwrap();
    assert_eq!((done.created, done.changed, done.failed), (1, 1, 0));
    let group = || {
        let id = blueprint::view(&here.service, &chief, Ref::Id(made.id)).unwrap().sharing_group_id;
        here.service.read(&here.admin(), |r| Ok(r.sharing_group(Ref::Id(id))?)).unwrap().unwrap()
    };
    let members = || group().members.iter().map(|m| m.org_id).collect::<Vec<_>>();
    assert_eq!(members(), [a, c]);
    assert_eq!(group().org_id, chief.org_id);
    let done = run(&here.admin()).unwrap();
    assert_eq!((done.created, done.changed), (0, 0), "nothing new");
    let d = sector("D", "IXP");
    assert_eq!(run(&here.admin()).unwrap().changed, 1);
    assert_eq!(members(), [a, c, d]);
    let foreign = here.member(here.org("Foreign"), ORG_ADMIN);
    assert!(matches!(run(&foreign), Err(Error::NotFound("blueprint"))));
    blueprint::detach(&here.service, &chief, Ref::Id(made.id)).unwrap();
    let again = run(&chief).unwrap();
    assert_eq!((again.created, again.failed), (0, 1), "the name is taken by the group it made");
}

#[test]
fn a_collection_is_changed_by_its_creators_organisation_alone() {
    let here = here();
    let (one, other) = (here.org("One"), here.org("Other"));
    let (owner, foreign) = (here.member(one, ORG_ADMIN), here.member(other, ORG_ADMIN));
    let draft = collection::CollectionDraft {
        name: Some("C".into()),
        distribution: Some(1),
        ..collection::CollectionDraft::default()
    };
    let (made, _) = collection::add(&here.service, &owner, draft.clone()).unwrap();
    let reference = Ref::Uuid(made.uuid);
    assert!(collection::view(&here.service, &foreign, reference).is_ok());
    assert!(matches!(
        collection::edit(&here.service, &foreign, reference, draft.clone()),
        Err(Error::Forbidden)
    ));
    assert!(matches!(collection::delete(&here.service, &foreign, reference), Err(Error::Forbidden)));
    let hidden = collection::CollectionDraft { distribution: Some(0), ..draft.clone() };
    collection::edit(&here.service, &owner, reference, hidden).unwrap();
    assert!(matches!(
        collection::view(&here.service, &foreign, reference),
        Err(Error::NotFound("collection"))
    ));
    let group = collection::CollectionDraft { distribution: Some(4), ..draft };
    assert_eq!(field(collection::edit(&here.service, &owner, reference, group)), "sharing_group_id");
}

#[test]
fn organisations_are_merged_by_site_admins_and_never_away_from_under_the_instance() {
    let here = here();
    let (one, other) = (here.org("One"), here.org("Other"));
    let user = here.member(one, ORG_ADMIN);
    let merge = |actor: &Actor, from, into| {
        org::merge(&here.service, actor, Ref::Id(from), Ref::Id(into)).map(|org| org.id)
    };
    assert!(matches!(merge(&user, one, other), Err(Error::Forbidden)));
    let host = here.service.policy.host_org_id;
    assert!(matches!(merge(&here.admin(), host, one), Err(Error::Refused(_))));
    assert!(matches!(merge(&here.admin(), one, one), Err(Error::Refused(_))));
    assert_eq!(merge(&here.admin(), one, other).unwrap(), other);
    assert_eq!(here.actor(user.user_id).org_id, other);
}
