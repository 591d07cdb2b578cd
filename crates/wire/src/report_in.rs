//! Event reports as clients send them.

use crate::ReadError;
use crate::admin_in::whole_group;
use crate::analyst_in::analyst_member;
use crate::record::{Record, Shape, flag, integer, list, read_one, reference, skip, text, uuid};
use pisax_model::ids::Ref;
use pisax_model::report::ReportDraft;
use serde::de::MapAccess;

/// Reads what `eventReports/add` and `edit` are sent.
pub fn read_report(body: &[u8]) -> Result<ReportDraft, ReadError> {
    read_one::<ReportRecord>("EventReport", body)
}

/// One report, or the wrapper around some.
#[derive(Default)]
pub(crate) struct ReportRecord {
    draft: ReportDraft,
    wrapped: Vec<ReportDraft>,
}

impl Record for ReportRecord {
    type Draft = ReportDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let draft = &mut self.draft;
        match key {
            "uuid" => uuid("uuid", map, &mut draft.uuid, &mut draft.bad_uuid),
            "name" => text("name", map, &mut draft.name),
            "content" => text("content", map, &mut draft.content),
            "distribution" => integer("distribution", map, &mut draft.distribution),
            "sharing_group_id" => reference("sharing_group_id", map, &mut draft.sharing_group),
            "timestamp" => integer("timestamp", map, &mut draft.timestamp),
            "deleted" => flag("deleted", map, &mut draft.deleted),
            "SharingGroup" => whole_group(map, &mut draft.sharing_group_draft),
            "Note" | "Opinion" | "Relationship" => analyst_member(key, map, &mut draft.analyst_data),
            "EventReport" | "request" | "response" => list::<Self, A>(map, &mut self.wrapped).map(|_| ()),
            _ => skip(map),
        }
    }

    fn finish(mut self, out: &mut Vec<ReportDraft>) -> Shape {
        if let [only] = self.wrapped.as_mut_slice() {
            // {"EventReport": {…}, "Note": […]}, as reports are viewed.
            only.analyst_data.append(&mut self.draft.analyst_data);
        }
        if !self.wrapped.is_empty() {
            let shape = if self.wrapped.len() > 1 { Shape::List } else { Shape::One };
            out.append(&mut self.wrapped);
            return shape;
        }
        if let Some(group) = self.draft.sharing_group_draft.as_ref().and_then(|group| group.uuid) {
            self.draft.sharing_group = Some(Ref::Uuid(group));
        }
        out.push(self.draft);
        Shape::One
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_bare_wrapped_and_as_it_is_viewed() {
        let bare = r##"{"uuid":"77777777-0000-4000-8000-000000000001","name":"n","content":"# T","distribution":"5","timestamp":"1767225600","deleted":false}"##;
        for json in [
            bare.to_owned(),
            format!(r#"{{"EventReport":{bare}}}"#),
            format!(
                r#"{{"EventReport":{bare},"Event":{{"id":"1"}},"SharingGroup":{{"id":null,"uuid":null}}}}"#
            ),
        ] {
            let report = read_report(json.as_bytes()).unwrap();
            assert_eq!((report.name.as_deref(), report.content.as_deref()), (Some("n"), Some("# T")));
            assert_eq!(
                (report.distribution, report.timestamp, report.deleted),
                (Some(5), Some(1_767_225_600), Some(false))
            );
            assert_eq!(report.sharing_group, None);
        }
        let noted =
            read_report(format!(r#"{{"EventReport":{bare},"Note":[{{"note":"x"}}]}}"#).as_bytes()).unwrap();
        assert_eq!(noted.analyst_data.len(), 1);
    }
}
