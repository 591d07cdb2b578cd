//! Check, backup and restore, within and across the engines.

use crate::{NOW_MS, Trial, attribute, event, filled_event, member, on_each_engine, org, system, user, uuid};
use pisax_model::ids::Ref;
use pisax_model::object::Object;
use pisax_model::sighting::SightingKind;
use pisax_model::tag::TagDraft;
use pisax_store::proposals::NewProposal;
use pisax_store::sightings::NewSighting;
use pisax_store::tags::NewAttachment;
use pisax_store::{Error, Store};

/// Something of everything.
fn furnish(t: &Trial) -> i64 {
    t.write(|w| {
        w.seed_roles()?;
        let o = org(w, "Örg 'n' \\ Co")?;
        w.add_user(&user("a@example.org", o, 1), "hash")?;
        let values = [
            ("domain", "evil.example"),
            ("ip-src", "192.0.2.7"),
            ("ip-dst", "198.51.100.0/24"),
            ("ip-dst|port", "2001:db8::1|443"),
            ("domain|ip", "x.example|203.0.113.9"),
            ("text", "Zeile 1\nZeile 2\tTab \u{1f600}"),
            ("filename|md5", "a.exe|d41d8cd98f00b204e9800998ecf8427e"),
        ];
        let (id, attributes) = filled_event(w, &event(o, 3, 0), &values)?;
        let object = Object {
            id: 0,
            uuid: uuid(50),
            event_id: id,
            name: "file".into(),
            meta_category: "file".into(),
            description: String::new(),
            template_uuid: String::new(),
            template_version: "1".into(),
            timestamp: 1,
            distribution: 5,
            sharing_group_id: 0,
            comment: String::new(),
            deleted: false,
            first_seen: None,
            last_seen: Some(1),
        };
        let object_id = w.insert_object(&object)?;
        let mut inner = attribute("malware-sample", "b.exe|d41d8cd98f00b204e9800998ecf8427e");
        inner.data = Some(vec![0, 1, 2, 255].into());
        w.insert_attributes(id, &[(object_id, &inner)])?;
        w.recount_event(id)?;
        let tag =
            w.resolve_tags(&[&TagDraft { name: "tlp:red".into(), ..TagDraft::default() }], true)?["tlp:red"]
                .id;
        let row = NewAttachment { tag_id: tag, local: false, relationship_type: None };
        w.attach_event_tags(id, std::slice::from_ref(&row))?;
        w.attach_attribute_tags(id, &[(attributes[0], row)])?;
        w.put_decaying_model(None, &crate::scoring::model("ours", o, true), crate::scoring::CODING)?;
        w.add_sightings(&[NewSighting {
            uuid: uuid(60),
            attribute_id: attributes[0],
            event_id: id,
            org_id: o,
            date_sighting: 5,
            source: String::new(),
            kind: SightingKind::Seen,
        }])?;
        let mut proposed = attribute("attachment", "note.txt");
        proposed.data = Some(pisax_model::content::Content::Bytes(vec![7, 0]));
        w.add_proposal(&NewProposal {
            attribute: proposed,
            event_id: id,
            attribute_id: attributes[0],
            org_id: o,
            user_id: 1,
            email: "a@example.org".into(),
            deleted: false,
            to_delete: false,
        })?;
        let stored = w.event(Ref::Id(id))?.unwrap();
        w.add_delegation(&stored, o, "", -1, 0)?;
        Ok(id)
    })
}

#[test]
fn what_was_written_in_order_checks_out() {
    on_each_engine("check_good", |t| {
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
        furnish(t);
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
        let counts = t.store.counts().unwrap();
        assert_eq!(
            (counts.events, counts.attributes, counts.objects, counts.sightings, counts.tags),
            (1, 8, 1, 1, 1)
        );
        assert!(counts.last_change > 0 && counts.users == 1 && counts.orgs == 1);
    });
}

