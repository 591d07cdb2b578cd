//! The mini-language of a search value (semantics 5.7): text, lists, `!`, `&&`, OR/AND/NOT, times, flags.

use pisax_model::filter::{Range, Terms, Tri};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::Ipv6Addr;

/// The named parameters of one search, from the body and the URL. Whoever asks for one by name heeds it; what
/// nobody asked for can be told to the client.
pub(crate) struct Params {
    given: Map<String, Value>,
    heeded: RefCell<BTreeSet<String>>,
}

impl Params {
    /// Joins the body's members with the URL's, which win. In a URL `null`, `0`, `false` and nothing mean
    /// "not given", `;` stands for `:`, and `||` separates alternatives.
    pub(crate) fn join(mut body: Map<String, Value>, url: &[(String, String)]) -> Self {
        for (key, text) in url {
            let text = text.trim();
            if matches!(text, "" | "null" | "0" | "false") {
                continue;
            }
            let text = text.replace(';', ":");
            let value = match text.split_once("||") {
                None => Value::String(text),
                Some(_) => text.split("||").map(|item| Value::String(item.trim().to_owned())).collect(),
            };
            body.insert(key.clone(), value);
        }
        Self { given: body, heeded: RefCell::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// What was given under the first of these names that is not null.
    pub(crate) fn get(&self, names: &[&str]) -> Option<&Value> {
        let asked = names.iter().filter(|name| self.given.contains_key(**name));
        self.heeded.borrow_mut().extend(asked.map(|name| (*name).to_owned()));
        names.iter().filter_map(|name| self.given.get(*name)).find(|value| !value.is_null())
    }

    /// The names nobody has asked for, in the order they were given.
    pub(crate) fn ignored(&self) -> Vec<String> {
        let heeded = self.heeded.borrow();
        self.given.keys().filter(|name| !heeded.contains(*name)).cloned().collect()
    }

    /// What was given under names that begin so, by the rest of the name; at most `most` of them.
    pub(crate) fn below(&self, prefix: &str, most: usize) -> Vec<(String, Terms)> {
        let named =
            self.given.iter().filter_map(|(name, value)| Some((name, name.strip_prefix(prefix)?, value)));
        let found = named.filter(|(_, rest, value)| !rest.is_empty() && !is_empty(value)).take(most);
        found
            .map(|(name, rest, value)| {
                self.heeded.borrow_mut().insert(name.clone());
                (rest.to_owned(), terms(value))
            })
            .collect()
    }

    /// A yes or no; anything but `0`, `false` and nothing is a yes.
    pub(crate) fn on(&self, names: &[&str]) -> bool {
        self.get(names).is_some_and(truthy)
    }

    /// A yes or no, if it was given.
    pub(crate) fn switch(&self, names: &[&str]) -> Option<bool> {
        self.get(names).map(truthy)
    }

    /// Text, of a list the first.
    pub(crate) fn text(&self, names: &[&str]) -> Option<String> {
        items(self.get(names)?).into_iter().next()
    }

    /// A number above zero.
    pub(crate) fn count(&self, names: &[&str]) -> Option<i64> {
        self.text(names)?.parse().ok().filter(|number| *number > 0)
    }

    /// A list of texts; one text is split at commas.
    pub(crate) fn list(&self, names: &[&str]) -> Vec<String> {
        match self.get(names) {
            Some(Value::String(text)) => {
                text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
            }
            Some(value) => items(value),
            None => Vec::new(),
        }
    }

    /// The terms under a name. MISP takes a bare `0`, `false` or empty text for "no filter".
    pub(crate) fn terms(&self, names: &[&str]) -> Terms {
        match self.get(names) {
            Some(value) if is_empty(value) => Terms::default(),
            Some(value) => terms(value),
            None => Terms::default(),
        }
    }

    /// The same for codes, of which 0 is one.
    pub(crate) fn codes(&self, names: &[&str]) -> Terms {
        self.get(names).map(terms).unwrap_or_default()
    }

    /// A range of time in unix seconds.
    pub(crate) fn moments(&self, names: &[&str], now: i64) -> Option<Range> {
        let value = self.get(names)?;
        if is_empty(value) {
            return None;
        }
        range(value, |text| pisax_model::time::parse_moment(text, now).unwrap_or(now + 1))
    }

    /// A range of time in microseconds, as `(lower, upper)` or one bound.
    pub(crate) fn micros(&self, names: &[&str], now: i64) -> Option<Range> {
        let value = self.get(names)?;
        if is_empty(value) {
            return None;
        }
        range(value, |text| micros(text, now))
    }

    /// Which of two states is wanted; both listed is any.
    pub(crate) fn tri(&self, names: &[&str], yes: impl Fn(&Value) -> bool) -> Option<Tri> {
        Some(match self.get(names)? {
            Value::String(text) if text.trim().is_empty() => return None,
            Value::Array(list) => both(list.iter().map(&yes))?,
            Value::Object(map) => both(map.values().map(&yes))?,
            value => Tri::Only(yes(value)),
        })
    }
}

fn both(flags: impl Iterator<Item = bool>) -> Option<Tri> {
    flags.fold(None, |seen, flag| {
        Some(match seen {
            None => Tri::Only(flag),
            Some(Tri::Only(before)) if before == flag => Tri::Only(flag),
            Some(_) => Tri::Any,
        })
    })
}

/// Anything but `0`, `false` and nothing.
pub(crate) fn truthy(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.trim().eq_ignore_ascii_case("false") && !is_empty(value),
        _ => !is_empty(value),
    }
}

/// PHP's `empty()`.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => matches!(text.trim(), "" | "0"),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    let text: Cow<'_, str> = match value {
        Value::String(text) => text.trim().into(),
        Value::Number(number) => number.to_string().into(),
        Value::Bool(flag) => if *flag { "1" } else { "0" }.into(),
        _ => return None,
    };
    if text.is_empty() { None } else { Some(text) }
}

