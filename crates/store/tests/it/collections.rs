//! Tag collections, favourites, and clusters that must not come back.

use crate::clusters::{as_actor, attached};
use crate::{NOW_MS, member, on_each_engine, org, uuid};
use pisax_model::feed::Feed;
use pisax_model::ids::{Ref, new_uuid};
use pisax_store::Error;
use pisax_store::tag_collections::Collection;

fn collection(name: &str, org_id: i64, all_orgs: bool) -> Collection {
    Collection {
        id: 0,
        uuid: new_uuid(NOW_MS),
        name: name.into(),
        description: String::new(),
        org_id,
        user_id: 1,
        all_orgs,
        tags: Vec::new(),
    }
}

#[test]
fn a_collection_is_its_organisations_or_everybodys() {
    on_each_engine("collections", |t| {
        let (own, other) = t.write(|w| {
            let (own, other) = (org(w, "Own")?, org(w, "Other")?);
            w.add_tag_collection(&collection("private", own, false))?;
            w.add_tag_collection(&collection("shared", own, true))?;
            Ok((own, other))
        });
        let names = |org_id| -> Vec<String> {
            as_actor(t, &member(org_id), |r| r.tag_collections()).into_iter().map(|c| c.name).collect()
        };
        assert_eq!(names(own), ["private", "shared"]);
        assert_eq!(names(other), ["shared"]);
        let private = t.read(|r| r.tag_collections()).remove(0);
        assert_eq!(as_actor(t, &member(other), |r| r.tag_collection(Ref::Uuid(private.uuid))), None);
        let again = t.refusal(|w| w.add_tag_collection(&collection("shared", other, true)));
        assert!(matches!(again, Error::Conflict("name")));
    });
}

#[test]
fn a_collection_holds_a_tag_once_and_no_tag_that_is_gone() {
    on_each_engine("collection_tags", |t| {
        let read = || t.read(|r| r.tag_collections()).remove(0);
        let tags = t.write(|w| {
            let org = org(w, "Own")?;
            w.add_tag_collection(&collection("c", org, true))?;
            Ok([attached(w, "a:one")?.tag_id, attached(w, "a:two")?.tag_id])
        });
        assert_eq!(t.write(|w| w.add_to_collection(&read(), &tags)), 2);
        assert_eq!(t.write(|w| w.add_to_collection(&read(), &[tags[0], 4711])), 0);
        let names: Vec<String> = read().tags.into_iter().map(|(_, tag)| tag.name).collect();
        assert_eq!(names, ["a:one", "a:two"]);
        t.write(|w| w.delete_tag(tags[0]));
        assert_eq!(read().tags.len(), 1);
        let left = read().tags.remove(0).1;
        assert!(t.write(|w| w.remove_from_collection(&read(), &left)));
        assert!(!t.write(|w| w.remove_from_collection(&read(), &left)));
        let id = read().id;
        let feed = t.write(|w| w.add_feed(&Feed { tag_collection_id: id, ..Feed::blank() }));
        t.write(|w| w.delete_tag_collection(&read()));
        assert_eq!(t.read(|r| r.feed(feed)).unwrap().tag_collection_id, 0);
        assert!(t.read(|r| r.tag_collections()).is_empty());
        assert_eq!(t.store.check().unwrap(), Vec::<String>::new());
    });
}

#[test]
fn favourites_are_each_users_own() {
    on_each_engine("favourites", |t| {
        let tag = t.write(|w| {
            let id = attached(w, "a:one")?.tag_id;
            w.tag(id)
        });
        let (one, two) = (member(1), member(2));
        t.store.write(&one, NOW_MS, |w| w.set_favourite(&tag.clone().unwrap(), true)).unwrap();
        assert_eq!(as_actor(t, &one, |r| r.favourite_tags()).len(), 1);
        assert!(as_actor(t, &two, |r| r.favourite_ids()).is_empty());
        t.store.write(&one, NOW_MS, |w| w.set_favourite(&tag.clone().unwrap(), false)).unwrap();
        assert!(as_actor(t, &one, |r| r.favourite_tags()).is_empty());
    });
}

#[test]
fn a_blocked_cluster_is_found_by_number_and_uuid() {
    on_each_engine("cluster_blocklist", |t| {
        t.write(|w| {
            w.block_cluster(uuid(5), "Bad", "Org", "")?;
            w.block_cluster(uuid(5), "Again", "Org", "")
        });
        let entry = t.read(|r| r.cluster_blocklist()).remove(0);
        assert_eq!(entry.cluster_info, "Bad");
        assert_eq!(t.read(|r| r.blocked_cluster(Ref::Uuid(uuid(5)))).unwrap(), entry);
        t.write(|w| w.unblock_cluster(&entry));
        assert_eq!(t.read(|r| r.blocked_cluster(Ref::Id(entry.id))), None);
    });
}
