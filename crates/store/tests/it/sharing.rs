//! Feeds, servers, keys of events and jobs: kept whole, seen by whom they are for; and what the schema is.

use crate::{NOW, Trial, event, filled_event, member, on_each_engine, org, system, uuid};
use pisax_access::{Actor, Permission, Permissions};
use pisax_model::cryptographic_key::CryptographicKey;
use pisax_model::feed::{Feed, Input, SourceFormat};
use pisax_model::ids::Ref;
use pisax_model::job::{Status, Task};
use pisax_model::server::Server;
use pisax_store::Error;
use pisax_store::changes::{Action, Noun};
use pisax_store::feeds::FeedFilter;

fn feed(name: &str) -> Feed {
    Feed {
        name: name.into(),
        provider: "p".into(),
        url: format!("https://feed.example/{name}"),
        headers: Some("X-Token: very-secret".into()),
        ..Feed::blank()
    }
}

fn server(remote_org_id: i64) -> Server {
    let key = "s3cret".repeat(6) + "abcd";
    let (name, url) = ("there".into(), "https://there.example".into());
    Server { name, url, authkey: key, remote_org_id, ..Server::blank(1) }
}

fn key(event_id: i64, number: u128) -> CryptographicKey {
    CryptographicKey {
        id: 0,
        uuid: uuid(number),
        event_id,
        timestamp: NOW,
        key_data: format!("key {number}"),
        fingerprint: format!("{number:040X}"),
        revoked: false,
    }
}

fn names(t: &Trial, actor: &Actor, filter: &FeedFilter) -> Vec<String> {
    t.store.read(actor, |r| r.feeds(filter)).unwrap().into_iter().map(|f| f.name).collect()
}

