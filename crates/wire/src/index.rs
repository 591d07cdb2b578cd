//! The parameters of `events/index` (semantics 5.4).

use crate::search::{SearchError, body_members};
use crate::terms::{Params, each, items, lower_uuid, truthy};
use pisax_model::filter::{Filter, Order, Range, SortKey, Terms, Tri};
use pisax_model::time::{format_date, parse_moment};
use serde_json::{Map, Value};

/// What `events/index` is asked for beyond the filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexOptions {
    /// Six members per event, for pulls.
    pub minimal: bool,
    /// Only events with (`true`) or without proposals.
    pub has_proposal: Option<bool>,
    /// Also events that extend the found ones.
    pub extended: bool,
}

/// Reads the parameters of `events/index`; without any, all events are listed. Every name may carry the
/// prefix `search`, as in the URLs of MISP's own pages.
pub fn read_index(
    body: &[u8],
    url_params: &[(String, String)],
    now_secs: i64,
) -> Result<(Filter, IndexOptions), SearchError> {
    let mut members = Map::new();
    let sent = body_members(body)?;
    let url = url_params.iter().map(|(key, text)| (key.clone(), Value::String(text.clone())));
    for (key, value) in sent.into_iter().chain(url) {
        let name = key.strip_prefix("search").filter(|rest| !rest.is_empty()).unwrap_or(&key);
        members.insert(name.to_ascii_lowercase(), value);
    }
    let params = Params::join(members, &[]);
    let mut filter = Filter::new();

    filter.eventid = uuids(params.get(&["eventid"]));
    filter.org = uuids(params.get(&["org"]));
    filter.tags = alternatives(params.get(&["tags", "tag"]), true);
    filter.event_tags = alternatives(params.get(&["eventtags", "event_tags"]), true);
    filter.threat_level = alternatives(params.get(&["threatlevel", "threat_level_id"]), false);
    filter.distribution = alternatives(params.get(&["distribution"]), false);
    filter.analysis = alternatives(params.get(&["analysis"]), false);
    filter.sharing_group = uuids(params.get(&["sharinggroup"]));
    filter.creator_email = alternatives(params.get(&["email"]), false);
    filter.eventinfo = containing(params.get(&["eventinfo"]));
    filter.value = containing(params.get(&["attribute"]));
    filter.searchall = params.text(&["all"]).map(|text| format!("%{text}%"));
    filter.published = published(&params);
    filter.date_from = params.text(&["datefrom"]).map(|text| day(&text, now_secs, "9999-12-31"));
    filter.date_to = params.text(&["dateuntil"]).map(|text| day(&text, now_secs, "0000-00-00"));
    filter.timestamp = moments(params.get(&["timestamp"]), now_secs);
    filter.publish_timestamp = moments(params.get(&["publish_timestamp", "publishtimestamp"]), now_secs);
    filter.order.extend(order(&params));
    filter.limit = params.count(&["limit"]);
    if filter.limit.is_some() {
        filter.page = params.count(&["page"]).unwrap_or(1);
    }
    let options = IndexOptions {
        minimal: params.on(&["minimal"]),
        has_proposal: match params.text(&["hasproposal"]).as_deref() {
            Some("0" | "1") => params.switch(&["hasproposal"]),
            _ => None,
        },
        extended: params.on(&["extended"]),
    };
    filter.non_empty = options.minimal;
    filter.has_proposal = options.has_proposal.map_or(Tri::Any, Tri::Only);
    Ok((filter, options))
}

/// `a|b`, `!a`, lists; with `and` also `a&b`.
fn alternatives(value: Option<&Value>, and: bool) -> Terms {
    let mut terms = Terms::default();
    for item in value.map(items).unwrap_or_default() {
        for piece in item.split('|').map(str::trim).filter(|piece| !piece.is_empty()) {
            if and && piece.contains('&') {
                terms.and.extend(piece.split('&').map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()));
            } else if let Some(negated) = piece.strip_prefix('!') {
                terms.not.extend(Some(negated.trim().to_owned()).filter(|n| !n.is_empty()));
            } else {
                terms.or.push(piece.to_owned());
            }
        }
    }
    terms
}

fn uuids(value: Option<&Value>) -> Terms {
    let mut terms = alternatives(value, false);
    each(&mut terms, |item| lower_uuid(item));
    terms
}

/// The same, each item anywhere in the text; the client's own wildcards count.
fn containing(value: Option<&Value>) -> Terms {
    let mut terms = alternatives(value, false);
    each(&mut terms, |item| *item = format!("%{item}%"));
    terms
}

/// `0`, `1`; `2` or both is any.
fn published(params: &Params) -> Tri {
    match params.text(&["published"]).as_deref() {
        Some("2") => Tri::Any,
        _ => params.tri(&["published"], truthy).unwrap_or_default(),
    }
}

fn day(text: &str, now: i64, unreadable: &str) -> String {
    parse_moment(text, now).map_or_else(|| unreadable.to_owned(), format_date)
}

/// A lower bound or `[from, to]`, also written `from|to`.
fn moments(value: Option<&Value>, now: i64) -> Option<Range> {
    let list = items(value?);
    let read = |text: &str| parse_moment(text, now).unwrap_or(now + 1);
    let mut bounds = list.iter().flat_map(|item| item.split('|')).map(str::trim).filter(|t| !t.is_empty());
    let first = read(bounds.next()?);
    Some(match bounds.next().map(read) {
        None => Range { from: Some(first), to: None },
        Some(second) => Range { from: Some(first.min(second)), to: Some(first.max(second)) },
    })
}

