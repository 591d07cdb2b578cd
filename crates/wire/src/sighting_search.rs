//! The parameters of `sightings/restSearch` (semantics 5.8).

use crate::search::{SearchError, body_members};
use crate::terms::{Params, each, is_empty, lower_uuid, narrow};
use pisax_model::filter::{Range, Terms};
use pisax_model::ids::Ref;

/// What the reference of a sighting search names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SightingContext {
    Attribute,
    Event,
}

/// A search for sightings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SightingSearch {
    /// `json`, `xml` or `csv`.
    pub format: String,
    /// Without one, every visible sighting.
    pub context: Option<SightingContext>,
    /// The attributes or events; a context without any is refused by the caller. An instance that pulls names
    /// twenty at a time.
    pub references: Vec<Ref>,
    /// Codes 0 to 2.
    pub kind: Terms,
    /// `date_sighting`, unix seconds; the last 30 days unless given.
    pub date: Range,
    /// Id, uuid or name of the organisation that saw it.
    pub org: Terms,
    pub source: Terms,
    pub include_attribute: bool,
    pub include_event: bool,
    pub include_uuid: bool,
    /// Names of parameters that mean nothing here.
    pub ignored: Vec<String>,
}

const THIRTY_DAYS: i64 = 30 * 86_400;

/// Reads a sighting search. A positional context of the path is given as `context`.
pub fn read_sighting_search(
    body: &[u8],
    url_params: &[(String, String)],
    now_secs: i64,
) -> Result<SightingSearch, SearchError> {
    let params = Params::join(body_members(body)?, url_params);
    let mut date = None;
    narrow(&mut date, params.moments(&["last", "date_sighting"], now_secs));
    narrow(&mut date, params.moments(&["from"], now_secs).map(|range| Range { to: None, ..range }));
    narrow(&mut date, params.moments(&["to"], now_secs).map(|range| Range { from: None, to: range.from }));
    // A MISP that pulls sends `last: 0` and means all there are (semantics 7.2).
    let all = params.get(&["last"]).is_some_and(is_empty);
    let usual = Range { from: (!all).then_some(now_secs - THIRTY_DAYS), to: None };
    let mut org = params.terms(&["org_id", "org"]);
    each(&mut org, |item| lower_uuid(item));
    let mut search = SightingSearch {
        format: params.text(&["returnFormat"]).map_or_else(|| "json".to_owned(), |f| f.to_ascii_lowercase()),
        context: match params.text(&["context"]).as_deref() {
            Some("attribute") => Some(SightingContext::Attribute),
            Some("event") => Some(SightingContext::Event),
            _ => None,
        },
        references: references(&params),
        kind: params.codes(&["type"]),
        date: date.unwrap_or(usual),
        org,
        source: params.terms(&["source"]),
        include_attribute: params.on(&["includeAttribute"]),
        include_event: params.on(&["includeEvent"]),
        include_uuid: params.on(&["includeUuid"]),
        ignored: Vec::new(),
    };
    search.ignored = params.ignored();
    Ok(search)
}

/// What `id` and `uuid` name; text that names nothing stands for a record that is not there.
fn references(params: &Params) -> Vec<Ref> {
    let named = ["id", "uuid"].iter().flat_map(|name| params.list(&[*name]));
    named.filter(|text| !text.trim().is_empty()).map(|text| Ref::parse(&text).unwrap_or(Ref::Id(0))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    #[test]
    fn every_parameter_is_read() {
        let all = read_sighting_search(
            br#"{"context":"attribute","id":"13","type":0,"from":1,"to":"5","org_id":"!2","source":"x",
            "includeAttribute":1,"includeEvent":true,"includeUuid":"1","returnFormat":"csv"}"#,
            &[],
            NOW,
        )
        .unwrap();
        assert_eq!(all.context, Some(SightingContext::Attribute));
        assert_eq!((all.references.as_slice(), all.format.as_str()), (&[Ref::Id(13)][..], "csv"));
        assert_eq!(
            (all.kind.or, all.org.not, all.source.or),
            (vec!["0".into()], vec!["2".into()], vec!["x".into()])
        );
        assert_eq!(all.date, Range { from: Some(1), to: Some(5) });
        assert!(all.include_attribute && all.include_event && all.include_uuid);
        let pulled =
            br#"{"uuid":["11111111-0000-4000-8000-000000000001","11111111-0000-4000-8000-000000000002"]}"#;
        assert_eq!(read_sighting_search(pulled, &[], NOW).unwrap().references.len(), 2);
        let plain = read_sighting_search(b"", &[], NOW).unwrap();
        assert_eq!(plain.date, Range { from: Some(NOW - THIRTY_DAYS), to: None });
        let last = read_sighting_search(br#"{"last":"1h"}"#, &[], NOW).unwrap();
        assert_eq!(last.date, Range { from: Some(NOW - 3600), to: None });
        let all = read_sighting_search(br#"{"last":0}"#, &[], NOW).unwrap();
        assert_eq!(all.date, Range::default());
    }
}
