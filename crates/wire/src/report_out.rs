//! Event reports in MISP's shapes: inside an event, and alone with what stands around one.

use crate::attribute_out::OrgSummary;
use crate::event_out::GroupSummary;
use crate::json::{JsonWriter, k};
use pisax_model::event::Event;
use pisax_model::report::EventReport;

fn columns(w: &mut JsonWriter<'_>, report: &EventReport) {
    w.num(k!("id"), report.id);
    w.id(k!("uuid"), report.uuid);
    w.num(k!("event_id"), report.event_id);
    w.text(k!("name"), &report.name);
    w.text(k!("content"), &report.content);
    w.num(k!("distribution"), report.distribution);
    w.num(k!("sharing_group_id"), report.sharing_group_id);
    w.num(k!("timestamp"), report.timestamp);
    w.flag(k!("deleted"), report.deleted);
}

/// A report inside an event (213). `more` holds further members (`"SharingGroup":…`, `"Note":[…]`).
pub fn write_event_report(w: &mut JsonWriter<'_>, report: &EventReport, more: &[u8]) {
    w.begin_object();
    columns(w, report);
    w.members(more);
    w.end_object();
}

/// `{"EventReport":…,"Event":…,"SharingGroup":…}` (202). `more` holds analyst data beside them.
pub fn write_report(
    w: &mut JsonWriter<'_>,
    report: &EventReport,
    event: &Event,
    org: OrgSummary<'_>,
    orgc: OrgSummary<'_>,
    group: Option<GroupSummary<'_>>,
    more: &[u8],
) {
    w.begin_object();
    w.name(k!("EventReport"));
    write_event_report(w, report, b"");
    w.name(k!("Event"));
    w.begin_object();
    w.num(k!("id"), event.id);
    w.num(k!("orgc_id"), event.orgc_id);
    w.num(k!("org_id"), event.org_id);
    w.text(k!("info"), &event.info);
    w.num(k!("user_id"), event.user_id);
    w.text(k!("date"), &event.date);
    for (name, org) in [(k!("Org"), org), (k!("Orgc"), orgc)] {
        w.name(name);
        w.begin_object();
        w.num(k!("id"), org.id);
        w.text(k!("name"), org.name);
        w.end_object();
    }
    w.end_object();
    w.name(k!("SharingGroup"));
    w.begin_object();
    w.num_or_null(k!("id"), group.map(|g| g.id));
    w.text_or_null(k!("name"), group.map(|g| g.name));
    w.name(k!("uuid"));
    match group {
        Some(group) => w.uuid(group.uuid),
        None => w.null(),
    }
    w.end_object();
    w.members(more);
    w.end_object();
}