#[test]
fn every_kind_of_damage_is_named() {
    let damages = [
        ("update events set attribute_count = 3", "says it has 3 attributes and has 8"),
        (
            "update attributes set value1 = 'other.example' where value1 = 'evil.example'",
            "not kept under its value",
        ),
        ("update attributes set correlates = 0 where value1 = 'evil.example'", "whether it correlates"),
        ("update postings set correlates = 1 - correlates", "no right posting for its first half"),
        ("delete from postings where attribute_id = 5", "no right posting for its second half"),
        (
            "insert into postings (hash, event_id, attribute_id, correlates) values (1, 1, 1, 1)",
            "does not have that value",
        ),
        ("update addresses set len = 127 where attribute_id = 2", "missing from addresses"),
        ("delete from addresses where attribute_id = 3", "missing from addresses"),
        ("delete from networks", "missing from networks"),
        ("update networks set attribute_id = 1", "networks names attribute 1 of event 1 wrongly"),
        ("delete from events", "which does not exist"),
        ("delete from objects", "which its event does not have"),
        ("delete from tags", "of tag"),
        ("update sightings set attribute_id = 99", "sighting 1 is of attribute 99"),
        ("update event_tags set event_id = 99", "on event 99"),
        ("update attribute_tags set attribute_id = 99", "on attribute 99"),
        ("delete from changes", "missing from the change log"),
        ("delete from roles", "has role 1"),
        ("delete from orgs", "organisation"),
        ("update decaying_models set org_id = 99", "decaying model 1 is of organisation 99"),
        ("update attributes set distribution = 4, sharing_group_id = 7 where id = 1", "sharing group 7"),
        ("update attachments set attribute_id = 99", "attached bytes"),
        (
            "insert into attachment_files (attribute_id, name, size, digest) select 98, 'x', 1, bytes from attachments",
            "attached bytes outside the database belong to attribute 98",
        ),
        ("update attributes set kind = 9999", "does not know"),
        ("insert into user_settings values (1, 99, 'homepage', '{}', 1)", "setting 1 is of user 99"),
        ("insert into bookmarks values (1, 99, 1, 'b', '/', 0, '')", "bookmark 1 is of user 99"),
        ("insert into mails values (1, 1, 1, 0, 0, 99, 'x', '', '', '', '', '')", "mail 1 is for user 99"),
        ("insert into alerts values (99, 1, 0)", "publication of event 99"),
        (
            "insert into collection_elements values (1, x'01', x'02', 'Event', 99, '')",
            "element 1 is in collection 99",
        ),
        (
            "insert into collections values (1, x'01', 1, 99, 1, 1, 1, 0, 0, 'c', 'other', '')",
            "collection 1 is of organisation 99",
        ),
        (
            "insert into blueprints values (1, x'01', 'b', 1, 1, 99, 0, '{}')",
            "blueprint 1 is of organisation 99",
        ),
        (
            "insert into blueprints values (1, x'01', 'b', 1, 1, 1, 99, '{}')",
            "blueprint 1 made sharing group 99",
        ),
    ];
    on_each_engine("check_bad", |t| {
        furnish(t);
        let good = t.file("good.db");
        t.store.backup(&good).unwrap();
        for (sql, words) in damages {
            let trial = Trial::on_sqlite("damaged");
            trial.store.restore(&good).unwrap();
            trial.tamper(sql);
            // A changed kind stops the parts of the check that need it; the others must still speak.
            let found = trial.reopened().check().unwrap();
            assert!(found.iter().any(|line| line.contains(words)), "{sql}: {found:?}");
        }
        t.tamper("update events set attribute_count = 3");
        assert_eq!(t.store.check().unwrap(), ["event 1 says it has 3 attributes and has 8"]);
        t.tamper("delete from postings");
        assert!(t.store.check().unwrap().len() > 8);
    });
}

#[test]
fn complaints_are_bounded() {
    on_each_engine("bounded", |t| {
        let o = t.write(|w| org(w, "o"));
        t.write(|w| {
            let values: Vec<String> = (0..300).map(|i| format!("192.0.2.{}", i % 250)).collect();
            let values: Vec<(&str, &str)> = values.iter().map(|v| ("ip-src", v.as_str())).collect();
            filled_event(w, &event(o, 0, 0), &values)
        });
        t.tamper("update attributes set value1 = '198.51.100.1'");
        assert_eq!(t.store.check().unwrap().len(), 100);
    });
}

/// What a reader can tell of the data, to compare two stores.
fn telling(store: &Store) -> Vec<String> {
    store
        .read(&system(), |r| {
            let mut lines: Vec<String> = Vec::new();
            lines.extend(r.settings()?.iter().map(|s| format!("{s:?}")));
            lines.extend(r.orgs(None, None)?.iter().map(|o| format!("{o:?}")));
            lines.extend(r.roles()?.iter().map(|o| format!("{o:?}")));
            lines.extend(r.users(None, None)?.iter().map(|u| format!("{u:?}")));
            lines.extend(r.attributes_after(0, 1000)?.iter().map(|a| format!("{a:?}")));
            lines.extend(r.event(Ref::Id(1))?.iter().map(|e| format!("{e:?} {:?}", r.event_tags(&[1]))));
            lines.extend(r.attribute_tags_of_event(1)?.iter().map(|x| format!("{x:?}")));
            lines.extend(r.search_sightings(&Default::default())?.iter().map(|x| format!("{x:?}")));
            lines.push(format!("{:?}", r.attachment(8)?.map(|found| found.bytes().unwrap())));
            lines.push(format!("{:?}", r.attributes_with_value("203.0.113.9")?));
            Ok::<_, Error>(lines)
        })
        .map(|lines| lines.into_iter().chain(changes(store)).collect())
        .unwrap()
}

