//! Bytes of attachments outside the database: all or nothing, swept when nobody needs them any more.

use crate::{NOW, NOW_MS, Trial, attribute, event, member, on_each_engine, org};
use pisax_access::Actor;
use pisax_model::content::Content;
use pisax_model::ids::Ref;
use pisax_model::{Clock, SystemClock};
use pisax_store::changes::Action;
use pisax_store::files::{Files, Place, Swept};
use pisax_store::{Result, Store};
use std::path::PathBuf;
use std::sync::Arc;

const HOUR_MS: i64 = 3_600_000;

/// The trial's database with a folder of its own for attachments.
fn with_folder(t: &Trial, name: &str) -> Store {
    t.reopened().with_files(folder(t, name))
}

fn folder(t: &Trial, name: &str) -> Files {
    Files::open(&Place::Folder(t.file(name)), None, Arc::new(SystemClock)).unwrap()
}

fn files(t: &Trial, name: &str) -> Vec<PathBuf> {
    let shards = std::fs::read_dir(t.file(name)).unwrap().map(|shard| shard.unwrap().path());
    shards.flat_map(|shard| std::fs::read_dir(shard).unwrap().map(|file| file.unwrap().path())).collect()
}

fn system() -> Actor {
    crate::system()
}

/// An event of an organisation's own with an attachment: the organisation and the attribute.
fn attached(store: &Store, content: Content) -> (i64, i64) {
    let added: Result<_> = store.write(&system(), NOW_MS, |w| {
        let o = org(w, "CERT Examplia")?;
        let id = w.insert_event(&event(o, 0, 0))?;
        let mut new = attribute("attachment", "report.pdf");
        new.data = Some(content);
        let ids = w.insert_attributes(id, &[(0, &new)])?;
        w.add_to_count(id, 1)?;
        Ok((o, ids[0]))
    });
    added.unwrap()
}

fn bytes(store: &Store, actor: &Actor, id: i64) -> Option<Vec<u8>> {
    store.read(actor, |r| r.attachment(id)).unwrap().and_then(|found| found.bytes().unwrap())
}

fn replace(store: &Store, id: i64, content: Content) {
    let done: Result<()> = store.write(&system(), NOW_MS, |w| {
        let batch = w.attribute(Ref::Id(id))?.unwrap();
        let mut new = attribute("attachment", "report.pdf");
        new.data = Some(content);
        w.update_attribute(&batch.get(0), &new, Action::Edit)
    });
    done.unwrap();
}

#[test]
fn bytes_are_in_the_folder_and_only_who_sees_the_attribute_gets_them() {
    on_each_engine("files_read", |t| {
        let store = with_folder(t, "a");
        let kept = store.keep(b"report").unwrap().unwrap();
        let (o, id) = attached(&store, Content::Kept(kept));
        let (_, at_once) = attached_again(&store, o, b"within");
        assert_eq!(files(t, "a").len(), 2);
        for (id, expected) in [(id, &b"report"[..]), (at_once, b"within")] {
            assert_eq!(bytes(&store, &system(), id).as_deref(), Some(expected));
            assert_eq!(bytes(&store, &member(o), id).as_deref(), Some(expected));
            assert_eq!(bytes(&store, &member(o + 1), id), None);
        }
        assert_eq!(store.check().unwrap(), Vec::<String>::new());
    });
}

fn attached_again(store: &Store, org: i64, content: &[u8]) -> (i64, i64) {
    let added: Result<_> = store.write(&system(), NOW_MS, |w| {
        let id = w.insert_event(&event(org, 0, 0))?;
        let mut new = attribute("attachment", "report.pdf");
        new.data = Some(content.to_vec().into());
        w.add_to_count(id, 1)?;
        Ok((id, w.insert_attributes(id, &[(0, &new)])?[0]))
    });
    added.unwrap()
}

#[test]
fn what_a_failed_write_left_is_swept_after_an_hour_and_nothing_else() {
    on_each_engine("files_sweep", |t| {
        let store = with_folder(t, "a");
        let (_, id) = attached(&store, b"wanted".to_vec().into());
        let lost = store.keep(b"lost").unwrap().unwrap();
        assert_eq!(files(t, "a").len(), 2);
        let now = SystemClock.now_ms();
        assert_eq!(store.sweep_files(now).unwrap(), Swept { kept: 2, removed: 0 });
        assert_eq!(store.sweep_files(now + 2 * HOUR_MS).unwrap(), Swept { kept: 1, removed: 1 });
        assert!(!files(t, "a").iter().any(|path| path.ends_with(&lost.name)));
        assert_eq!(bytes(&store, &system(), id).as_deref(), Some(&b"wanted"[..]));
        store.discard(&lost).unwrap();
    });
}

