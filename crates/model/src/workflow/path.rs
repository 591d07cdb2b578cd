//! Paths that pick from the data: those of MISP's filters, `Event._AttributeFlattened.{n}[type=/^ip-/].value`.
//!
//! Between points stand keys, `{n}` (every item of a list), `{s}` (every member of a map) and `{*}` (either). In
//! brackets behind them stands what has to hold of what was picked: `[key]` is there, `[key=value]`, `[key!=value]`,
//! `[key>1]`, `[key=/expression/i]`; several have to hold together.

use super::Data;
use regex::{Regex, RegexBuilder};
use std::cmp::Ordering;

/// Bytes an expression in a path may take once it is compiled.
const EXPRESSION: usize = 256 * 1024;

/// One step of a path.
#[derive(Debug, PartialEq, Eq)]
enum Token<'p> {
    Items,
    Members,
    Any,
    Key(&'p str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// What has to hold of a picked item.
#[derive(Debug)]
enum Condition<'p> {
    Has(&'p str),
    Compares(&'p str, Comparison, &'p str),
    Matches(&'p str, Regex),
    /// It is written wrongly: nothing is picked.
    Never,
}

impl Data {
    /// Everything a path picks (`Event.Tag.{n}.name`, `Event.Attribute.{n}[type=domain].value`). A path without
    /// choices picks the items of the list it leads to.
    pub fn pick(&self, path: &str) -> Vec<&Data> {
        if !path.contains(['{', '[']) {
            return match self.at(path) {
                None | Some(Self::Null) => Vec::new(),
                Some(Self::List(items)) => items.iter().collect(),
                Some(Self::Map(members)) => members.iter().map(|(_, value)| value).collect(),
                Some(one) => vec![one],
            };
        }
        let mut picked = vec![self];
        for step in steps(path) {
            let (token, conditions) = token(step);
            let mut next = Vec::new();
            for data in picked {
                match (&token, data) {
                    (Token::Items | Token::Any, Self::List(items)) => next.extend(items),
                    (Token::Members | Token::Any, Self::Map(members)) => {
                        next.extend(members.iter().map(|(_, value)| value));
                    }
                    (Token::Key(key), data) => next.extend(data.member(key)),
                    _ => {}
                }
            }
            if !conditions.is_empty() {
                next = next.into_iter().flat_map(|data| kept(data, &conditions)).collect();
            }
            picked = next;
        }
        picked
    }
}

/// A condition behind a key that leads to a list is one on its items.
fn kept<'d>(data: &'d Data, conditions: &[Condition<'_>]) -> Vec<&'d Data> {
    let all = |item: &Data| conditions.iter().all(|condition| condition.holds(item));
    match data {
        Data::List(items) => items.iter().filter(|item| all(item)).collect(),
        one if all(one) => vec![one],
        _ => Vec::new(),
    }
}

impl Condition<'_> {
    fn holds(&self, data: &Data) -> bool {
        let text = |key: &str| data.member(key).and_then(Data::text);
        match self {
            Self::Has(key) => data.member(key).is_some(),
            Self::Compares(key, comparison, value) => {
                // A yes or a no is compared by its word, too.
                let flag = |flag: &Data| match flag {
                    Data::Flag(on) if value.parse::<f64>().is_err() => Some(on.to_string()),
                    Data::Flag(on) => Some(i32::from(*on).to_string()),
                    _ => None,
                };
                let found = data.member(key).and_then(flag).or_else(|| text(key));
                found.is_some_and(|found| comparison.holds(&found, value))
            }
            Self::Matches(key, expression) => text(key).is_some_and(|text| expression.is_match(&text)),
            Self::Never => false,
        }
    }
}

impl Comparison {
    /// Numbers as numbers, everything else as text.
    fn holds(self, one: &str, other: &str) -> bool {
        let order = match (one.trim().parse::<f64>(), other.trim().parse::<f64>()) {
            (Ok(one), Ok(other)) => one.partial_cmp(&other),
            _ => Some(one.cmp(other)),
        };
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        }
    }
}

/// The steps of a path: between points that stand in no brackets.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    path.split(move |c| {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '.' && depth == 0
    })
    .filter(|step| !step.is_empty())
}

fn token(step: &str) -> (Token<'_>, Vec<Condition<'_>>) {
    let (name, rest) = step.find('[').map_or((step, ""), |at| step.split_at(at));
    let token = match name {
        "{n}" => Token::Items,
        "{s}" => Token::Members,
        "{*}" => Token::Any,
        key => Token::Key(key),
    };
    (token, conditions(rest))
}

/// `[key=value][other]`
fn conditions(text: &str) -> Vec<Condition<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some((condition, behind)) = condition(rest) else {
            found.push(Condition::Never);
            break;
        };
        found.push(condition);
        rest = behind;
    }
    found
}

