//! Who sees what was deleted: the event's owner, its creator, those who synchronise and site administrators.

use crate::{NOW_MS, event, filled_event, member, on_each_engine, system, uuid};
use pisax_access::Actor;
use pisax_model::event::Event;
use pisax_model::ids::{Ref, new_uuid};
use pisax_model::object::{Object, Reference};
use pisax_model::permission::{Permission, Permissions};
use pisax_store::Error;

#[test]
fn tombstones_are_for_owner_creator_and_sync_users() {
    on_each_engine("tombstones", |t| {
        let (attribute, object, reference) = t.write(|w| {
            let given = Event { orgc_id: 2, ..event(1, 3, 0) };
            let (event_id, attributes) = filled_event(w, &given, &[("text", "gone")])?;
            let object = Object {
                id: 0,
                uuid: uuid(1),
                event_id,
                name: "thing".into(),
                meta_category: String::new(),
                description: String::new(),
                template_uuid: String::new(),
                template_version: String::new(),
                timestamp: 1,
                distribution: 5,
                sharing_group_id: 0,
                comment: String::new(),
                deleted: true,
                first_seen: None,
                last_seen: None,
            };
            let gone = w.insert_object(&object)?;
            let living = w.insert_object(&Object { uuid: uuid(2), deleted: false, ..object })?;
            let reference = w.insert_reference(&Reference {
                id: 0,
                uuid: uuid(3),
                timestamp: 1,
                object_id: living,
                event_id,
                source_uuid: uuid(2),
                referenced_uuid: uuid(1),
                referenced_id: gone,
                to_object: true,
                relationship_type: "is".into(),
                comment: String::new(),
                deleted: true,
            })?;
            let batch = w.attribute(Ref::Id(attributes[0]))?.unwrap();
            w.set_attribute_deleted(&batch.get(0), true)?;
            Ok((attributes[0], (gone, living), reference))
        });
        let seen = |actor: &Actor| {
            let all = t.store.read::<_, Error>(actor, |r| {
                Ok([
                    r.attribute(Ref::Id(attribute))?.is_some(),
                    !r.attributes_by_ids(&[attribute])?.is_empty(),
                    r.object(Ref::Id(object.0))?.is_some(),
                    r.object(Ref::Uuid(uuid(1)))?.is_some(),
                    r.objects_by_ids(&[object.0, object.1])?.len() == 2,
                    r.references_of(&[object.1], true)?.contains_key(&object.1),
                    r.reference(Ref::Id(reference))?.is_some(),
                ])
            });
            all.unwrap()
        };
        let with =
            |org_id, permission| Actor { permissions: Permissions::of(&[permission]), ..member(org_id) };
        for actor in
            [system(), member(1), member(2), with(3, Permission::Sync), with(3, Permission::SiteAdmin)]
        {
            assert_eq!(seen(&actor), [true; 7], "{actor:?}");
        }
        for actor in [member(3), with(3, Permission::Admin)] {
            assert_eq!(seen(&actor), [false; 7], "{actor:?}");
        }
        let living = t.store.read::<_, Error>(&member(3), |r| r.object(Ref::Id(object.1)));
        assert!(living.unwrap().is_some());
    });
}

#[test]
fn the_creator_loses_its_tombstones_with_the_event() {
    on_each_engine("unseen", |t| {
        let attribute = t.write(|w| {
            let given = Event { uuid: new_uuid(NOW_MS), orgc_id: 2, ..event(1, 0, 0) };
            let (_, ids) = filled_event(w, &given, &[("text", "gone")])?;
            let batch = w.attribute(Ref::Id(ids[0]))?.unwrap();
            w.set_attribute_deleted(&batch.get(0), true)?;
            Ok(ids[0])
        });
        let seen = |org| {
            t.store
                .read::<_, Error>(&member(org), |r| Ok(r.attribute(Ref::Id(attribute))?.is_some()))
                .unwrap()
        };
        assert_eq!((seen(1), seen(2)), (true, false));
    });
}