/// `sort` and `direction`; an unknown column is ignored.
fn order(params: &Params) -> Option<Order> {
    let sort = params.text(&["sort"])?;
    let key = match sort.strip_prefix("Event.").unwrap_or(&sort) {
        "id" => SortKey::Id,
        "date" => SortKey::Date,
        "info" => SortKey::Info,
        "timestamp" => SortKey::Timestamp,
        "publish_timestamp" => SortKey::PublishTimestamp,
        "published" => SortKey::Published,
        "analysis" => SortKey::Analysis,
        "threat_level_id" => SortKey::ThreatLevel,
        "distribution" => SortKey::Distribution,
        "attribute_count" => SortKey::AttributeCount,
        "org" | "Org.name" | "orgc" | "Orgc.name" | "org_id" | "orgc_id" => SortKey::Org,
        _ => return None,
    };
    // MISP's pages say `direction`, PyMISP `desc`.
    let descending = match params.text(&["direction"]) {
        Some(direction) => direction.eq_ignore_ascii_case("desc"),
        None => params.on(&["desc"]),
    };
    Some(Order { key, descending })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn filter(body: &str) -> Filter {
        read_index(body.as_bytes(), &[], NOW).unwrap().0
    }

    fn terms(or: &[&str], and: &[&str], not: &[&str]) -> Terms {
        let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
        Terms { or: own(or), and: own(and), not: own(not) }
    }

    #[test]
    fn without_parameters_everything_is_listed() {
        for body in ["", "{}", "[]"] {
            let (filter, options) = read_index(body.as_bytes(), &[], NOW).unwrap();
            assert_eq!((filter, options), (Filter::new(), IndexOptions::default()));
        }
    }

    #[test]
    fn every_parameter_is_read() {
        for (body, check) in [
            (r#"{"eventid":"1|!2"}"#, filter(r#"{"eventid":"1|!2"}"#).eventid == terms(&["1"], &[], &["2"])),
            (r#"org"#, filter(r#"{"searchorg":["A","!B"]}"#).org == terms(&["A"], &[], &["B"])),
            (r#"tags"#, filter(r#"{"tags":"a&b|!c"}"#).tags == terms(&[], &["a", "b"], &["c"])),
            (r#"tag"#, filter(r#"{"tag":"a|b"}"#).tags == terms(&["a", "b"], &[], &[])),
            (r#"eventinfo"#, filter(r#"{"searcheventinfo":"x"}"#).eventinfo == terms(&["%x%"], &[], &[])),
            (r#"attribute"#, filter(r#"{"attribute":"!x"}"#).value == terms(&[], &[], &["%x%"])),
            (r#"all"#, filter(r#"{"searchall":"x"}"#).searchall.as_deref() == Some("%x%")),
            (
                r#"threatlevel"#,
                filter(r#"{"threatlevel":[1,2]}"#).threat_level == terms(&["1", "2"], &[], &[]),
            ),
            (r#"distribution"#, filter(r#"{"distribution":0}"#).distribution == terms(&["0"], &[], &[])),
            (r#"analysis"#, filter(r#"{"analysis":"!0"}"#).analysis == terms(&[], &[], &["0"])),
            (r#"sharinggroup"#, filter(r#"{"sharinggroup":"1"}"#).sharing_group == terms(&["1"], &[], &[])),
            (r#"email"#, filter(r#"{"email":"a@b"}"#).creator_email == terms(&["a@b"], &[], &[])),
            (r#"published 1"#, filter(r#"{"published":1}"#).published == Tri::Only(true)),
            (r#"published 0"#, filter(r#"{"published":"0"}"#).published == Tri::Only(false)),
            (r#"published 2"#, filter(r#"{"published":2}"#).published == Tri::Any),
            (r#"published both"#, filter(r#"{"published":[0,1]}"#).published == Tri::Any),
            (
                r#"datefrom"#,
                filter(r#"{"datefrom":"2026-01-02"}"#).date_from.as_deref() == Some("2026-01-02"),
            ),
            (
                r#"dateuntil"#,
                filter(r#"{"dateuntil":"2026-01-02"}"#).date_to.as_deref() == Some("2026-01-02"),
            ),
            (
                r#"timestamp"#,
                filter(r#"{"timestamp":"1h"}"#).timestamp == Some(Range { from: Some(NOW - 3600), to: None }),
            ),
            (
                r#"publish"#,
                filter(r#"{"publish_timestamp":[5,1]}"#).publish_timestamp
                    == Some(Range { from: Some(1), to: Some(5) }),
            ),
            (r#"limit"#, filter(r#"{"limit":5,"page":3}"#).page == 3),
            (
                r#"sort"#,
                filter(r#"{"sort":"date","direction":"desc"}"#).order
                    == [Order { key: SortKey::Date, descending: true }],
            ),
            (
                r#"desc"#,
                filter(r#"{"sort":"id","desc":true}"#).order
                    == [Order { key: SortKey::Id, descending: true }],
            ),
            (r#"unknown sort"#, filter(r#"{"sort":"password"}"#).order.is_empty()),
            (r#"minimal"#, filter(r#"{"minimal":1}"#).non_empty),
        ] {
            assert!(check, "{body}");
        }
        let url = [("searchminimal".to_owned(), "1".to_owned()), ("hasproposal".to_owned(), "1".to_owned())];
        let (_, options) = read_index(b"", &url, NOW).unwrap();
        assert_eq!(options, IndexOptions { minimal: true, has_proposal: Some(true), extended: false });
    }
}
