//! The audit log: complete, chained, and honest about what was taken from it.

use crate::{NOW, NOW_MS, event, filled_event, on_each_engine, org, system};
use pisax_store::audit::{Entry, EntryQuery, Verified, hex, unhex};
use pisax_store::{Error, Store};

fn verify(store: &Store, known: Option<[u8; 32]>) -> Verified {
    store.read::<_, Error>(&system(), |r| r.verify_audit(known)).unwrap()
}

fn entries(store: &Store, query: &EntryQuery) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut keep = |entry| {
        found.push(entry);
        Ok(())
    };
    store.read::<_, Error>(&system(), |r| r.audit(query, &mut keep)).unwrap();
    found
}

#[test]
fn a_row_that_is_changed_or_cut_out_breaks_the_chain() {
    for (tampering, words) in [
        ("update changes set title = 'x' where seq = 3", "row 3 was changed"),
        ("update changes set at = at + 1 where seq = 2", "row 2 was changed"),
        ("update changes set hash = null where seq = 3", "row 3 has no hash"),
        ("delete from changes where seq = 2", "row 3 was changed, or what stood before it"),
        ("delete from changes where seq = 1", "row 2 was changed, or what stood before it"),
        ("delete from changes where seq >= 4", "the newest rows are missing"),
    ] {
        on_each_engine("audit_chain", |trial| {
            for name in ["A", "B", "C", "D", "E"] {
                trial.write(|w| org(w, name));
            }
            let whole = verify(&trial.store, None);
            assert_eq!((whole.rows, whole.broken), (5, None));
            assert!(verify(&trial.store, Some(whole.head)).known);
            assert!(!verify(&trial.store, Some([7; 32])).known);
            trial.tamper(tampering);
            let broken = verify(&trial.store, None).broken.expect(tampering);
            assert!(broken.contains(words), "{tampering}: {broken}");
        });
    }
}

#[test]
fn retention_leaves_a_chain_that_says_what_was_removed() {
    on_each_engine("audit_retention", |trial| {
        let store = &trial.store;
        for (day, name) in ["A", "B", "C"].iter().enumerate() {
            let at = NOW_MS + day as i64 * 86_400_000;
            store.write::<_, Error>(&system(), at, |w| org(w, name)).unwrap();
        }
        let old = verify(store, None).head;
        let removed = store.trim_audit(NOW_MS + 3 * 86_400_000, NOW + 86_400).unwrap();
        assert_eq!(removed, 1);
        let after = verify(store, Some(old));
        assert_eq!((after.rows, after.known, after.broken), (3, true, None), "two and the removal");
        trial.tamper("delete from changes where seq = 2");
        assert!(verify(store, None).broken.is_some());
    });
}

#[test]
fn the_log_is_searched_by_what_and_when() {
    on_each_engine("audit_search", |trial| {
        trial.write(|w| {
            let own = org(w, "Exchange")?;
            filled_event(w, &event(own, 1, 0), &[("ip-src", "198.51.100.1")])
        });
        let all = entries(&trial.store, &EntryQuery { limit: 100, ..EntryQuery::default() });
        assert!(all.windows(2).all(|pair| pair[0].seq > pair[1].seq), "newest first");
        assert!(all.iter().all(|entry| entry.reason.as_deref() == Some("test")));
        let page = entries(
            &trial.store,
            &EntryQuery { limit: 1, before: Some(all[0].seq), ..EntryQuery::default() },
        );
        assert_eq!(page, all[1..2]);
        let late = EntryQuery { from: Some(NOW + 1), limit: 100, ..EntryQuery::default() };
        assert!(entries(&trial.store, &late).is_empty());
        let none = EntryQuery { title: Some("no_such%".into()), limit: 100, ..EntryQuery::default() };
        assert!(entries(&trial.store, &none).is_empty());
    });
}

#[test]
fn hashes_are_read_as_they_are_written() {
    assert_eq!(unhex(&hex(&[9; 32])), Some([9; 32]));
    assert_eq!(unhex("xyz"), None);
}
