//! What belongs to people: settings, requests, mails, collections, blueprints, merged organisations.

use crate::{NOW, NOW_MS, Trial, event, filled_event, member, on_each_engine, org, system, user, uuid};
use pisax_access::{Actor, Permission, Permissions};
use pisax_model::ids::Ref;
use pisax_model::org::OrgDraft;
use pisax_model::sharing::SharingGroup;
use pisax_store::access_log::{Access, AccessQuery};
use pisax_store::audit::EntryQuery;
use pisax_store::blueprints::Blueprint;
use pisax_store::bookmarks::Bookmark;
use pisax_store::changes::Action;
use pisax_store::collections::{Collection, Element, Whose};
use pisax_store::dashboards::Dashboard;
use pisax_store::delegations::Requests;
use pisax_store::inbox::{Message, REGISTRATION};
use pisax_store::mails::{Mail, Period};
use pisax_store::user_settings::UserSettingQuery;
use pisax_store::{Error, Result, Writer, merge};

/// Two organisations with a user each.
fn two(w: &mut Writer<'_>) -> Result<[(i64, i64); 2]> {
    w.seed_roles()?;
    let (one, other) = (org(w, "One")?, org(w, "Other")?);
    let first = w.add_user(&user("one@example.org", one, 3), "hash")?;
    let second = w.add_user(&user("other@example.org", other, 3), "hash")?;
    Ok([(one, first), (other, second)])
}

fn group(w: &mut Writer<'_>, name: &str, org_id: i64, orgs: &[i64]) -> Result<i64> {
    let number = w.sharing_groups()?.len() as u128;
    let id = w.add_sharing_group(&SharingGroup {
        id: 0,
        uuid: uuid(900 + number),
        name: name.into(),
        releasability: String::new(),
        description: String::new(),
        organisation_uuid: uuid(0),
        org_id,
        sync_user_id: 1,
        active: true,
        local: true,
        roaming: false,
        created: 0,
        modified: 0,
        members: Vec::new(),
        servers: Vec::new(),
    })?;
    let members: Vec<(i64, bool)> = orgs.iter().map(|org| (*org, false)).collect();
    w.set_sharing_group_orgs(id, &members)?;
    Ok(id)
}

fn actor((org_id, user_id): (i64, i64)) -> Actor {
    Actor { user_id, ..member(org_id) }
}

/// A change as `noun, action, title, fields`; a field as `name, old, new`.
type Told = (i64, i64, String, Vec<(String, String, String)>);

fn told(t: &Trial) -> Vec<Told> {
    let query = EntryQuery { limit: 1000, oldest_first: true, ..EntryQuery::default() };
    let mut found = Vec::new();
    t.read(|r| {
        r.audit(&query, &mut |e| {
            let (noun, action) = (e.noun, e.action);
            let fields = e.logged.fields.into_iter().map(|f| (f.name, f.old, f.new)).collect();
            found.push((noun, action, e.title, fields));
            Ok(())
        })
    });
    found
}

