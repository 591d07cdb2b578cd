//! What one server tells another beside events, as MISP pushes it (semantics 7.3, 7.4).

use crate::json::{JsonWriter, k};
use pisax_model::Uuid;
use pisax_model::sighting::Sighting;

/// An item of `sightings/bulkSaveSightings`; anonymous, it names nobody.
pub fn write_pushed_sighting(w: &mut JsonWriter<'_>, s: &Sighting, anonymous: bool) {
    let anonymous = anonymous || s.org_id == 0;
    w.begin_object();
    w.id(k!("uuid"), s.uuid);
    w.id(k!("attribute_uuid"), s.attribute_uuid);
    w.num(k!("date_sighting"), s.date_sighting);
    w.text(k!("source"), &s.source);
    w.num(k!("type"), s.kind);
    if anonymous {
        w.num(k!("org_id"), 0);
    } else {
        w.name(k!("Organisation"));
        w.begin_object();
        w.id(k!("uuid"), s.org_uuid);
        w.text(k!("name"), &s.org_name);
        w.end_object();
    }
    w.end_object();
}

/// The body of `events/filterEventIdsForPush`: uuids with their timestamps.
pub fn write_offered_events(w: &mut JsonWriter<'_>, offered: impl Iterator<Item = (Uuid, i64)>) {
    w.begin_array();
    for (uuid, timestamp) in offered {
        w.begin_object();
        w.name(k!("Event"));
        w.begin_object();
        w.id(k!("uuid"), uuid);
        w.num(k!("timestamp"), timestamp);
        w.end_object();
        w.end_object();
    }
    w.end_array();
}