/// The scalars of one value or a list (or numbered map), trimmed, without the empty ones.
pub(crate) fn items(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().filter_map(scalar).map(Cow::into_owned).collect(),
        Value::Object(map) => map.values().filter_map(scalar).map(Cow::into_owned).collect(),
        one => scalar(one).map(Cow::into_owned).into_iter().collect(),
    }
}

/// Reads a search value: `a&&!b`, a list of such, or `{"OR": …, "AND": …, "NOT": …}` with items as they are.
pub(crate) fn terms(value: &Value) -> Terms {
    if let Value::Object(map) = value
        && ["OR", "AND", "NOT"].iter().any(|key| map.contains_key(*key))
    {
        let group = |key: &str| map.get(key).map(items).unwrap_or_default();
        return Terms { or: group("OR"), and: group("AND"), not: group("NOT") };
    }
    let mut terms = Terms::default();
    for item in items(value) {
        for piece in item.split("&&") {
            match piece.trim() {
                "" | "!" => {}
                piece => match piece.strip_prefix('!') {
                    Some(negated) => terms.not.push(negated.trim().to_owned()),
                    None => terms.or.push(piece.to_owned()),
                },
            }
        }
    }
    terms
}

/// Applies a change to every item.
pub(crate) fn each(terms: &mut Terms, change: impl Fn(&mut String)) {
    terms.or.iter_mut().chain(&mut terms.and).chain(&mut terms.not).for_each(change);
}

/// Uuids are kept in lower case, clients send any.
pub(crate) fn lower_uuid(item: &mut str) {
    if crate::record::parse_uuid(item).is_some() {
        item.make_ascii_lowercase();
    }
}

/// IPv6 addresses and networks are kept in their shortest form.
pub(crate) fn short_ipv6(item: &mut String) {
    if item.bytes().filter(|b| *b == b':').count() < 2 {
        return;
    }
    let (address, prefix) = match item.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (item.as_str(), None),
    };
    if let Ok(address) = address.parse::<Ipv6Addr>() {
        *item = match prefix {
            Some(prefix) => format!("{address}/{prefix}"),
            None => address.to_string(),
        };
    }
}