/// The change log, once it is settled: transactions of other tests on the same server hold it back.
fn changes(store: &Store) -> Vec<String> {
    let last = store.counts().unwrap().last_change;
    let began = std::time::Instant::now();
    loop {
        let changes = store.read(&system(), |r| r.changes_after(0, 1000)).unwrap();
        if changes.last().is_some_and(|c| c.seq == last) {
            return changes.iter().map(|c| format!("{c:?}")).collect();
        }
        assert!(began.elapsed().as_secs() < 30, "the change log does not settle");
        std::thread::yield_now();
    }
}

#[test]
fn a_backup_brings_everything_back_on_either_engine() {
    on_each_engine("backup", |t| {
        furnish(t);
        // Numbers once given are not given again after a restore either.
        let gone = t.write(|w| org(w, "gone"));
        t.write(|w| w.delete_org(gone));
        let file = t.file("backup.db");
        t.store.backup(&file).unwrap();
        assert!(!t.file("backup.db.partial").exists() && !t.file("backup.db-wal").exists());
        assert!(matches!(t.store.backup(&file), Err(Error::Address(_))), "it overwrites nothing");
        let before = telling(&t.store);
        for target in [Some(Trial::on_sqlite("target")), Trial::on_postgres("target")].into_iter().flatten() {
            target.store.restore(&file).unwrap();
            let store = target.reopened();
            assert_eq!(telling(&store), before);
            assert_eq!(store.check().unwrap(), Vec::<String>::new());
            assert!(
                matches!(store.restore(&file), Err(Error::Address(_))),
                "only an empty database is filled"
            );
            // Life goes on.
            let o = store.write(&system(), NOW_MS, |w| org(w, "new")).unwrap();
            assert_eq!(o, gone + 1);
            store
                .write(&system(), NOW_MS, |w| filled_event(w, &event(o, 3, 0), &[("domain", "evil.example")]))
                .unwrap();
            assert_eq!(store.check().unwrap(), Vec::<String>::new());
            let seen = store.read(&member(o), |r| r.attributes_with_value("EVIL.EXAMPLE")).unwrap();
            assert_eq!(seen.len(), 2);
            let second = target.file("second.db");
            store.backup(&second).unwrap();
            let third = Trial::on_sqlite("third");
            third.store.restore(&second).unwrap();
            assert_eq!(telling(&third.reopened()), telling(&store));
        }
    });
}

#[test]
fn a_backup_made_while_others_write_is_of_one_moment() {
    on_each_engine("busy_backup", |t| {
        let o = t.write(|w| org(w, "o"));
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|s| {
            s.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    t.write(|w| {
                        filled_event(w, &event(o, 3, 0), &[("domain", "a.example"), ("ip-src", "192.0.2.1")])
                    });
                }
            });
            for i in 0..5 {
                let file = t.file(&format!("{i}.db"));
                t.store.backup(&file).unwrap();
                let copy = Trial::on_sqlite("copy");
                copy.store.restore(&file).unwrap();
                assert_eq!(copy.reopened().check().unwrap(), Vec::<String>::new());
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    });
}

#[test]
fn what_is_no_backup_is_refused_and_changes_nothing() {
    on_each_engine("no_backup", |t| {
        let file = t.file("notes.txt");
        std::fs::write(&file, "these are not rows, and there are enough of them to fill a page".repeat(100))
            .unwrap();
        assert!(matches!(t.store.restore(&file), Err(Error::Address(_))));
        assert!(matches!(t.store.restore(&t.file("missing.db")), Err(Error::Address(_))));
        let newer = t.file("newer.db");
        t.store.backup(&newer).unwrap();
        rusqlite::Connection::open(&newer)
            .unwrap()
            .execute("insert into migrations (version) values (9999)", [])
            .unwrap();
        assert!(matches!(t.store.restore(&newer), Err(Error::TooNew { found: 9999, .. })));
        furnish(t);
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
    });
}

#[cfg(unix)]
#[test]
fn a_backup_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    on_each_engine("private", |t| {
        let file = t.file("backup.db");
        t.store.backup(&file).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    });
}
