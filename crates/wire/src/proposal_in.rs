//! Proposals as clients send them (an attribute, under one of four names) and as other instances do.

use crate::ReadError;
use crate::attribute_in::AttributeRecord;
use crate::context_in::OrgRefRecord;
use crate::record::{
    Record, Shape, borrowed, flag, list, one, parse_uuid, read_list, read_one, text, uuid_or_nothing,
};
use pisax_model::proposal::ProposalDraft;
use serde::de::MapAccess;

#[derive(Default)]
struct ProposalRecord {
    attribute: AttributeRecord,
    draft: ProposalDraft,
    wrapped: Vec<ProposalDraft>,
    wrapped_shape: Option<Shape>,
}

impl Record for ProposalRecord {
    type Draft = ProposalDraft;

    fn member<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let draft = &mut self.draft;
        match key {
            "ShadowAttribute" | "Proposal" | "Attribute" | "request" | "response" => {
                self.wrapped_shape = Some(list::<Self, A>(map, &mut self.wrapped)?);
                Ok(())
            }
            "old_id" => {
                let named = borrowed("old_id", map)?;
                draft.of_attribute |= named.is_some_and(|id| !matches!(id.trim(), "" | "0"));
                Ok(())
            }
            "old_uuid" => {
                let named = borrowed("old_uuid", map)?;
                draft.of_attribute |= named.is_some_and(|uuid| parse_uuid(uuid.trim()).is_some());
                Ok(())
            }
            "proposal_to_delete" => {
                let mut to_delete = None;
                flag("proposal_to_delete", map, &mut to_delete)?;
                draft.to_delete = to_delete.unwrap_or(false);
                Ok(())
            }
            "event_uuid" => uuid_or_nothing("event_uuid", map, &mut draft.event_uuid),
            "email" => text("email", map, &mut draft.email),
            "Org" | "Organisation" => {
                draft.organisation = one::<OrgRefRecord, A>(map)?.or(draft.organisation.take());
                Ok(())
            }
            _ => self.attribute.member(key, map),
        }
    }

    fn finish(mut self, out: &mut Vec<ProposalDraft>) -> Shape {
        if let Some(shape) = self.wrapped_shape.filter(|shape| *shape != Shape::Nothing) {
            out.append(&mut self.wrapped);
            return shape;
        }
        let mut attributes = Vec::new();
        let shape = self.attribute.finish(&mut attributes);
        let draft = self.draft;
        out.extend(attributes.into_iter().map(|attribute| ProposalDraft { attribute, ..draft.clone() }));
        shape
    }
}

/// Reads what `shadow_attributes/add` and `edit` are sent: one attribute, bare or under any of its names.
pub fn read_proposal(body: &[u8]) -> Result<ProposalDraft, ReadError> {
    read_one::<ProposalRecord>("ShadowAttribute", body)
}

/// Reads the proposals that another instance sends.
pub fn read_proposals(body: &[u8]) -> Result<Vec<ProposalDraft>, ReadError> {
    Ok(read_list::<ProposalRecord>(body)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposal_is_an_attribute_under_any_of_its_names() {
        for json in [
            r#"{"type":"domain","value":"a.example"}"#,
            r#"{"ShadowAttribute":{"type":"domain","value":"a.example"}}"#,
            r#"{"Attribute":{"type":"domain","value":"a.example"}}"#,
            r#"{"request":{"Proposal":{"type":"domain","value":"a.example"}}}"#,
        ] {
            let draft = read_proposal(json.as_bytes()).unwrap();
            assert_eq!(draft.attribute.value.as_deref(), Some("a.example"), "{json}");
            assert_eq!(draft.attribute.kind.as_deref(), Some("domain"), "{json}");
            assert!(!draft.of_attribute && !draft.to_delete);
        }
        assert!(read_proposal(br#"[{"value":"a"},{"value":"b"}]"#).is_err());
        assert!(read_proposal(b"nonsense").is_err());
    }

    #[test]
    fn what_another_instance_sends_says_which_attribute_it_is_about() {
        let json = r#"[{"ShadowAttribute":{"type":"domain","value":"a.example","old_id":"7","proposal_to_delete":true,
            "uuid":"22222222-0000-4000-8000-000000000002","event_uuid":"11111111-0000-4000-8000-000000000001",
            "email":"a@b.test","deleted":false,"Org":{"name":"Far","uuid":"44444444-0000-4000-8000-000000000001"}}},
            {"type":"domain","value":"b.example","old_id":"0"}]"#;
        let drafts = read_proposals(json.as_bytes()).unwrap();
        assert_eq!(drafts.len(), 2);
        assert!(drafts[0].of_attribute && drafts[0].to_delete);
        assert!(drafts[0].attribute.uuid.is_some() && drafts[0].event_uuid.is_some());
        let org = drafts[0].organisation.as_ref().and_then(|o| o.name.as_deref());
        assert_eq!((org, drafts[0].email.as_deref()), (Some("Far"), Some("a@b.test")));
        assert!(!drafts[1].of_attribute);
    }
}
