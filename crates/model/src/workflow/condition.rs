//! Conditions: what a value is held against, in MISP's operators.

use super::Data;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    In,
    NotIn,
    Equals,
    NotEquals,
    AnyValue,
    InOr,
    InAnd,
    NotInOr,
    NotInAnd,
}

impl Operator {
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "in" => Self::In,
            "not_in" => Self::NotIn,
            "equals" => Self::Equals,
            "not_equals" => Self::NotEquals,
            "any_value" => Self::AnyValue,
            "in_or" => Self::InOr,
            "in_and" => Self::InAnd,
            "not_in_or" => Self::NotInOr,
            "not_in_and" => Self::NotInAnd,
            _ => return None,
        })
    }

    /// Holds what was picked against one value or several.
    pub fn holds(self, picked: &[&Data], wanted: &Data) -> bool {
        let several = match wanted {
            Data::List(items) => items.iter().collect(),
            one => vec![one],
        };
        let has = |wanted: &Data| picked.iter().any(|data| data.is_like(wanted));
        let first = || picked.first().is_some_and(|data| data.is_like(wanted));
        match self {
            Self::In => has(wanted),
            Self::NotIn => !has(wanted),
            Self::Equals => first(),
            Self::NotEquals => !first(),
            Self::AnyValue => picked.iter().any(|data| data.is_filled() || data.is_scalar()),
            Self::InOr => several.into_iter().any(has),
            Self::InAnd => several.into_iter().all(has),
            Self::NotInOr => !several.into_iter().any(has),
            Self::NotInAnd => !several.into_iter().all(has),
        }
    }
}

/// What is left of a list: the items of which a part holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The list.
    pub selector: String,
    /// The part of an item.
    pub path: String,
    pub operator: Operator,
    pub value: Data,
}

impl Filter {
    pub fn keeps(&self, item: &Data) -> bool {
        let picked = if self.path.is_empty() { vec![item] } else { item.pick(&self.path) };
        self.operator.holds(&picked, &self.value)
    }

    /// The items that are kept.
    pub fn among<'d>(&self, data: &'d Data) -> Vec<&'d Data> {
        data.pick(&self.selector).into_iter().filter(|item| self.keeps(item)).collect()
    }

    /// The data with nothing in the list but what is kept.
    pub fn apply(&self, data: &mut Data) {
        let list = self.selector.strip_suffix(".{n}").unwrap_or(&self.selector).to_owned();
        let kept = self.among(data).into_iter().cloned().collect();
        data.put_at(&list, Data::List(kept));
    }
}

/// Compares a count, or a level, in MISP's operators; `None`: no such operator.
pub fn compare(operator: &str, number: i64, with: i64) -> Option<bool> {
    Some(match operator {
        "equals" => number == with,
        "not_equals" => number != with,
        "greater" => number > with,
        "greater_equals" => number >= with,
        "less" => number < with,
        "less_equals" => number <= with,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_mean_what_misp_means() {
        let (red, green) = (Data::from("tlp:red"), Data::from("tlp:green"));
        let both = Data::List(vec![red.clone(), green.clone()]);
        let table: &[(&str, &[&Data], &Data, bool)] = &[
            ("in", &[&red], &red, true),
            ("in", &[&green], &red, false),
            ("not_in", &[&green], &red, true),
            ("not_in", &[], &red, true),
            ("equals", &[&red], &red, true),
            ("equals", &[], &red, false),
            ("not_equals", &[&green], &red, true),
            ("any_value", &[&green], &red, true),
            ("any_value", &[], &red, false),
            ("in_or", &[&green], &both, true),
            ("in_or", &[], &both, false),
            ("in_and", &[&green], &both, false),
            ("in_and", &[&green, &red], &both, true),
            ("not_in_or", &[&green], &both, false),
            ("not_in_or", &[], &both, true),
            ("not_in_and", &[&green], &both, true),
            ("not_in_and", &[&green, &red], &both, false),
        ];
        for (name, picked, wanted, holds) in table {
            let operator = Operator::parse(name).unwrap();
            assert_eq!(operator.holds(picked, wanted), *holds, "{name} {picked:?}");
        }
        assert!(Operator::parse("sounds_like").is_none());
    }

    #[test]
    fn a_filter_leaves_the_items_that_hold() {
        let item = |kind: &str| Data::map([("type", kind.into())]);
        let mut data = Data::map([("list", Data::List(vec![item("domain"), item("url")]))]);
        let filter = Filter {
            selector: "list.{n}".into(),
            path: "type".into(),
            operator: Operator::Equals,
            value: "url".into(),
        };
        filter.apply(&mut data);
        assert_eq!(data.pick("list.{n}"), [&item("url")]);
    }

    #[test]
    fn counts_are_compared() {
        for (operator, holds) in [
            ("equals", false),
            ("not_equals", true),
            ("greater", true),
            ("less", false),
            ("less_equals", false),
        ] {
            assert_eq!(compare(operator, 3, 2), Some(holds), "{operator}");
        }
        assert_eq!(compare("about", 3, 2), None);
    }
}