#[test]
fn replaced_and_deleted_bytes_stay_an_hour_for_who_still_reads() {
    on_each_engine("files_discard", |t| {
        let store = with_folder(t, "a");
        let (o, replaced) = attached(&store, b"one".to_vec().into());
        let (event_id, deleted) = attached_again(&store, o, b"other");
        replace(&store, replaced, b"two".to_vec().into());
        let removed: Result<()> = store.write(&system(), NOW_MS, |w| {
            let event = w.event_for_edit(Ref::Id(event_id), |_, _| true)?;
            w.remove_event(&event)
        });
        removed.unwrap();
        assert_eq!(bytes(&store, &system(), replaced).as_deref(), Some(&b"two"[..]));
        assert_eq!(bytes(&store, &system(), deleted), None);
        // However old the files are: what counts is how long no attribute has had them.
        assert_eq!(store.sweep_files((NOW + 3599) * 1000).unwrap().removed, 0);
        assert_eq!(files(t, "a").len(), 3);
        assert_eq!(store.sweep_files((NOW + 3600) * 1000).unwrap().removed, 2);
        assert_eq!(files(t, "a").len(), 1);
        assert_eq!(store.check().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn a_check_names_lost_and_altered_bytes() {
    on_each_engine("files_check", |t| {
        let store = with_folder(t, "a");
        let (_, id) = attached(&store, b"report".to_vec().into());
        let path = files(t, "a").remove(0);
        for damaged in [&b"other!"[..], b"longer than it was", b""] {
            std::fs::write(&path, damaged).unwrap();
            let found = store.check().unwrap();
            assert!(
                found.iter().any(|words| words.contains(&format!("attribute {id} are lost"))),
                "{found:?}"
            );
            assert_eq!(bytes(&store, &system(), id), None);
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(store.check().unwrap().len(), 1);
        assert_eq!(bytes(&store, &system(), id), None);
    });
}

#[test]
fn a_backup_holds_the_bytes_and_a_restore_puts_them_where_they_belong() {
    on_each_engine("files_backup", |t| {
        let store = with_folder(t, "a");
        let (o, id) = attached(&store, b"report".to_vec().into());
        let (_, lost) = attached_again(&store, o, b"lost");
        let gone = files(t, "a").into_iter().find(|path| std::fs::read(path).unwrap() == b"lost").unwrap();
        std::fs::remove_file(gone).unwrap();
        let copy = t.file("copy");
        store.backup(&copy).unwrap();

        for (name, place) in [("files_in", Place::Database), ("files_out", Place::Folder(t.file("b")))] {
            let other = Trial::on_sqlite(name);
            let files = Files::open(&place, None, Arc::new(SystemClock)).unwrap();
            let restored = other.reopened().with_files(files);
            restored.restore(&copy).unwrap();
            let opened =
                other.reopened().with_files(Files::open(&place, None, Arc::new(SystemClock)).unwrap());
            assert_eq!(bytes(&opened, &system(), id).as_deref(), Some(&b"report"[..]), "{name}");
            assert_eq!(bytes(&opened, &system(), lost), None);
            let found = opened.check().unwrap();
            assert_eq!(found.len(), 1, "what is lost is still named: {found:?}");
        }
        assert_eq!(files(t, "b").len(), 1);
    });
}

#[test]
fn bytes_move_between_the_places_there_are() {
    on_each_engine("files_move", |t| {
        let (_, id) = attached(&t.store, b"report".to_vec().into());
        let out = with_folder(t, "a");
        assert_eq!(out.move_files(&Files::default(), NOW_MS).unwrap(), 1);
        assert_eq!(out.move_files(&Files::default(), NOW_MS).unwrap(), 0);
        let next = with_folder(t, "b");
        assert_eq!(bytes(&next, &system(), id), None, "it is not there yet");
        assert_eq!(next.move_files(&folder(t, "a"), NOW_MS).unwrap(), 1);
        assert_eq!(bytes(&next, &system(), id).as_deref(), Some(&b"report"[..]));
        assert_eq!(t.store.move_files(&folder(t, "b"), NOW_MS).unwrap(), 1);
        assert_eq!(bytes(&t.store, &system(), id).as_deref(), Some(&b"report"[..]));
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
    });
}
