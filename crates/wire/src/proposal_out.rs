//! Proposals and delegations in MISP's shapes.

use crate::json::{JsonWriter, k};
use pisax_model::delegation::{Delegation, Party, RECIPIENT_DECIDES};
use pisax_model::proposal::{Asks, Proposal};

/// MISP names as the event's organisation its owner for a new attribute, its creator otherwise (100).
fn event_org(p: &Proposal) -> i64 {
    if p.asks() == Asks::Addition { p.event_org_id } else { p.event_orgc_id }
}

fn head(w: &mut JsonWriter<'_>, p: &Proposal) {
    w.num(k!("id"), p.id);
    w.num(k!("old_id"), p.attribute_id);
    w.num(k!("event_id"), p.event_id);
    w.text(k!("type"), p.kind.name());
    w.text(k!("category"), p.category.name());
}

fn tail(w: &mut JsonWriter<'_>, p: &Proposal) {
    w.micros(k!("first_seen"), p.first_seen);
    w.micros(k!("last_seen"), p.last_seen);
}

fn data(w: &mut JsonWriter<'_>, bytes: Option<&[u8]>) {
    if let Some(bytes) = bytes {
        w.name(k!("data"));
        w.base64(bytes);
    }
}

/// The answer of `shadow_attributes/add` and `edit` (100).
pub fn write_saved_proposal(w: &mut JsonWriter<'_>, p: &Proposal) {
    w.begin_object();
    w.name(k!("ShadowAttribute"));
    w.begin_object();
    head(w, p);
    w.text(k!("comment"), &p.comment);
    w.flag(k!("to_ids"), p.to_ids);
    w.id(k!("uuid"), p.uuid);
    w.num(k!("event_org_id"), event_org(p));
    w.text(k!("email"), &p.email);
    w.flag(k!("deleted"), p.deleted);
    w.num(k!("timestamp"), p.timestamp);
    tail(w, p);
    w.text(k!("value"), &p.value());
    w.end_object();
    w.end_object();
}

/// The answer of `shadow_attributes/view`; with its bytes, where it brings a file.
pub fn write_viewed_proposal(w: &mut JsonWriter<'_>, p: &Proposal, bytes: Option<&[u8]>) {
    w.begin_object();
    w.name(k!("ShadowAttribute"));
    w.begin_object();
    head(w, p);
    w.id(k!("uuid"), p.uuid);
    w.flag(k!("to_ids"), p.to_ids);
    w.text(k!("comment"), &p.comment);
    w.num(k!("org_id"), p.org_id);
    w.num(k!("timestamp"), p.timestamp);
    w.flag(k!("proposal_to_delete"), p.to_delete);
    tail(w, p);
    w.text(k!("value"), &p.value());
    data(w, bytes);
    w.end_object();
    w.end_object();
}

/// An item of `shadow_attributes/index` (102), as other instances pull it.
pub fn write_listed_proposal(w: &mut JsonWriter<'_>, p: &Proposal) {
    w.begin_object();
    w.name(k!("ShadowAttribute"));
    w.begin_object();
    head(w, p);
    w.id(k!("uuid"), p.uuid);
    w.flag(k!("to_ids"), p.to_ids);
    w.text(k!("comment"), &p.comment);
    w.num(k!("org_id"), p.org_id);
    w.num(k!("timestamp"), p.timestamp);
    tail(w, p);
    w.flag(k!("deleted"), p.deleted);
    w.flag(k!("proposal_to_delete"), p.to_delete);
    w.flag(k!("disable_correlation"), p.disable_correlation);
    w.text(k!("value"), &p.value());
    w.id(k!("org_uuid"), p.org_uuid);
    if let Some(uuid) = p.attribute_uuid {
        w.id(k!("old_uuid"), uuid);
    }
    w.id(k!("event_uuid"), p.event_uuid);
    w.name(k!("Org"));
    w.begin_object();
    w.text(k!("name"), &p.org_name);
    w.id(k!("uuid"), p.org_uuid);
    w.num(k!("id"), p.org_id);
    w.end_object();
    w.end_object();
    w.end_object();
}

/// A proposal in an event or attribute.
pub fn write_inner_proposal(w: &mut JsonWriter<'_>, p: &Proposal, bytes: Option<&[u8]>) {
    w.begin_object();
    w.num(k!("id"), p.id);
    w.text(k!("type"), p.kind.name());
    w.text(k!("category"), p.category.name());
    w.flag(k!("to_ids"), p.to_ids);
    w.id(k!("uuid"), p.uuid);
    w.id(k!("event_uuid"), p.event_uuid);
    w.num(k!("event_id"), p.event_id);
    w.num(k!("old_id"), p.attribute_id);
    w.text(k!("comment"), &p.comment);
    w.num(k!("org_id"), p.org_id);
    w.flag(k!("proposal_to_delete"), p.to_delete);
    w.num(k!("timestamp"), p.timestamp);
    tail(w, p);
    w.text(k!("value"), &p.value());
    w.name(k!("Org"));
    w.begin_object();
    w.num(k!("id"), p.org_id);
    w.text(k!("name"), &p.org_name);
    w.id(k!("uuid"), p.org_uuid);
    w.end_object();
    data(w, bytes);
    w.end_object();
}

