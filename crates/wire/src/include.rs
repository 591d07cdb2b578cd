//! What an answer is to contain, beyond the rows themselves.

use crate::terms::{Params, is_empty};
use pisax_model::filter::Tri;
use serde_json::{Map, Value};

use crate::search::{SearchError, body_members};

/// Every parameter of a search or view that shapes the answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Include {
    /// Events without their content, objects without attributes.
    pub metadata: bool,
    pub with_attachments: bool,
    pub include_event_uuid: bool,
    pub include_attribute_uuid: bool,
    pub include_event_tags: bool,
    /// Also tags that are not exportable.
    pub include_all_tags: bool,
    pub exclude_local_tags: bool,
    pub include_context: bool,
    pub include_sightings: bool,
    pub include_correlations: bool,
    pub include_granular_correlations: bool,
    pub include_event_correlations: bool,
    pub include_feed_correlations: bool,
    pub include_server_correlations: bool,
    pub include_warninglist_hits: bool,
    pub include_proposals: bool,
    pub include_galaxy: bool,
    pub exclude_galaxy: bool,
    pub include_analyst_data: bool,
    pub include_related_tags: bool,
    pub include_decay_score: bool,
    pub include_scores_on_event: bool,
    pub include_full_model: bool,
    pub exclude_decayed: bool,
    pub allow_proposal_blocking: bool,
    pub sg_reference_only: bool,
    pub no_event_reports: bool,
    pub no_shadow_attributes: bool,
    pub no_sightings: bool,
    pub extended: bool,
    pub extension_list: bool,
    /// Attributes of objects beside the others.
    pub flatten: bool,
    /// CSV without its first line.
    pub headerless: bool,
    /// Columns of a CSV, members of a JSON.
    pub requested_attributes: Vec<String>,
    pub requested_object_attributes: Vec<String>,
    /// Galaxy of the attack formats.
    pub attack_galaxy: Option<String>,
    pub decaying_models: Vec<String>,
    /// Threshold that replaces the models' own.
    pub score: Option<f64>,
    pub model_overrides: Option<Map<String, Value>>,
}

impl Include {
    pub(crate) fn read(params: &Params) -> Self {
        let on = |name: &str| params.on(&[name]);
        // What decayed can be left out only where scores are known.
        let include_decay_score = on("includeDecayScore") || on("excludeDecayed");
        Self {
            metadata: on("metadata"),
            with_attachments: on("withAttachments") || on("includeAttachments"),
            include_event_uuid: on("includeEventUuid"),
            include_attribute_uuid: on("includeAttributeUuid"),
            // Scores need the event's tags.
            include_event_tags: on("includeEventTags") || include_decay_score,
            include_all_tags: on("includeAllTags"),
            exclude_local_tags: on("excludeLocalTags"),
            include_context: on("includeContext"),
            include_sightings: on("includeSightings"),
            include_correlations: on("includeCorrelations"),
            include_granular_correlations: on("includeGranularCorrelations"),
            include_event_correlations: on("includeEventCorrelations"),
            include_feed_correlations: on("includeFeedCorrelations"),
            include_server_correlations: on("includeServerCorrelations"),
            include_warninglist_hits: on("includeWarninglistHits"),
            include_proposals: on("includeProposals"),
            include_galaxy: on("includeGalaxy"),
            exclude_galaxy: on("excludeGalaxy"),
            include_analyst_data: on("includeAnalystData"),
            include_related_tags: on("includeRelatedTags"),
            include_decay_score,
            include_scores_on_event: on("includeScoresOnEvent"),
            include_full_model: on("includeFullModel"),
            exclude_decayed: on("excludeDecayed"),
            allow_proposal_blocking: on("allow_proposal_blocking"),
            sg_reference_only: on("sgReferenceOnly"),
            no_event_reports: on("noEventReports"),
            no_shadow_attributes: on("noShadowAttributes"),
            no_sightings: on("noSightings"),
            extended: on("extended"),
            extension_list: on("extensionList"),
            flatten: on("flatten"),
            headerless: on("headerless"),
            requested_attributes: params.list(&["requested_attributes"]),
            requested_object_attributes: params.list(&["requested_object_attributes"]),
            attack_galaxy: params.text(&["attackGalaxy"]),
            decaying_models: params.list(&["decayingModel"]),
            score: params.text(&["score"]).and_then(|text| text.parse().ok()),
            model_overrides: match params.get(&["modelOverrides"]) {
                Some(Value::Object(map)) if !map.is_empty() => Some(map.clone()),
                Some(Value::String(text)) => serde_json::from_str(text).ok(),
                _ => None,
            },
        }
    }
}

