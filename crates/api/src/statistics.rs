//! How many attributes of each type or category there are, and how many events carry each tag.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, member};
use crate::request::Request;
use pisax_model::{AttributeType, Category};
use pisax_store::statistics::By;
use rustc_hash::FxHashMap;

/// `5.882%`: at most three decimals, none that say nothing.
fn percent(part: i64, total: i64) -> String {
    let text = format!("{:.3}", part as f64 * 100.0 / total.max(1) as f64);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A path argument that means yes. MISP takes every text but `0` for yes, even `false` (169).
fn said(request: &Request, i: usize) -> bool {
    request.path.arg(i).is_some_and(|text| text != "0")
}

/// GET /attributes/attributeStatistics[/{type|category}][/{percentage}]
pub(crate) fn attributes(request: &Request) -> Result<Answer, Failure> {
    let by = if request.path.arg(0) == Some("category") { By::Category } else { By::Kind };
    let counts = request.service.read(&request.actor, |r| Ok(r.attribute_counts(by)?))?;
    let name = |code: i64| match by {
        By::Kind => AttributeType::from_code(code).map(AttributeType::name),
        By::Category => Category::from_code(code).map(Category::name),
    };
    let mut rows: Vec<(&str, i64)> = counts.iter().filter_map(|(code, n)| Some((name(*code)?, *n))).collect();
    rows.sort_unstable();
    let total = rows.iter().map(|(_, n)| n).sum();
    let percentage = said(request, 1);
    Ok(document(|w| {
        w.begin_object();
        for (name, n) in &rows {
            w.key(name);
            if percentage { w.str(&percent(*n, total)) } else { w.str_num(*n) }
        }
        w.end_object();
    }))
}

/// GET /tags/tagStatistics[/{percentage}][/{namesort}]
pub(crate) fn tags(request: &Request) -> Result<Answer, Failure> {
    // PyMISP says `false` here and means it; MISP agrees, unlike above.
    let yes = |i: usize| request.path.arg(i).is_some_and(|text| matches!(text, "1" | "true"));
    let (tags, taxonomies) =
        request.service.read(&request.actor, |r| Ok((r.tags(None)?, r.taxonomies()?)))?;
    let mut rows: Vec<(&str, i64)> =
        tags.iter().filter(|t| t.events > 0).map(|t| (t.tag.name.as_str(), t.events)).collect();
    if !yes(1) {
        rows.sort_by_key(|(_, n)| -n);
    }
    let mut used: FxHashMap<&str, i64> = FxHashMap::default();
    for (name, n) in &rows {
        let namespace = name.split_once(':').map_or("", |(namespace, _)| namespace);
        if let Some(known) = taxonomies.iter().find(|t| t.enabled && t.namespace == namespace) {
            *used.entry(known.namespace.as_str()).or_default() += n;
        }
    }
    let mut used: Vec<(&str, i64)> = used.into_iter().collect();
    used.sort_unstable();
    let total = rows.iter().map(|(_, n)| n).sum();
    let count = |n: i64| if yes(0) { percent(n, total) } else { n.to_string() };
    Ok(document(|w| {
        w.begin_object();
        for (key, rows) in [("tags", &rows), ("taxonomies", &used)] {
            w.key(key);
            // PHP writes an empty map as a list.
            if rows.is_empty() {
                w.raw(b"[]");
                continue;
            }
            w.begin_object();
            rows.iter().for_each(|(name, n)| member(w, name, &count(*n)));
            w.end_object();
        }
        w.end_object();
    }))
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn percentages_have_no_more_decimals_than_they_need() {
        for (part, total, expected) in [
            (1, 17, "5.882%"),
            (6, 17, "35.294%"),
            (1, 8, "12.5%"),
            (2, 8, "25%"),
            (3, 3, "100%"),
            (0, 0, "0%"),
            (1, 10, "10%"),
        ] {
            assert_eq!(percent(part, total), expected);
        }
    }
}