#[test]
fn a_setting_is_one_for_each_user_and_goes_with_him() {
    on_each_engine("user_settings", |t| {
        let [one, other] = t.write(two);
        let first = t.write(|w| w.set_user_setting(one.1, "homepage", r#"{"path":"/a"}"#));
        let again = t.write(|w| w.set_user_setting(one.1, "homepage", r#"{"path":"/b"}"#));
        assert_eq!(first, again, "it keeps its number");
        t.write(|w| w.set_user_setting(other.1, "homepage", "[]"));
        let of = |user| t.read(|r| r.user_setting(user, "homepage")).map(|s| (s.value, s.email));
        assert_eq!(of(one.1), Some((r#"{"path":"/b"}"#.into(), "one@example.org".into())));
        let query = UserSettingQuery { org_id: Some(other.0), ..UserSettingQuery::default() };
        assert_eq!(t.read(|r| r.user_settings(&query)).len(), 1);
        t.write(|w| w.delete_user(one.1));
        assert_eq!(of(one.1), None);
        assert!(of(other.1).is_some());
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn what_changes_of_people_says_from_what_to_what_and_holds_no_secret() {
    on_each_engine("people_fields", |t| {
        let [one, _] = t.write(two);
        t.write(|w| {
            let mut user = w.user(one.1)?.unwrap();
            user.email = "new@example.org".into();
            user.role_id = 2;
            w.edit_user(&user)?;
            w.set_password(one.1, "a very secret hash")?;
            let mut role = w.role(3)?.unwrap();
            role.permissions = role.permissions.with(Permission::Sync);
            w.edit_role(&role)?;
            w.edit_org(one.0, &OrgDraft { sector: Some("IXP".into()), ..OrgDraft::default() })?;
            w.edit_setting("MISP.live", "0", true)?;
            w.block_event(uuid(7), "An event", "One", "")?;
            w.unblock_event(&uuid(7)).map(drop)
        });
        let log = told(t);
        let field = |name: &str| {
            let found = log.iter().flat_map(|(_, _, _, fields)| fields);
            found.filter(|f| f.0 == name).map(|f| (f.1.as_str(), f.2.as_str())).next_back()
        };
        assert_eq!(field("email"), Some(("one@example.org", "new@example.org")));
        assert_eq!(field("role_id"), Some(("3", "2")));
        assert_eq!(field("perm_sync"), Some(("false", "true")));
        assert_eq!(field("sector"), Some(("", "IXP")));
        assert_eq!(field("value"), Some(("", "0")));
        assert_eq!(field("event_uuid"), Some((uuid(7).to_string().as_str(), "")));
        assert!(log.iter().any(|row| row.1 == Action::ChangePassword as i64 && row.2 == "new@example.org"));
        assert!(!format!("{log:?}").contains("secret"));
    });
}

#[test]
fn a_request_for_an_account_waits_until_it_is_answered() {
    on_each_engine("inbox", |t| {
        let message = Message {
            id: 0,
            uuid: uuid(1),
            title: "User registration for a@example.org.".into(),
            kind: REGISTRATION.into(),
            email: "a@example.org".into(),
            address: "192.0.2.1".into(),
            user_agent: "Curl".into(),
            comment: "please".into(),
            timestamp: 0,
            data: r#"{"email":"a@example.org"}"#.into(),
        };
        let id = t.write(|w| w.add_message(&message));
        let read = t.read(|r| r.message(Ref::Uuid(uuid(1)))).unwrap();
        assert_eq!(read, Message { id, timestamp: NOW, ..message });
        for (search, count) in [("EXAMPLE", 1), ("192.0.2", 1), ("curl", 1), ("please%", 0)] {
            assert_eq!(t.read(|r| r.inbox(Some(REGISTRATION), Some(search))).len(), count, "{search}");
        }
        assert!(t.read(|r| r.inbox(Some("other"), None)).is_empty());
        t.write(|w| w.remove_message(&read, Action::Discard));
        assert_eq!(t.read(|r| r.message_count()), 0);
    });
}

#[test]
fn a_mail_is_taken_by_one_tried_again_and_in_the_end_given_up_without_its_text() {
    on_each_engine("mails", |t| {
        let [one, _] = t.write(two);
        let mail = Mail {
            user_id: one.1,
            recipient: "one@example.org".into(),
            subject: "S".into(),
            body: "a secret".into(),
            ..Mail::default()
        };
        t.write(|w| w.add_mail(&mail));
        t.write(|w| w.add_mail(&Mail { subject: "T".into(), ..mail.clone() }));
        assert!(t.read(|r| r.outbox_waits(NOW)));
        let taken = t.write(|w| w.take_mails(NOW + 60));
        assert_eq!(taken.len(), 2);
        assert!(t.write(|w| w.take_mails(NOW + 60)).is_empty(), "who comes second gets none");
        assert!(!t.read(|r| r.outbox_waits(NOW)) && t.read(|r| r.outbox_waits(NOW + 60)));
        t.write(|w| w.mail_sent(&taken[0], false));
        t.write(|w| w.mail_failed(&taken[1], "busy", Some(NOW)));
        let again = t.write(|w| w.take_mails(NOW + 60));
        assert_eq!((again.len(), again[0].attempts, again[0].failure.as_str()), (1, 1, "busy"));
        t.write(|w| w.mail_failed(&again[0], "no such user", None));
        assert!(t.read(|r| r.mails(false, 10)).is_empty());
        let given_up = t.read(|r| r.mails(true, 10));
        assert_eq!((given_up.len(), given_up[0].body.as_str()), (1, ""));
        let titles: Vec<String> = told(t).into_iter().map(|row| row.2).collect();
        assert!(titles.contains(&"Email  to one@example.org sent, titled \"S\".".to_owned()), "{titles:?}");
        assert_eq!(t.write(|w| w.trim_mails(NOW + 1)), 1);
    });
}

#[test]
fn those_who_are_told_of_publications_asked_for_it_and_may_still_sign_in() {
    on_each_engine("alert_readers", |t| {
        let [one, other] = t.write(two);
        t.write(|w| {
            for (id, expiration) in [(one.1, None), (other.1, Some(NOW - 1))] {
                let mut user = w.user(id)?.unwrap();
                (user.autoalert, user.expiration) = (true, expiration);
                w.edit_user(&user)?;
            }
            Ok(())
        });
        let readers = || t.read(|r| r.alert_readers(NOW)).into_iter().map(|(u, _)| u.id).collect::<Vec<_>>();
        assert_eq!(readers(), [one.1]);
        let id = t.write(|w| filled_event(w, &event(one.0, 3, 0), &[])).0;
        t.write(|w| {
            let found = w.event(Ref::Id(id))?.unwrap();
            w.add_alert(&found, 7)?;
            w.add_alert(&found, 9)
        });
        assert_eq!(t.read(|r| r.alerts()), [(id, 7)], "what came first is told from its beginning");
        assert!(t.write(|w| w.take_alert(id)));
        assert!(!t.write(|w| w.take_alert(id)), "told once");
    });
}

#[test]
fn a_held_mail_is_noted_once_and_tried_when_its_user_changes() {
    on_each_engine("held_mails", |t| {
        let [one, _] = t.write(two);
        let mail = Mail {
            user_id: one.1,
            recipient: "one@example.org".into(),
            subject: "S".into(),
            body: "text".into(),
            link: "https://misp.example/events/view/1".into(),
            ..Mail::default()
        };
        t.write(|w| w.add_mail(&mail));
        for _ in 0..2 {
            let taken = t.write(|w| w.take_mails(NOW + 60));
            assert_eq!((taken.len(), taken[0].link.as_str()), (1, mail.link.as_str()));
            t.write(|w| w.mail_held(&taken[0], "the key is expired", NOW + 3600));
            assert!(!t.read(|r| r.outbox_waits(NOW)));
            t.write(|w| w.release_mails(one.1));
            assert!(t.read(|r| r.outbox_waits(NOW)));
        }
        let taken = t.write(|w| w.take_mails(NOW + 60));
        assert_eq!((taken[0].body.as_str(), taken[0].failure.as_str()), ("text", "the key is expired"));
        t.write(|w| w.mail_sent(&taken[0], true));
        let titles: Vec<String> = told(t).into_iter().map(|row| row.2).collect();
        let held = titles.iter().filter(|title| title.contains("is held")).count();
        assert_eq!(held, 1, "{titles:?}");
        let sent = "Encrypted email  to one@example.org sent, titled \"S\".";
        assert!(titles.iter().any(|title| title == sent), "{titles:?}");
    });
}

#[test]
fn a_period_is_taken_once_and_a_publication_is_banned_for_its_span() {
    on_each_engine("digests", |t| {
        let [one, other] = t.write(two);
        assert!(t.write(|w| w.take_digest(one.1, Period::Daily, NOW)));
        assert!(!t.write(|w| w.take_digest(one.1, Period::Daily, NOW)), "by another process");
        assert!(t.write(|w| w.take_digest(one.1, Period::Weekly, NOW - 1)), "each period for itself");
        assert!(t.write(|w| w.take_digest(one.1, Period::Daily, NOW + 1)));
        assert_eq!(t.read(|r| r.digests(Period::Daily)), [(one.1, NOW + 1)]);
        t.write(|w| {
            for (id, expiration) in [(one.1, None), (other.1, Some(NOW - 1))] {
                let mut user = w.user(id)?.unwrap();
                (user.notification_weekly, user.expiration) = (true, expiration);
                w.edit_user(&user)?;
            }
            Ok(())
        });
        let readers = |period| t.read(|r| r.digest_readers(period, NOW)).into_iter().map(|(u, _)| u.id);
        assert_eq!(readers(Period::Weekly).collect::<Vec<_>>(), [one.1]);
        assert_eq!(readers(Period::Monthly).count(), 0);
        assert!(!t.write(|w| w.alert_ban(5, 60, false)));
        assert!(t.write(|w| w.alert_ban(5, 60, false)) && !t.write(|w| w.alert_ban(6, 60, false)));
        assert!(!t.write(|w| w.alert_ban(5, 0, false)), "a span that is over");
        t.write(|w| w.delete_user(one.1));
        assert!(t.read(|r| r.digests(Period::Daily)).is_empty());
    });
}

#[test]
fn requests_are_found_by_what_they_were_and_go_after_their_time() {
    on_each_engine("access_log", |t| {
        let [one, _] = t.write(two);
        let row = |created: i64, url: &str, code: i64| Access {
            created,
            user_id: one.1,
            org_id: one.0,
            method: "GET".into(),
            url: url.into(),
            code,
            duration: created % 10,
            ..Access::default()
        };
        let rows = [row(1000, "/events/view/1", 200), row(2000, "/Events/index", 403), row(3005, "/x", 200)];
        t.write(|w| w.add_accesses(&rows));
        let find = |query: AccessQuery| {
            let query = AccessQuery { limit: 10, ..query };
            let found = t.read(|r| r.accesses(&query));
            found.into_iter().map(|row| row.access.created).collect::<Vec<_>>()
        };
        let any = AccessQuery::default;
        assert_eq!(find(any()), [3005, 2000, 1000], "newest first");
        assert_eq!(find(AccessQuery { url: Some("EVENTS".into()), ..any() }), [2000, 1000]);
        assert_eq!(find(AccessQuery { code: Some(403), ..any() }), [2000]);
        assert_eq!(find(AccessQuery { duration: Some(5), ..any() }), [3005]);
        assert_eq!(find(AccessQuery { from: Some(1500), to: Some(2500), ..any() }), [2000]);
        assert_eq!(find(AccessQuery { user_id: Some(0), ..any() }), Vec::<i64>::new());
        let named = t.read(|r| r.accesses(&AccessQuery { limit: 1, ..any() }));
        assert_eq!(named[0].email.as_deref(), Some("one@example.org"));
        assert!(!t.write(|w| w.trim_accesses(2500)), "all in one step");
        assert_eq!(find(any()), [3005]);
    });
}

#[test]
fn a_bookmark_is_ones_own_until_it_is_shown_to_the_organisation() {
    on_each_engine("bookmarks", |t| {
        let [one, other] = t.write(two);
        let colleague = t.write(|w| w.add_user(&user("colleague@example.org", one.0, 3), "hash"));
        let bookmark = |name: &str, exposed_to_org| Bookmark {
            user_id: one.1,
            org_id: one.0,
            name: name.into(),
            url: "/events".into(),
            exposed_to_org,
            ..Bookmark::default()
        };
        t.write(|w| w.add_bookmark(&bookmark("private", false)));
        t.write(|w| w.add_bookmark(&bookmark("shown", true)));
        let seen = |who: Actor| {
            let found = t.store.read::<_, Error>(&who, |r| r.bookmarks()).unwrap();
            found.into_iter().map(|b| b.name).collect::<Vec<_>>()
        };
        assert_eq!(seen(actor(one)), ["private", "shown"]);
        assert_eq!(seen(actor((one.0, colleague))), ["shown"]);
        assert_eq!(seen(actor(other)), Vec::<String>::new());
        assert_eq!(seen(system()), ["private", "shown"]);
    });
}

fn collection(org_id: i64, n: u8, distribution: i64, sharing_group_id: i64) -> Collection {
    Collection {
        uuid: uuid(n.into()),
        org_id,
        orgc_id: org_id,
        user_id: 1,
        distribution,
        sharing_group_id,
        name: format!("Collection {n}"),
        kind: "other".into(),
        ..Collection::default()
    }
}

#[test]
fn a_collection_is_seen_as_an_event_of_its_distribution_is() {
    on_each_engine("collections", |t| {
        let [one, other] = t.write(two);
        let group = t.write(|w| {
            let group = group(w, "G", one.0, &[other.0])?;
            for (n, distribution) in [(1, 0), (2, 1), (3, 4)] {
                let group = if distribution == 4 { group } else { 0 };
                w.add_collection(&collection(one.0, n, distribution, group))?;
                let mut twin = event(one.0, distribution, group);
                twin.uuid = uuid(100 + u128::from(n));
                w.insert_event(&twin)?;
            }
            Ok(group)
        });
        let third = t.write(|w| org(w, "Third"));
        for who in [actor(one), actor(other), member(third), system()] {
            let (collections, events) = t
                .store
                .read::<_, Error>(&who, |r| {
                    let collections = r.collections(Whose::All, None)?;
                    let events = (1..=3).map(|n| r.event(Ref::Uuid(uuid(100 + n))));
                    Ok((collections, events.collect::<Result<Vec<_>>>()?))
                })
                .unwrap();
            let seen: Vec<bool> = (1..=3).map(|n| collections.iter().any(|c| c.uuid == uuid(n))).collect();
            let expected: Vec<bool> = events.iter().map(Option::is_some).collect();
            assert_eq!(seen, expected, "{who:?}");
        }
        let id = t.read(|r| r.collections(Whose::All, Some("COLLECTION 1")))[0].id;
        let element = Element {
            uuid: uuid(50),
            element_uuid: uuid(51),
            element_type: "Event".into(),
            collection_id: id,
            ..Element::default()
        };
        t.write(|w| w.add_collection_element(&element));
        assert!(matches!(t.refusal(|w| w.add_collection_element(&element)), Error::Conflict("element_uuid")));
        let found = t.store.read::<_, Error>(&actor(other), |r| r.collection_element(Ref::Uuid(uuid(50))));
        assert_eq!(found.unwrap(), None, "no more visible than what it is in");
        assert!(matches!(t.refusal(|w| w.delete_sharing_group(group)), Error::Conflict(_)));
        t.write(|w| {
            let found = w.collection(Ref::Id(id))?.unwrap();
            w.delete_collection(&found)
        });
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_dashboard_is_offered_to_those_it_is_for() {
    on_each_engine("dashboards", |t| {
        let [one, other] = t.write(two);
        let mut dashboard = Dashboard {
            uuid: uuid(1),
            name: "D".into(),
            user_id: one.1,
            value: "[]".into(),
            ..Dashboard::default()
        };
        let mut put = |change: &dyn Fn(&mut Dashboard)| {
            change(&mut dashboard);
            dashboard.id = t.write(|w| w.put_dashboard(&dashboard));
        };
        let seen = |who: &Actor| t.store.read::<_, Error>(who, |r| Ok(r.dashboards()?.len())).unwrap();
        let plain = Actor { permissions: Permissions::NONE, ..actor(other) };
        put(&|_| ());
        assert_eq!((seen(&actor(one)), seen(&plain)), (1, 0), "one's own");
        put(&|d| d.selectable = true);
        assert_eq!(seen(&plain), 1);
        put(&|d| d.restrict_to_permission_flag = "perm_audit".into());
        assert_eq!(seen(&plain), 0);
        let auditor = Actor { permissions: Permissions::of(&[Permission::Audit]), ..plain.clone() };
        assert_eq!(seen(&auditor), 1);
        put(&|d| d.restrict_to_role_id = 6);
        assert_eq!(seen(&auditor), 0);
        put(&|d| (d.restrict_to_role_id, d.restrict_to_org_id) = (3, one.0));
        assert_eq!(seen(&auditor), 0);
    });
}

#[test]
fn blueprints_are_their_organisations_own() {
    on_each_engine("blueprints", |t| {
        let [one, other] = t.write(two);
        let blueprint = Blueprint {
            uuid: uuid(1),
            name: "B".into(),
            org_id: one.0,
            rules: "{}".into(),
            ..Blueprint::default()
        };
        t.write(|w| w.add_blueprint(&blueprint));
        let seen = |who| t.store.read::<_, Error>(&who, |r| Ok(r.blueprints()?.len())).unwrap();
        assert_eq!((seen(actor(one)), seen(actor(other)), seen(system())), (1, 0, 1));
    });
}

#[test]
fn a_merged_organisation_leaves_everything_to_the_other() {
    on_each_engine("merge", |t| {
        let [one, other] = t.write(two);
        let (id, group) = t.write(|w| {
            let (id, _) = filled_event(w, &event(one.0, 0, 0), &[("domain", "a.example")])?;
            let both = group(w, "Both", one.0, &[one.0, other.0])?;
            group(w, "First", one.0, &[one.0])?;
            w.add_collection(&collection(one.0, 9, 0, 0))?;
            // One asks the other to take the event over, and one that stays asks them.
            let offered = w.event(Ref::Id(id))?.unwrap();
            w.acting(&actor(one), |w| w.add_delegation(&offered, other.0, "", 0, 0))?;
            let third = org(w, "Third")?;
            let kept = w.insert_event(&event(third, 0, 0))?;
            let kept = w.event(Ref::Id(kept))?.unwrap();
            w.acting(&crate::member(third), |w| w.add_delegation(&kept, one.0, "", 0, 0))?;
            Ok((id, both))
        });
        t.write(|w| {
            let (from, into) = (w.org(Ref::Id(one.0))?.unwrap(), w.org(Ref::Id(other.0))?.unwrap());
            w.merge_orgs(&from, &into)
        });
        assert_eq!(t.read(|r| r.org(Ref::Id(one.0))), None);
        let found = t.store.read::<_, Error>(&actor(other), |r| r.event(Ref::Id(id))).unwrap().unwrap();
        assert_eq!((found.org_id, found.orgc_id), (other.0, other.0));
        assert_eq!(t.read(|r| r.user(one.1)).unwrap().org_id, other.0);
        let groups = t.read(|r| r.sharing_groups());
        for group in &groups {
            assert_eq!((group.org_id, group.members.len()), (other.0, 1), "{}", group.name);
        }
        assert!(groups.iter().any(|g| g.id == group));
        assert_eq!(t.read(|r| r.collections(Whose::All, None))[0].orgc_id, other.0);
        let pending = |r: &mut pisax_store::Reader<'_>| r.delegations(Requests::Pending, None);
        let asked = t.store.read::<_, Error>(&actor(other), pending).unwrap();
        assert_eq!(asked.iter().map(|d| d.requester.name.as_str()).collect::<Vec<_>>(), ["Third"]);
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
        let verified = t.read(|r| r.verify_audit(None));
        assert_eq!(verified.broken, None, "the log still says who it was then");
    });
}

#[test]
fn merging_knows_every_column_that_names_an_organisation() {
    let trial = Trial::on_sqlite("merge_columns");
    let pisax_store::Address::Sqlite(path) = &trial.address else { return };
    let file = rusqlite::Connection::open(path).unwrap();
    let sql = "select m.name, c.name from sqlite_master m join pragma_table_info(m.name) c \
               where m.type = 'table' and (c.name like '%org_id' or c.name like '%orgc_id') order by 1, 2";
    let mut statement = file.prepare(sql).unwrap();
    let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
    let found: Vec<(String, String)> = rows.map(|row| row.unwrap()).collect();
    let mut known: Vec<(String, String)> = [merge::COLUMNS, merge::KEPT]
        .concat()
        .iter()
        .map(|(table, column)| ((*table).to_owned(), (*column).to_owned()))
        .collect();
    known.sort();
    assert_eq!(found, known);
}

#[test]
fn numbers_about_the_instance_count_what_one_sees() {
    on_each_engine("usage", |t| {
        let [one, other] = t.write(two);
        t.write(|w| {
            filled_event(w, &event(one.0, 0, 0), &[("domain", "same.example"), ("text", "x")])?;
            filled_event(w, &event(other.0, 3, 0), &[("domain", "same.example")])
        });
        let usage = |who: &Actor| t.store.read::<_, Error>(who, |r| r.usage(NOW_MS / 1000 - 1)).unwrap();
        let (mine, theirs) = (usage(&actor(one)), usage(&actor(other)));
        assert_eq!((mine.events, mine.attributes, mine.contributing_orgs), (2, 3, 2));
        assert_eq!((theirs.events, theirs.attributes, theirs.contributing_orgs), (1, 1, 1));
        assert_eq!((mine.users, mine.orgs), (2, 2));
        assert_eq!(t.read(|r| r.correlation_pairs()), 1);
        let by_org = |who: &Actor| t.store.read::<_, Error>(who, |r| r.attribute_counts_by_org()).unwrap();
        assert_eq!((by_org(&actor(one)).len(), by_org(&actor(other)).len()), (3, 1));
        let made = |who: &Actor| t.store.read::<_, Error>(who, |r| r.contributions(0)).unwrap();
        assert_eq!((made(&actor(one)).len(), made(&actor(other)).len()), (2, 1));
    });
}