/// The first condition, and what stands behind it.
fn condition(text: &str) -> Option<(Condition<'_>, &str)> {
    let inner = text.strip_prefix('[')?;
    let at = inner.find(['=', '!', '<', '>', ']'])?;
    let (key, rest) = inner.split_at(at);
    let key = key.trim();
    if let Some(behind) = rest.strip_prefix(']') {
        return (!key.is_empty()).then_some((Condition::Has(key), behind));
    }
    let signs = [
        ("!=", Comparison::NotEqual),
        (">=", Comparison::GreaterOrEqual),
        ("<=", Comparison::LessOrEqual),
        ("=", Comparison::Equal),
        (">", Comparison::Greater),
        ("<", Comparison::Less),
    ];
    let (sign, comparison) = *signs.iter().find(|(sign, _)| rest.starts_with(sign))?;
    let rest = rest[sign.len()..].trim_start();
    if let Some(expression) = rest.strip_prefix('/').filter(|_| comparison == Comparison::Equal) {
        // To the slash whose flags a bracket follows: an expression may have brackets itself.
        let end = expression.match_indices('/').find_map(|(at, _)| {
            let (flags, behind) = expression[at + 1..].split_once(']')?;
            flags.bytes().all(|b| b.is_ascii_alphabetic()).then_some((at, flags, behind))
        });
        let (at, flags, behind) = end?;
        let condition = compiled(&expression[..at], flags)
            .map_or(Condition::Never, |expression| Condition::Matches(key, expression));
        return Some((condition, behind));
    }
    let (value, behind) = rest.split_once(']')?;
    Some((Condition::Compares(key, comparison, value.trim()), behind))
}

/// Expressions are of a kind that takes no longer than the text is long, without looking around or back.
fn compiled(expression: &str, flags: &str) -> Option<Regex> {
    RegexBuilder::new(expression)
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains('m'))
        .dot_matches_new_line(flags.contains('s'))
        .ignore_whitespace(flags.contains('x'))
        .size_limit(EXPRESSION)
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Data {
        let attribute = |id: i64, kind: &str, value: &str, to_ids: bool| {
            let (kind, value) = (kind.into(), value.into());
            Data::map([("id", id.into()), ("type", kind), ("value", value), ("to_ids", to_ids.into())])
        };
        let tag = |name: &str| Data::map([("name", name.into())]);
        Data::map([(
            "Event",
            Data::map([
                ("info", "An event".into()),
                ("Tag", Data::List(vec![tag("tlp:red"), tag("pap:green")])),
                (
                    "Attribute",
                    Data::List(vec![
                        attribute(9, "domain", "a.example", true),
                        attribute(10, "ip-src", "192.0.2.1", false),
                        attribute(11, "ip-dst", "198.51.100.1", true),
                    ]),
                ),
            ]),
        )])
    }

    fn texts(path: &str) -> Vec<String> {
        event().pick(path).into_iter().filter_map(Data::text).collect()
    }

    #[test]
    fn a_path_picks_what_it_names() {
        assert_eq!(texts("Event.Tag.{n}.name"), ["tlp:red", "pap:green"]);
        assert_eq!(texts("Event.Attribute.{n}[type=domain].value"), ["a.example"]);
        assert_eq!(texts("Event.Attribute[value=192.0.2.1].type"), ["ip-src"]);
        assert_eq!(texts("Event.Attribute.{*}.type"), ["domain", "ip-src", "ip-dst"]);
        assert_eq!(texts("Event.Tag.1.name"), ["pap:green"]);
        assert_eq!(texts("Event.info"), ["An event"]);
        assert_eq!(event().pick("Event.Attribute").len(), 3);
        for nothing in [
            "",
            ".",
            "Event.Nothing.{n}",
            "Event.info.{n}",
            "{n}",
            "Event.Tag.{s}.name",
            "Event.Tag.{n}[",
            "[[[",
            "{x}.y",
            "Event.Tag.{n}[name=/(/]",
            "Event.Tag.{n}[=x]",
        ] {
            assert!(texts(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn conditions_compare_and_match() {
        for (condition, ids) in [
            ("[id>9]", &["10", "11"][..]),
            ("[id<=10]", &["9", "10"]),
            ("[id!=10]", &["9", "11"]),
            ("[id>=10][type=ip-dst]", &["11"]),
            ("[to_ids=1]", &["9", "11"]),
            ("[to_ids=false]", &["10"]),
            ("[type=/^IP-/i]", &["10", "11"]),
            ("[value=/[.][0-9]+$/]", &["10", "11"]),
            ("[value][type=/^d/]", &["9"]),
            ("[comment]", &[]),
        ] {
            assert_eq!(texts(&format!("Event.Attribute.{{n}}{condition}.id")), ids, "{condition}");
        }
    }
}
