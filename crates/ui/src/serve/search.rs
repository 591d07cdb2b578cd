//! What the search box finds: events by a value in them, a word of their title, a tag, an organisation, their
//! number or uuid.

use pisax_model::Uuid;
use pisax_model::filter::{Filter, Order, Scope, SortKey, Terms};
use pisax_model::fold::fold;
use pisax_model::freetext;
use pisax_model::ids::Ref;
use pisax_store::{Reader, Result};

/// Longer texts are values, and looked for as such alone: no title, tag or organisation holds them.
const LONGEST_WORDS: usize = 1_000;
/// Tags and organisations whose name holds the text, at most so many of each.
const MOST_NAMES: usize = 500;

/// Row numbers of the visible events that match, newest first.
pub(crate) fn events(r: &mut Reader<'_>, text: &str) -> Result<Vec<i64>> {
    if text.chars().all(|c| c == '%') {
        return r.find(Scope::Events, &newest());
    }
    let (tags, orgs) = match text.len() {
        0..=LONGEST_WORDS => (tags(r, text)?, orgs(r, text)?),
        _ => (Vec::new(), Vec::new()),
    };
    let mut found = Vec::new();
    for filter in filters(text, &tags, &orgs) {
        found.extend(r.find(Scope::Events, &filter)?);
    }
    found.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
    found.dedup();
    Ok(found)
}

/// Everything, newest first.
fn newest() -> Filter {
    Filter { order: vec![Order { key: SortKey::Id, descending: true }], ..Filter::new() }
}

/// The searches that together answer a text; `tags` and `orgs` are those it names. Each is one statement, and
/// all but those on titles and patterns are a look-up in an index.
fn filters(text: &str, tags: &[i64], orgs: &[Uuid]) -> Vec<Filter> {
    let some = |list: Vec<String>| Terms { or: list, ..Terms::default() };
    let mut filters = vec![Filter { value: some(values(text)), ..Filter::new() }];
    if text.len() <= LONGEST_WORDS {
        filters.push(Filter { eventinfo: Terms::one(title(text)), ..Filter::new() });
    }
    match Ref::parse(text) {
        Some(reference @ Ref::Id(_)) => filters.push(Filter::event(reference)),
        Some(Ref::Uuid(uuid)) => filters.push(Filter { uuid: Terms::one(uuid.to_string()), ..Filter::new() }),
        None => {}
    }
    if !tags.is_empty() {
        filters.push(Filter { tags: some(tags.iter().map(i64::to_string).collect()), ..Filter::new() });
    }
    if !orgs.is_empty() {
        filters.push(Filter { org: some(orgs.iter().map(Uuid::to_string).collect()), ..Filter::new() });
    }
    filters
}

/// The text as a value, and what it says when it was defanged.
fn values(text: &str) -> Vec<String> {
    let mut values = vec![text.to_owned()];
    if !is_pattern(text)
        && let Some(candidate) = freetext::indicator_line(text)
        && candidate.value != text
    {
        values.push(candidate.value);
    }
    values
}

/// The pattern for titles: the text somewhere in them, unless it is a pattern itself.
fn title(text: &str) -> String {
    if is_pattern(text) { text.to_owned() } else { containing(text) }
}

/// The LIKE pattern of texts that hold this one.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// A wildcard at either end, as the store reads the items of a [`Filter`].
fn is_pattern(text: &str) -> bool {
    text.starts_with('%') || text.ends_with('%')
}

fn tags(r: &mut Reader<'_>, text: &str) -> Result<Vec<i64>> {
    if is_pattern(text) {
        return Ok(r.search_tags(text)?.into_iter().map(|tag| tag.id).take(MOST_NAMES).collect());
    }
    let wanted = fold(text);
    let found = r.search_tags(&format!("%{text}%"))?.into_iter();
    // To the tags' own search an underscore is any character.
    let holds = |name: &str| fold(name).contains(wanted.as_ref());
    Ok(found.filter(|tag| holds(&tag.name)).map(|tag| tag.id).take(MOST_NAMES).collect())
}

/// By their names alone: the store's search reads their descriptions too.
fn orgs(r: &mut Reader<'_>, text: &str) -> Result<Vec<Uuid>> {
    let bare = text.trim_matches('%');
    let wanted = fold(bare);
    let found = r.orgs(None, Some(bare))?.into_iter();
    let matches = |name: &str| {
        let name = fold(name);
        match (text.starts_with('%'), text.ends_with('%')) {
            (true, false) => name.ends_with(wanted.as_ref()),
            (false, true) => name.starts_with(wanted.as_ref()),
            _ => name.contains(wanted.as_ref()),
        }
    };
    Ok(found.filter(|org| matches(&org.name)).map(|org| org.uuid).take(MOST_NAMES).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "5f1c2a70-9d11-4e0c-8e7b-0242ac130003";

    #[test]
    fn a_text_is_a_whole_value_or_a_part_of_a_title() {
        let filters = filters("bgp hijack", &[], &[]);
        assert_eq!(filters.len(), 2);
        assert_eq!(filters[0], Filter { value: Terms::one("bgp hijack"), ..Filter::new() });
        assert_eq!(filters[1], Filter { eventinfo: Terms::one("%bgp hijack%"), ..Filter::new() });
    }

    #[test]
    fn wildcards_at_an_end_are_meant_and_elsewhere_are_text() {
        let patterns = filters("%.example", &[], &[]);
        assert_eq!(patterns[0].value, Terms::one("%.example"));
        assert_eq!(patterns[1].eventinfo, Terms::one("%.example"));
        let text = filters("50%_of\\", &[], &[]);
        assert_eq!(text[0].value.or, ["50%_of\\"]);
        assert_eq!(text[1].eventinfo, Terms::one(r"%50\%\_of\\%"));
    }

    #[test]
    fn a_defanged_value_is_found_as_it_is_kept() {
        let filters = filters("hxxp://booter[.]example/a", &[], &[]);
        assert_eq!(filters[0].value.or, ["hxxp://booter[.]example/a", "http://booter.example/a"]);
        assert_eq!(filters[1].eventinfo, Terms::one("%hxxp://booter[.]example/a%"));
        assert_eq!(values("192.0.2.7"), ["192.0.2.7"]);
    }

    #[test]
    fn a_number_and_a_uuid_also_name_a_record() {
        let by_number = filters("1203", &[], &[]);
        assert!(by_number.contains(&Filter::event(Ref::Id(1203))));
        assert!(by_number.contains(&Filter { value: Terms::one("1203"), ..Filter::new() }));
        let by_uuid = filters(UUID, &[], &[]);
        assert!(by_uuid.contains(&Filter { uuid: Terms::one(UUID), ..Filter::new() }));
    }

    #[test]
    fn tags_and_organisations_that_are_named_count() {
        let org = Uuid::try_parse(UUID).unwrap();
        let filters = filters("green", &[3, 7], &[org]);
        assert!(filters.iter().any(|f| f.tags.or == ["3", "7"]));
        assert!(filters.iter().any(|f| f.org == Terms::one(UUID)));
    }

    #[test]
    fn a_very_long_text_can_only_be_a_value() {
        let long = "a".repeat(LONGEST_WORDS + 1);
        assert_eq!(filters(&long, &[], &[]), [Filter { value: Terms::one(long.clone()), ..Filter::new() }]);
    }
}