/// A lower bound, or of a list the closed range from the lesser to the greater.
fn range(value: &Value, read: impl Fn(&str) -> i64) -> Option<Range> {
    let list = items(value);
    let first = read(list.first()?);
    Some(match list.get(1).map(|text| read(text)) {
        None => Range { from: Some(first), to: None },
        Some(second) => Range { from: Some(first.min(second)), to: Some(first.max(second)) },
    })
}

fn micros(text: &str, now: i64) -> i64 {
    const MICROS: i64 = 1_000_000;
    // Beyond 1e14 a number can only be microseconds already: as seconds it is the year 3,170,843.
    if let Ok(number) = text.parse::<i64>()
        && number > 100_000_000_000_000
    {
        return number;
    }
    if let Some(micros) = pisax_model::time::parse_micros(text) {
        return micros;
    }
    pisax_model::time::parse_moment(text, now).unwrap_or(now + 1).saturating_mul(MICROS)
}

/// Narrows a range that another parameter gave.
pub(crate) fn narrow(range: &mut Option<Range>, by: Option<Range>) {
    let Some(by) = by else { return };
    let old = range.unwrap_or_default();
    let tighter = |a: Option<i64>, b: Option<i64>, pick: fn(i64, i64) -> i64| match (a, b) {
        (Some(a), Some(b)) => Some(pick(a, b)),
        (a, b) => a.or(b),
    };
    *range = Some(Range { from: tighter(old.from, by.from, i64::max), to: tighter(old.to, by.to, i64::min) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(or: &[&str], and: &[&str], not: &[&str]) -> Terms {
        let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
        Terms { or: own(or), and: own(and), not: own(not) }
    }

    #[test]
    fn terms_are_read_from_text_lists_and_groups() {
        for (value, expected) in [
            (json!("a"), of(&["a"], &[], &[])),
            (json!(" a && !b&&c "), of(&["a", "c"], &[], &["b"])),
            (json!(["a", "!b", 5, null, ""]), of(&["a", "5"], &[], &["b"])),
            (json!({"OR":["a"],"AND":"b","NOT":["!c"]}), of(&["a"], &["b"], &["!c"])),
            (json!({"0":"a","1":"!b"}), of(&["a"], &[], &["b"])),
            (json!("!"), of(&[], &[], &[])),
            (json!("%a%"), of(&["%a%"], &[], &[])),
        ] {
            assert_eq!(terms(&value), expected, "{value}");
        }
    }

    #[test]
    fn ipv6_is_shortened_and_other_values_are_left() {
        for (given, kept) in [
            ("2001:0DB8:0:0::1", "2001:db8::1"),
            ("2001:db8:0:0:0::/64", "2001:db8::/64"),
            ("192.0.2.1", "192.0.2.1"),
            ("a:b:c", "a:b:c"),
            ("http://[::1]/", "http://[::1]/"),
        ] {
            let mut item = given.to_owned();
            short_ipv6(&mut item);
            assert_eq!(item, kept);
        }
    }

    #[test]
    fn a_url_parameter_wins_over_the_body_and_zero_means_not_given() {
        let Value::Object(body) = json!({"type":"a","org":"x"}) else { unreachable!() };
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        let url = [pair("type", "b||!c"), pair("org", "null"), pair("tags", "tlp;red"), pair("limit", "0")];
        let params = Params::join(body, &url);
        assert_eq!(params.terms(&["type"]), of(&["b"], &[], &["c"]));
        assert_eq!(params.terms(&["org"]), of(&["x"], &[], &[]));
        assert_eq!(params.terms(&["tags"]), of(&["tlp:red"], &[], &[]));
        assert_eq!(params.count(&["limit"]), None);
    }
}