#[test]
fn a_feed_is_kept_whole_and_found_by_what_is_asked_of_it() {
    on_each_engine("feeds", |t| {
        let full = Feed {
            rules: Some(r#"{"tags":{}}"#.into()),
            enabled: true,
            distribution: 3,
            source_format: SourceFormat::Csv,
            fixed_event: false,
            delta_merge: true,
            event_id: 7,
            publish: true,
            override_ids: true,
            settings: r#"{"csv":{"value":"1"}}"#.into(),
            input_source: Input::Local,
            delete_local_file: true,
            lookup_visible: true,
            caching_enabled: true,
            force_to_ids: true,
            tag_collection_id: 3,
            ..feed("Größe")
        };
        let id = t.write(|w| w.add_feed(&full));
        let stored = t.read(|r| r.feed(id)).unwrap();
        assert_eq!(stored, Feed { id, ..full });
        t.write(|w| w.add_feed(&Feed { default: true, ..feed("known") }));
        let all = FeedFilter::default();
        assert_eq!(names(t, &system(), &all), ["known", "Größe"], "PISAX's own come first");
        let found = |filter: FeedFilter| names(t, &system(), &filter);
        assert_eq!(found(FeedFilter { search: Some("GROSSE".into()), ..all.clone() }), ["Größe"]);
        assert_eq!(found(FeedFilter { source_format: Some(SourceFormat::Csv), ..all.clone() }), ["Größe"]);
        assert_eq!(found(FeedFilter { in_use: true, ..all.clone() }), ["Größe"]);
        assert_eq!(found(FeedFilter { default: Some(true), ..all.clone() }), ["known"]);
        assert_eq!(found(FeedFilter { limit: Some(1), offset: 1, ..all.clone() }), ["Größe"]);
        t.write(|w| w.edit_feed(&stored, &Feed { enabled: false, ..stored.clone() }));
        t.write(|w| w.delete_feed(&stored));
        assert_eq!(t.read(|r| r.feed(id)), None);
        assert!(matches!(t.refusal(|w| w.delete_feed(&stored)), Error::NotFound("feed")));
        let actions: Vec<i64> = t.read(|r| r.changes_after(0, 100)).iter().map(|c| c.action).collect();
        let told = [Action::Add, Action::Add, Action::Disable, Action::Delete].map(|a| a as i64);
        assert_eq!(actions, told);
    });
}

#[test]
fn a_feed_is_seen_by_those_who_run_the_instance_and_by_others_where_it_is_for_look_ups() {
    on_each_engine("feeds_seen", |t| {
        let (own, shown) = t.write(|w| {
            Ok((w.add_feed(&feed("own"))?, w.add_feed(&Feed { lookup_visible: true, ..feed("shown") })?))
        });
        for seen in 0..8 {
            let (site_admin, host_org, sync) = (seen & 1 > 0, seen & 2 > 0, seen & 4 > 0);
            let mut permissions = Vec::new();
            permissions.extend(site_admin.then_some(Permission::SiteAdmin));
            permissions.extend(sync.then_some(Permission::Sync));
            let actor = Actor { permissions: Permissions::of(&permissions), host_org, ..member(9) };
            let all = site_admin || host_org;
            let wanted: &[&str] = if all { &["own", "shown"] } else { &["shown"] };
            assert_eq!(names(t, &actor, &FeedFilter::default()), wanted);
            let by_url = FeedFilter { search: Some("https".into()), ..FeedFilter::default() };
            let found: &[&str] = if site_admin { &["own", "shown"] } else { &[] };
            assert_eq!(names(t, &actor, &by_url), found, "a url may hold a password");
            let alone = |id| t.store.read(&actor, |r| r.feed(id)).unwrap().is_some();
            assert_eq!((alone(own), alone(shown)), (all, true));
            let servers = t.store.read(&actor, |r| r.servers(None)).unwrap().len();
            assert_eq!(servers, 0, "there are none");
        }
    });
}

#[test]
fn servers_are_for_site_admins_and_no_key_or_header_is_in_the_log() {
    on_each_engine("servers", |t| {
        let (there, id) = t.write(|w| {
            w.add_feed(&feed("with headers"))?;
            let there = org(w, "There")?;
            Ok((there, w.add_server(&server(there))?))
        });
        let stored = t.read(|r| r.server(id)).unwrap();
        assert_eq!(stored, Server { id, priority: 1, ..server(there) });
        assert!(t.store.read(&member(1), |r| r.server(id)).unwrap().is_none());
        assert!(t.store.read(&member(1), |r| r.servers(None)).unwrap().is_empty());
        assert_eq!(t.read(|r| r.servers(Some("THERE.ex"))).len(), 1);
        assert_eq!(t.read(|r| r.orgs_of_servers(std::slice::from_ref(&stored)))[&there].name, "There");
        t.write(|w| w.edit_server(&stored, &Server { authkey: "x".repeat(40), ..stored.clone() }));
        assert!(matches!(t.refusal(|w| w.delete_org(there)), Error::Conflict(_)), "it runs a server");
        t.write(|w| w.delete_server(&stored));
        t.write(|w| w.delete_org(there));
        let query = pisax_store::audit::EntryQuery { limit: 100, ..Default::default() };
        let mut log = String::new();
        t.read(|r| {
            r.audit(&query, &mut |entry| {
                log.push_str(&format!("{entry:?}"));
                Ok(())
            })
        });
        assert!(log.contains("there.example") && log.contains("with headers"));
        for secret in ["s3cret", "very-secret", "xxxxxxxxxx"] {
            assert!(!log.contains(secret), "{secret} is in the log");
        }
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn keys_are_seen_with_their_event_and_go_with_it() {
    on_each_engine("cryptographic_keys", |t| {
        let (own, hidden) = t.write(|w| {
            let own = org(w, "own")?;
            let (hidden, _) = filled_event(w, &event(own, 0, 0), &[("text", "x")])?;
            Ok((own, hidden))
        });
        let id = t.write(|w| w.add_cryptographic_key(&key(hidden, 1)));
        let twice = CryptographicKey { uuid: uuid(2), ..key(hidden, 1) };
        assert!(matches!(t.refusal(|w| w.add_cryptographic_key(&twice)), Error::Conflict("key_data")));
        for (actor, sees) in [(member(own), true), (member(own + 1), false)] {
            let seen = t.store.read::<_, Error>(&actor, |r| {
                Ok((r.keys_of_event(hidden)?.len(), r.cryptographic_key(Ref::Uuid(uuid(1)))?.is_some()))
            });
            assert_eq!(seen.unwrap(), (usize::from(sees), sees));
        }
        let stored = t.read(|r| r.cryptographic_key(Ref::Id(id))).unwrap();
        t.write(|w| w.revoke_cryptographic_key(&stored));
        assert!(t.read(|r| r.cryptographic_key(Ref::Id(id))).unwrap().revoked);
        let there = t.read(|r| r.event(Ref::Id(hidden))).unwrap();
        t.write(|w| w.remove_event(&there));
        assert_eq!(t.read(|r| r.cryptographic_key(Ref::Id(id))), None);
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
        let logged = t.read(|r| r.changes_after(0, 100));
        assert!(logged.iter().any(|c| c.noun == Noun::CryptographicKey as i64 && c.event_id == hidden));
    });
}

#[test]
fn what_waits_waits_once_and_is_counted() {
    on_each_engine("jobs", |t| {
        let add = |input: &str| t.write(|w| w.queue_job(Task::CacheFeeds, input, "Waiting.", 0));
        let (all, one) = (add("all"), add("7"));
        assert_eq!(add("all"), all, "one job stands for both");
        let jobs = t.read(|r| r.jobs(None, 10, 0));
        assert_eq!(
            jobs.iter().map(|j| (j.id, j.status)).collect::<Vec<_>>(),
            [(one, Status::Waiting), (all, Status::Waiting)]
        );
        assert_eq!(t.read(|r| r.jobs(Some("email"), 10, 0)), []);
        assert_eq!(t.read(|r| r.waiting_jobs())["cache"], 2);
        assert_eq!(t.store.read(&member(9), |r| r.job(all)).unwrap(), None, "it is not his");
        assert_eq!(t.write(|w| w.clear_jobs(true)), 0, "none is done");
        assert_eq!(t.write(|w| w.clear_jobs(false)), 2);
    });
}

#[test]
fn what_the_dead_were_doing_is_taken_up_when_nobody_else_is_there() {
    on_each_engine("presence", |t| {
        let alone = |t: &Trial| {
            let mut alone = false;
            let presence = t.store.join_workers(|| {
                alone = true;
                Ok(())
            });
            (presence.unwrap(), alone)
        };
        let id = t.write(|w| w.queue_job(Task::Pull, "1 full", "Waiting.", 0));
        assert_eq!(t.write(|w| w.take_job("the dead")).map(|job| job.id), Some(id));
        let (mut first, nobody_else) = alone(t);
        assert!(nobody_else && first.holds());
        let (second, nobody_else) = alone(t);
        assert!(!nobody_else, "somebody lives");
        drop((first, second));
        assert!(alone(t).1, "all are gone");
        assert_eq!(t.write(|w| w.take_job("the next")), None, "the lease of the dead lasts");
        assert_eq!(t.write(|w| w.take_up_jobs()), 1);
        let job = t.write(|w| w.take_job("the next")).unwrap();
        assert_eq!((job.id, job.attempts), (id, 2), "one that kills whoever does it is known by that");
        // A peer that is away for days is no such job.
        t.write(|w| w.put_back_job(id, "the next", 0, "It is away."));
        assert_eq!(t.write(|w| w.take_job("the next")).map(|job| job.attempts), Some(1));
    });
}

#[test]
fn a_missing_column_is_told_and_tables_have_sizes() {
    on_each_engine("schema", |t| {
        let schema = t.read(|r| r.schema());
        assert_eq!((schema.actual, schema.differences), (schema.expected, Vec::new()));
        let sizes = t.read(|r| r.table_sizes());
        let of = |name: &str| sizes.iter().find(|s| s.name == name).unwrap();
        assert!(of("settings").data_bytes > 0);
        assert_eq!(of("feeds").rows, Some(0));
        assert!(!t.read(|r| r.engine_version()).is_empty());
        t.tamper("alter table feeds drop column headers");
        let told = t.read(|r| r.schema()).differences;
        assert_eq!(told.len(), 1);
        assert_eq!(
            (told[0].table.as_str(), told[0].column.as_deref(), told[0].missing),
            ("feeds", Some("headers"), true)
        );
    });
}

#[test]
fn what_feeds_and_servers_point_at_has_to_be_there() {
    on_each_engine("sharing_orphans", |t| {
        t.write(|w| {
            w.add_feed(&feed("f"))?;
            let there = org(w, "There")?;
            w.add_server(&server(there))
        });
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
        t.tamper("update feeds set tag_id = 99, orgc_id = 98, sharing_group_id = 97; update servers set remote_org_id = 96");
        let told = t.store.check().unwrap().join("\n");
        for number in ["99", "98", "97", "96"] {
            assert!(told.contains(number), "{told}");
        }
    });
}

#[test]
fn what_is_done_on_behalf_of_others_is_one_transaction_of_who_does_it() {
    on_each_engine("acting", |t| {
        let (one, other) = t.write(|w| Ok((org(w, "One")?, org(w, "Other")?)));
        let own = t.write(|w| w.insert_event(&event(one, 0, 0)));
        let start = t.read(|r| r.changes_after(0, 1000)).last().map_or(0, |c| c.seq);
        let doer = member(other);
        let both = |w: &mut pisax_store::Writer<'_>| {
            let before = w.event(Ref::Id(own))?;
            let (seen, made) = w.acting(&member(one), |w| {
                let seen = w.event(Ref::Id(own))?;
                Ok::<_, Error>((seen.is_some(), org(w, "Within")?))
            })?;
            Ok::<_, Error>((before.is_some(), seen, w.event(Ref::Id(own))?.is_some(), made))
        };
        let (before, within, after, _) = t.store.write(&doer, crate::NOW_MS, both).unwrap();
        assert_eq!((before, within, after), (false, true, false));
        let logged = t.read(|r| r.changes_after(start, 10));
        assert_eq!(logged.iter().map(|c| c.org_id).collect::<Vec<_>>(), [other]);

        let refused: Result<(), Error> = t.store.write(&doer, crate::NOW_MS, |w| {
            w.acting(&member(one), |w| org(w, "Third"))?;
            Err(Error::Forbidden("it"))
        });
        assert!(refused.is_err());
        assert_eq!(t.read(|r| r.changes_after(start, 10)).len(), 1, "nothing of it remains");
    });
}