/// What `events/view` is asked for (semantics 5.3).
#[derive(Debug, Clone, PartialEq)]
pub struct EventView {
    pub include: Include,
    /// Which attributes, objects and references: living, deleted, or both.
    pub deleted: Tri,
    pub to_ids: Tri,
    /// Only attributes that travel with the event (distribution 3 or 5).
    pub public: bool,
    /// Only attributes that contain this text.
    pub search_for: Option<String>,
}

/// Reads the parameters of `events/view`; the body may be empty. Attachments, correlations and warninglist
/// hits are on unless switched off.
pub fn read_event_view(body: &[u8], url_params: &[(String, String)]) -> Result<EventView, SearchError> {
    // Unlike in a search, `0` in the URL switches off what is on by default.
    let mut body = body_members(body)?;
    let mut named = Map::new();
    for (key, text) in url_params {
        let text = Value::String(text.trim().to_owned());
        match key.strip_suffix("[]") {
            // `deleted[]:0/deleted[]:1`, which servers that pull ask for.
            Some(list) => match named.get_mut(list) {
                Some(Value::Array(items)) => items.push(text),
                _ => {
                    named.insert(list.to_owned(), Value::Array(vec![text]));
                }
            },
            None => {
                named.insert(key.clone(), text);
            }
        }
    }
    body.extend(named);
    let params = Params::join(body, &[]);
    let mut include = Include::read(&params);
    let default_on = |names: &[&str]| params.switch(names).unwrap_or(true);
    include.with_attachments = default_on(&["includeAttachments", "withAttachments"]);
    include.include_event_correlations = default_on(&["includeEventCorrelations"]);
    include.include_feed_correlations = default_on(&["includeFeedCorrelations"]);
    include.include_warninglist_hits = default_on(&["includeWarninglistHits"]);
    let deleted = match params.get(&["deleted"]) {
        Some(Value::Array(_)) => crate::search::deleted(&params).unwrap_or(Tri::Only(false)),
        Some(value) if is_empty(value) || !crate::terms::truthy(value) => Tri::Only(false),
        Some(Value::String(text)) if matches!(text.trim(), "2" | "only") => Tri::Only(true),
        Some(Value::Number(number)) if number.as_i64() == Some(2) => Tri::Only(true),
        Some(_) => Tri::Any,
        None => Tri::Only(false),
    };
    let to_ids = match params.text(&["toIDS"]).as_deref() {
        Some("1") => Tri::Only(true),
        Some("2") => Tri::Only(false),
        _ => Tri::Any,
    };
    let search_for = params.text(&["searchFor"]);
    Ok(EventView { include, deleted, to_ids, public: params.on(&["public"]), search_for })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_shows_the_living_with_attachments_unless_told_otherwise() {
        let plain = read_event_view(b"", &[]).unwrap();
        assert!(plain.include.with_attachments && plain.include.include_warninglist_hits);
        assert_eq!((plain.deleted, plain.to_ids), (Tri::Only(false), Tri::Any));
        let off = [("includeAttachments".to_owned(), "0".to_owned())];
        assert!(!read_event_view(b"", &off).unwrap().include.with_attachments);
        for (body, deleted) in [
            (r#"{"deleted":0}"#, Tri::Only(false)),
            (r#"{"deleted":1}"#, Tri::Any),
            (r#"{"deleted":"2"}"#, Tri::Only(true)),
            (r#"{"deleted":[0,1]}"#, Tri::Any),
            (r#"{"deleted":[1]}"#, Tri::Only(true)),
        ] {
            assert_eq!(read_event_view(body.as_bytes(), &[]).unwrap().deleted, deleted, "{body}");
        }
    }
}
