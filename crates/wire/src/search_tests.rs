//! One row per parameter and form.

use super::*;
use proptest::prelude::*;

const NOW: i64 = 1_700_000_000;
use Scope::{Attributes, Events, Objects};

fn search(scope: Scope, body: &str) -> SearchRequest {
    read_search(scope, body.as_bytes(), &[], NOW).unwrap()
}

fn filter(scope: Scope, body: &str) -> Filter {
    search(scope, body).filter
}

fn or(items: &[&str]) -> Terms {
    Terms { or: items.iter().map(|s| (*s).to_owned()).collect(), ..Terms::default() }
}

fn not(items: &[&str]) -> Terms {
    Terms { not: items.iter().map(|s| (*s).to_owned()).collect(), ..Terms::default() }
}

/// Sets one field of a filter that is otherwise as it always is.
fn with(change: impl FnOnce(&mut Filter)) -> Filter {
    let mut filter = Filter::new();
    change(&mut filter);
    filter
}

const fn range(from: Option<i64>, to: Option<i64>) -> Option<Range> {
    Some(Range { from, to })
}

#[test]
fn every_parameter_counts_where_misp_honours_it() {
    const ALL: &[Scope] = &[Events, Attributes, Objects];
    const E: &[Scope] = &[Events];
    const EA: &[Scope] = &[Events, Attributes];
    const AO: &[Scope] = &[Attributes, Objects];
    const O: &[Scope] = &[Objects];
    const EO: &[Scope] = &[Events, Objects];
    const NONE: &[Scope] = &[];
    type Row = (&'static str, &'static [Scope], Filter);
    let rows: Vec<Row> = vec![
        (r#"{"value":"a"}"#, ALL, with(|f| f.value = or(&["a"]))),
        (r#"{"value1":"a"}"#, ALL, with(|f| f.value1 = or(&["a"]))),
        (r#"{"value2":"a"}"#, ALL, with(|f| f.value2 = or(&["a"]))),
        (r#"{"value":{"NOT":["a"]}}"#, ALL, with(|f| f.value = not(&["a"]))),
        (r#"{"type":["!ip-src"]}"#, ALL, with(|f| f.kind = not(&["ip-src"]))),
        (r#"{"type":"email-src"}"#, ALL, with(|f| f.kind = or(&["email-src", "email"]))),
        (r#"{"category":"Other"}"#, ALL, with(|f| f.category = or(&["Other"]))),
        (r#"{"org":["1","X"]}"#, ALL, with(|f| f.org = or(&["1", "X"]))),
        (r#"{"tags":"a&&!b"}"#, ALL, with(|f| f.tags = Terms { not: vec!["b".into()], ..or(&["a"]) })),
        (r#"{"tag":"a"}"#, EO, with(|f| f.tags = or(&["a"]))),
        (r#"{"event_tags":"a"}"#, E, with(|f| f.event_tags = or(&["a"]))),
        (r#"{"eventid":[1,"!2"]}"#, ALL, with(|f| f.eventid = Terms { not: vec!["2".into()], ..or(&["1"]) })),
        (r#"{"eventid":"all"}"#, NONE, Filter::new()),
        (r#"{"id":"1"}"#, NONE, Filter::new()),
        (r#"{"event_id":"1"}"#, NONE, Filter::new()),
        (
            r#"{"uuid":"22222222-0000-4000-8000-00000000000A"}"#,
            ALL,
            with(|f| {
                f.uuid = or(&["22222222-0000-4000-8000-00000000000a"]);
            }),
        ),
        (r#"{"event_uuid":"x"}"#, E, with(|f| f.event_uuid = or(&["x"]))),
        (r#"{"eventsExtendingUuid":"x"}"#, E, with(|f| f.extends_uuid = or(&["x"]))),
        (r#"{"comment":"x"}"#, NONE, Filter::new()),
        (r#"{"quickFilter":"x"}"#, NONE, Filter::new()),
        (r#"{"analysis":"1"}"#, NONE, Filter::new()),
        (r#"{"nonsense":"x"}"#, NONE, Filter::new()),
        (r#"{"eventinfo":"%x%"}"#, EA, with(|f| f.eventinfo = or(&["%x%"]))),
        (r#"{"searchall":"%x%"}"#, E, with(|f| f.searchall = Some("%x%".into()))),
        (r#"{"from":"2026-01-02"}"#, ALL, with(|f| f.date_from = Some("2026-01-02".into()))),
        (r#"{"to":"1767225600"}"#, ALL, with(|f| f.date_to = Some("2026-01-01".into()))),
        (r#"{"from":"rubbish"}"#, ALL, with(|f| f.date_from = Some(NEVER_AFTER.into()))),
        (r#"{"date":"2026-01-02"}"#, E, with(|f| f.date_from = Some("2026-01-02".into()))),
        (
            r#"{"date":["2026-01-05","2026-01-02"]}"#,
            E,
            with(|f| {
                f.date_from = Some("2026-01-02".into());
                f.date_to = Some("2026-01-05".into());
            }),
        ),
        (r#"{"last":"5d"}"#, ALL, with(|f| f.publish_timestamp = range(Some(NOW - 432_000), None))),
        (r#"{"last":"5x"}"#, ALL, with(|f| f.publish_timestamp = range(Some(NOW + 1), None))),
        (
            r#"{"publish_timestamp":["1h","2h"]}"#,
            ALL,
            with(|f| {
                f.publish_timestamp = range(Some(NOW - 7200), Some(NOW - 3600));
            }),
        ),
        (r#"{"event_timestamp":1}"#, ALL, with(|f| f.event_timestamp = range(Some(1), None))),
        (
            r#"{"attribute_timestamp":["5","1"]}"#,
            AO,
            with(|f| f.attribute_timestamp = range(Some(1), Some(5))),
        ),
        (
            r#"{"first_seen":"2025-11-30"}"#,
            AO,
            with(|f| {
                f.first_seen = range(Some(1_764_460_800_000_000), None);
            }),
        ),
        (
            r#"{"last_seen":"1764460800"}"#,
            AO,
            with(|f| f.last_seen = range(None, Some(1_764_460_800_000_000))),
        ),
        (r#"{"published":1}"#, ALL, with(|f| f.published = Tri::Only(true))),
        (r#"{"published":0}"#, ALL, with(|f| f.published = Tri::Only(false))),
        (r#"{"published":false}"#, ALL, with(|f| f.published = Tri::Only(false))),
        (r#"{"published":"false"}"#, ALL, with(|f| f.published = Tri::Only(true))),
        (r#"{"published":[0,1]}"#, NONE, Filter::new()),
        (r#"{"to_ids":"1"}"#, ALL, with(|f| f.to_ids = Tri::Only(true))),
        (r#"{"to_ids":0}"#, ALL, with(|f| f.to_ids = Tri::Only(false))),
        (r#"{"to_ids":"exclude"}"#, ALL, with(|f| f.to_ids = Tri::Only(false))),
        (r#"{"to_ids":[0,1]}"#, NONE, Filter::new()),
        (r#"{"to_ids":1,"published":1,"ignore":1}"#, NONE, Filter::new()),
        (r#"{"deleted":0}"#, NONE, Filter::new()),
        (r#"{"deleted":"1"}"#, ALL, with(|f| f.deleted = Tri::Only(true))),
        (r#"{"deleted":true}"#, ALL, with(|f| f.deleted = Tri::Only(true))),
        (r#"{"deleted":"only"}"#, ALL, with(|f| f.deleted = Tri::Only(true))),
        (r#"{"deleted":[0,1]}"#, ALL, with(|f| f.deleted = Tri::Any)),
        (r#"{"threat_level_id":[1,2]}"#, EA, with(|f| f.threat_level = or(&["1", "2"]))),
        (r#"{"distribution":0}"#, E, with(|f| f.distribution = or(&["0"]))),
        (r#"{"sharing_group_id":3}"#, E, with(|f| f.sharing_group = or(&["3"]))),
        (
            r#"{"sharinggroup":["3","!4"]}"#,
            EA,
            with(|f| {
                f.sharing_group = Terms { not: vec!["4".into()], ..or(&["3"]) };
            }),
        ),
        (r#"{"object_name":"file"}"#, O, with(|f| f.object_name = or(&["file"]))),
        (r#"{"object_relation":"ip"}"#, ALL, with(|f| f.object_relation = or(&["ip"]))),
        (r#"{"object_template_uuid":"x"}"#, ALL, with(|f| f.object_template_uuid = or(&["x"]))),
        (r#"{"object_template_version":11}"#, ALL, with(|f| f.object_template_version = or(&["11"]))),
        (r#"{"enforceWarninglist":1}"#, ALL, with(|f| f.enforce_warninglist = true)),
        (r#"{"protected":1}"#, E, with(|f| f.protected = Tri::Only(true))),
        (r#"{"value":"0"}"#, NONE, Filter::new()),
        (r#"{"value":0}"#, NONE, Filter::new()),
        (r#"{"value":""}"#, NONE, Filter::new()),
        (r#"{"value":"2001:DB8:0::1"}"#, ALL, with(|f| f.value = or(&["2001:db8::1"]))),
        (
            r#"{"limit":"10","page":2}"#,
            ALL,
            with(|f| {
                f.limit = Some(10);
                f.page = 2;
            }),
        ),
        (r#"{"page":2}"#, NONE, Filter::new()),
        (r#"{"request":{"value":"a"}}"#, ALL, with(|f| f.value = or(&["a"]))),
    ];
    for (body, scopes, expected) in &rows {
        for scope in ALL {
            let expected = if scopes.contains(scope) { expected.clone() } else { Filter::new() };
            assert_eq!(filter(*scope, body), expected, "{scope:?} {body}");
        }
    }
}

#[test]
fn a_timestamp_is_the_rows_own_except_of_objects() {
    let hour = range(Some(NOW - 3600), None);
    assert_eq!(filter(Events, r#"{"timestamp":"1h"}"#).timestamp, hour);
    assert_eq!(filter(Attributes, r#"{"timestamp":"1h"}"#).timestamp, hour);
    assert_eq!(filter(Objects, r#"{"timestamp":"1h"}"#).event_timestamp, hour);
    assert_eq!(filter(Objects, r#"{"timestamp":"1h"}"#).timestamp, None);
    let both = filter(Events, r#"{"publish_timestamp":["2h","1h"],"last":"90m"}"#);
    assert_eq!(both.publish_timestamp, range(Some(NOW - 5400), Some(NOW - 3600)));
}

#[test]
fn searchall_replaces_every_other_selection_but_paging() {
    let found = filter(Events, r#"{"searchall":1,"value":"%x%","type":"url","limit":5,"deleted":1}"#);
    assert_eq!(
        found,
        with(|f| {
            f.searchall = Some("%x%".into());
            f.limit = Some(5);
            f.deleted = Tri::Only(true);
        })
    );
}

#[test]
fn order_is_read_per_scope_and_what_is_unknown_is_ignored() {
    use SortKey as K;
    let keys = |scope, order: &str| -> Vec<(K, bool)> {
        let body = serde_json::json!({ "order": order }).to_string();
        filter(scope, &body).order.iter().map(|o| (o.key, o.descending)).collect()
    };
    assert_eq!(keys(Events, "Event.timestamp desc, id"), [(K::Timestamp, true), (K::Id, false)]);
    assert_eq!(keys(Events, "Attribute.id desc"), []);
    assert_eq!(keys(Events, "password desc, info ASC"), [(K::Info, false)]);
    assert_eq!(keys(Events, "id; drop table"), []);
    assert_eq!(keys(Attributes, "Event.publish_timestamp DESC"), [(K::PublishTimestamp, true)]);
    assert_eq!(keys(Attributes, "value, event_id desc"), [(K::Value, false), (K::EventId, true)]);
    assert_eq!(keys(Objects, "Object.id desc"), [(K::Id, true)]);
    let list = filter(Events, r#"{"order":["Event.id desc"]}"#).order;
    assert_eq!(list, [Order { key: K::Id, descending: true }]);
}

#[test]
fn every_shaping_parameter_is_read() {
    let on = search(
        Events,
        r#"{"metadata":1,"withAttachments":true,"includeEventUuid":"1","includeEventTags":1,"includeAllTags":1,
        "excludeLocalTags":1,"includeContext":1,"includeSightings":1,"includeCorrelations":1,
        "includeGranularCorrelations":1,"includeWarninglistHits":1,"includeProposals":1,"includeGalaxy":1,
        "excludeGalaxy":1,"includeDecayScore":1,"sgReferenceOnly":1,"noEventReports":1,"noSightings":1,"flatten":1,
        "headerless":1,"requested_attributes":"uuid, value","extended":1,"includeAnalystData":1,"excludeDecayed":1,
        "decayingModel":[1,2],"score":"40","modelOverrides":{"threshold":30},"attackGalaxy":"x","returnFormat":"CSV"}"#,
    );
    let i = &on.include;
    for (name, flag) in [
        ("metadata", i.metadata),
        ("attachments", i.with_attachments),
        ("event uuid", i.include_event_uuid),
        ("event tags", i.include_event_tags),
        ("all tags", i.include_all_tags),
        ("local tags", i.exclude_local_tags),
        ("context", i.include_context),
        ("sightings", i.include_sightings),
        ("correlations", i.include_correlations),
        ("granular", i.include_granular_correlations),
        ("warninglists", i.include_warninglist_hits),
        ("proposals", i.include_proposals),
        ("galaxy", i.include_galaxy),
        ("no galaxy", i.exclude_galaxy),
        ("scores", i.include_decay_score),
        ("groups", i.sg_reference_only),
        ("reports", i.no_event_reports),
        ("no sightings", i.no_sightings),
        ("flatten", i.flatten),
        ("headerless", i.headerless),
        ("extended", i.extended),
        ("analyst data", i.include_analyst_data),
        ("decayed", i.exclude_decayed),
    ] {
        assert!(flag, "{name}");
    }
    assert_eq!(i.requested_attributes, ["uuid", "value"]);
    assert_eq!(i.decaying_models, ["1", "2"]);
    assert_eq!((i.score, i.attack_galaxy.as_deref()), (Some(40.0), Some("x")));
    assert!(i.model_overrides.is_some());
    assert_eq!(on.format, "csv");
    assert_eq!(
        search(Events, r#"{"includeContext":"0","metadata":false,"headerless":null}"#).include,
        Include { include_event_correlations: true, ..Include::default() }
    );
    assert!(
        !search(Events, r#"{"includeEventCorrelations":0,"value":"x"}"#).include.include_event_correlations
    );
    assert!(search(Attributes, r#"{"includeDecayScore":1}"#).include.include_event_tags);
}

#[test]
fn restrictive_formats_default_to_what_was_published_for_detection() {
    let restricted = |body| {
        let mut request = search(Attributes, body);
        request.restrict();
        (request.filter.published, request.filter.to_ids)
    };
    assert_eq!(restricted(r#"{"type":"x"}"#), (Tri::Only(true), Tri::Only(true)));
    assert_eq!(restricted(r#"{"published":[0,1]}"#), (Tri::Any, Tri::Only(true)));
    assert_eq!(restricted(r#"{"to_ids":0}"#), (Tri::Only(true), Tri::Only(false)));
    assert_eq!(restricted(r#"{"ignore":1}"#), (Tri::Any, Tri::Any));
}

#[test]
fn a_search_without_any_parameter_is_refused() {
    for body in ["", "{}", "[]", " ", "null", r#"{"request":{}}"#] {
        assert_eq!(read_search(Events, body.as_bytes(), &[], NOW), Err(SearchError::Empty), "{body}");
    }
    assert!(matches!(read_search(Events, b"{\"a\":", &[], NOW), Err(SearchError::NotJson(_))));
    let url = [("value".to_owned(), "a".to_owned())];
    assert_eq!(read_search(Events, b"", &url, NOW).unwrap().filter.value, or(&["a"]));
}

#[test]
fn what_means_nothing_in_a_scope_is_named() {
    let ignored = |scope, body| search(scope, body).ignored;
    let body = r#"{"value":"x","tag":"y","typo":1,"page":2,"returnFormat":"json","includeContext":1}"#;
    assert_eq!(ignored(Attributes, body), ["tag", "typo", "page"]);
    assert_eq!(ignored(Events, body), ["typo", "page"], "events honour tag");
    assert_eq!(ignored(Events, r#"{"searchall":"%x%","value":"y"}"#), ["value"], "replaced by the other");
    assert!(ignored(Attributes, r#"{"limit":5,"page":2}"#).is_empty());
}

proptest! {
    #[test]
    fn no_body_breaks_the_search(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,100}") {
        for scope in [Events, Attributes, Objects] {
            let _ = read_search(scope, &bytes, &[], NOW);
            let url = [("value".to_owned(), text.clone()), ("last".to_owned(), text.clone())];
            let _ = read_search(scope, b"", &url, NOW);
        }
    }

    #[test]
    fn no_parameter_value_breaks_the_search(
        key in proptest::sample::select(vec!["value", "type", "tags", "last", "first_seen", "from", "date", "order",
            "limit", "deleted", "to_ids", "published", "eventid", "searchall", "score", "requested_attributes"]),
        value in crate::tests::any_json(),
    ) {
        let body = serde_json::json!({ key: value }).to_string();
        for scope in [Events, Attributes, Objects] {
            let _ = read_search(scope, body.as_bytes(), &[], NOW);
        }
        let _ = crate::read_index(body.as_bytes(), &[], NOW);
    }
}

#[test]
fn words_of_galaxies_and_facts_of_organisations_are_keys_of_their_own() {
    let body = r#"{"galaxy.synonyms":["bear","!cat"],"galaxy.cluster.value":"APT%","galaxy.":"x","org.sector":"Bank","org.local":0}"#;
    let filter = filter(Events, body);
    let galaxy: std::collections::BTreeMap<_, _> = filter.galaxy.into_iter().collect();
    assert_eq!(galaxy.keys().collect::<Vec<_>>(), ["synonyms", "value"]);
    assert_eq!(
        (&galaxy["synonyms"].or[..], &galaxy["synonyms"].not[..]),
        (&["bear".into()][..], &["cat".into()][..])
    );
    let facts: Vec<_> = filter.org_facts.iter().map(|(fact, terms)| (*fact, terms.or[0].as_str())).collect();
    assert_eq!(facts, [(OrgFact::Sector, "Bank"), (OrgFact::Local, "0")]);
    let plain = search(Attributes, r#"{"value":"x"}"#).filter;
    assert!(plain.galaxy.is_empty() && plain.org_facts.is_empty());
}