/// What every delegation begins with.
fn begin_delegation(w: &mut JsonWriter<'_>, d: &Delegation) {
    w.begin_object();
    w.name(k!("EventDelegation"));
    w.begin_object();
    w.num(k!("id"), d.id);
    w.num(k!("org_id"), d.org_id);
    w.num(k!("requester_org_id"), d.requester_org_id);
    w.num(k!("event_id"), d.event_id);
    w.text(k!("message"), &d.message);
}

/// The answer of `event_delegations/delegateEvent`.
pub fn write_saved_delegation(w: &mut JsonWriter<'_>, d: &Delegation) {
    begin_delegation(w, d);
    w.num(k!("distribution"), d.distribution);
    w.num(k!("sharing_group_id"), d.sharing_group_id);
    w.end_object();
    w.end_object();
}

/// An item of `event_delegations/index`: what is left to the recipient is not there.
pub fn write_listed_delegation(w: &mut JsonWriter<'_>, d: &Delegation) {
    begin_delegation(w, d);
    if d.distribution != RECIPIENT_DECIDES {
        w.num(k!("distribution"), d.distribution);
    }
    if d.sharing_group_id != 0 {
        w.num(k!("sharing_group_id"), d.sharing_group_id);
    }
    let e = &d.event;
    w.name(k!("Event"));
    w.begin_object();
    w.num(k!("id"), d.event_id);
    w.text(k!("info"), &e.info);
    w.id(k!("uuid"), e.uuid);
    w.num(k!("analysis"), e.analysis);
    w.num(k!("distribution"), e.distribution);
    w.num(k!("threat_level_id"), e.threat_level_id);
    w.text(k!("date"), &e.date);
    w.num(k!("attribute_count"), e.attribute_count);
    w.end_object();
    w.name(k!("Org"));
    party(w, d.org_id, &d.org);
    w.name(k!("RequesterOrg"));
    party(w, d.requester_org_id, &d.requester);
    w.end_object();
    w.end_object();
}

fn party(w: &mut JsonWriter<'_>, id: i64, party: &Party) {
    w.begin_object();
    w.num(k!("id"), id);
    w.text(k!("name"), &party.name);
    w.id(k!("uuid"), party.uuid);
    w.end_object();
}

#[cfg(test)]
mod tests {
    use super::*;
    use pisax_model::{AttributeType, Category, Uuid};

    fn proposal() -> Proposal {
        let uuid = |text: &str| Uuid::try_parse(text).unwrap();
        Proposal {
            id: 2,
            uuid: uuid("22222222-0000-4000-8000-000000000002"),
            event_id: 1,
            event_uuid: uuid("11111111-0000-4000-8000-000000000001"),
            event_org_id: 1,
            event_orgc_id: 5,
            attribute_id: 2,
            attribute_uuid: Some(uuid("22222222-0000-4000-8000-000000000002")),
            kind: AttributeType::parse("domain").unwrap(),
            category: Category::parse("Network activity").unwrap(),
            value1: "evil2.example.com".into(),
            value2: String::new(),
            to_ids: true,
            comment: String::new(),
            org_id: 2,
            org_name: "Golden Org".into(),
            org_uuid: uuid("44444444-0000-4000-8000-000000000001"),
            user_id: 3,
            email: "golden@example.org".into(),
            timestamp: 1_795_325_586,
            deleted: false,
            to_delete: false,
            disable_correlation: false,
            first_seen: None,
            last_seen: None,
        }
    }

    /// The recorded answer 102.
    #[test]
    fn the_list_is_as_misp_writes_it() {
        let mut out = Vec::new();
        write_listed_proposal(&mut JsonWriter::new(&mut out), &proposal());
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"ShadowAttribute":{"id":"2","old_id":"2","event_id":"1","type":"domain","category":"Network activity","uuid":"22222222-0000-4000-8000-000000000002","to_ids":true,"comment":"","org_id":"2","timestamp":"1795325586","first_seen":null,"last_seen":null,"deleted":false,"proposal_to_delete":false,"disable_correlation":false,"value":"evil2.example.com","org_uuid":"44444444-0000-4000-8000-000000000001","old_uuid":"22222222-0000-4000-8000-000000000002","event_uuid":"11111111-0000-4000-8000-000000000001","Org":{"name":"Golden Org","uuid":"44444444-0000-4000-8000-000000000001","id":"2"}}}"#
        );
    }

    /// The recorded answer 100.
    #[test]
    fn a_new_one_is_as_misp_writes_it() {
        let mut out = Vec::new();
        let new = Proposal {
            id: 1,
            attribute_id: 0,
            attribute_uuid: None,
            uuid: Uuid::try_parse("0875e9b8-ca65-4793-9967-6028f4ffa024").unwrap(),
            value1: "proposal.example.com".into(),
            comment: "p".into(),
            ..proposal()
        };
        write_saved_proposal(&mut JsonWriter::new(&mut out), &new);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"ShadowAttribute":{"id":"1","old_id":"0","event_id":"1","type":"domain","category":"Network activity","comment":"p","to_ids":true,"uuid":"0875e9b8-ca65-4793-9967-6028f4ffa024","event_org_id":"1","email":"golden@example.org","deleted":false,"timestamp":"1795325586","first_seen":null,"last_seen":null,"value":"proposal.example.com"}}"#
        );
    }
}
