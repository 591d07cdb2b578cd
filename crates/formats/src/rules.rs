//! Rules as MISP keeps them: JSON of `AND`, `OR`, `NOT` and fields with one value or a list.

use pisax_model::rule::Rule;
use serde_json::Value;

/// How the parts at the top belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Top {
    And,
    Or,
}

/// Reads a rule; the error says what would be right.
pub fn read(json: &str, top: Top) -> Result<Rule, &'static str> {
    let value: Value = serde_json::from_str(json).map_err(|_| "Invalid JSON.")?;
    let parts = parts(&value)?;
    Ok(match top {
        Top::And => Rule::All(parts),
        Top::Or => Rule::Any(parts),
    })
}

fn parts(value: &Value) -> Result<Vec<Rule>, &'static str> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => {
            let each = items.iter().map(|item| Ok(Rule::All(parts(item)?)));
            each.collect()
        }
        Value::Object(members) => members.iter().map(|(key, value)| part(key, value)).collect(),
        _ => Err("Expected AND, OR, NOT or a field with its values."),
    }
}

fn part(key: &str, value: &Value) -> Result<Rule, &'static str> {
    // A list with gaps comes with numbers for keys.
    let numbered = !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit());
    match key {
        "AND" => Ok(Rule::All(parts(value)?)),
        "OR" => Ok(Rule::Any(parts(value)?)),
        "NOT" => Ok(Rule::None(parts(value)?)),
        _ if numbered => Ok(Rule::All(parts(value)?)),
        field => Ok(Rule::Is { field: field.to_owned(), values: values(value)? }),
    }
}

fn values(value: &Value) -> Result<Vec<String>, &'static str> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(i64::from(*flag).to_string()),
        _ => Err("A field has one value or a list of them."),
    };
    match value {
        Value::Array(items) => items.iter().map(text).collect(),
        Value::Object(items) => items.values().map(text).collect(),
        one => Ok(vec![text(one)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(rule: &Rule) -> String {
        let list = |parts: &[Rule]| parts.iter().map(written).collect::<Vec<_>>().join(",");
        match rule {
            Rule::All(parts) => format!(r#"{{"AND":[{}]}}"#, list(parts)),
            Rule::Any(parts) => format!(r#"{{"OR":[{}]}}"#, list(parts)),
            Rule::None(parts) => format!(r#"{{"NOT":[{}]}}"#, list(parts)),
            Rule::Is { field, values } => {
                Value::from_iter([(field.clone(), Value::from(values.clone()))]).to_string()
            }
        }
    }

    fn rule() -> impl Strategy<Value = Rule> {
        let leaf = ("(Event)?Tag\\.name|Orgc\\.(name|uuid)", prop::collection::vec("%?\\PC{0,6}%?", 0..3))
            .prop_map(|(field, values)| Rule::Is { field, values });
        leaf.prop_recursive(4, 32, 4, |inner| {
            let parts = || prop::collection::vec(inner.clone(), 0..4);
            prop_oneof![
                parts().prop_map(Rule::All),
                parts().prop_map(Rule::Any),
                parts().prop_map(Rule::None)
            ]
        })
    }

    proptest! {
        #[test]
        fn a_nested_rule_means_what_was_written(
            rule in rule(),
            facts in prop::collection::vec("\\PC{0,6}", 0..4),
        ) {
            let read = read(&written(&rule), Top::And).unwrap();
            let fact = |_: &str, wanted: &str| facts.iter().any(|text| pisax_model::rule::is_like(text, wanted));
            prop_assert_eq!(read.holds(&fact), rule.holds(&fact));
            let mut fields = read.fields();
            fields.dedup();
            let mut expected = rule.fields();
            expected.dedup();
            prop_assert_eq!(fields, expected);
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,40}|[\\[\\]{}\":,a-zANDOT0-9]{0,40}") {
            let _ = read(&text, Top::And);
        }
    }

    fn is(field: &str, values: &[&str]) -> Rule {
        Rule::Is { field: field.into(), values: values.iter().map(|v| (*v).to_owned()).collect() }
    }

    #[test]
    fn rules_are_read_in_every_form_clients_send() {
        assert_eq!(read(r#"{"Tag.name":"x"}"#, Top::And), Ok(Rule::All(vec![is("Tag.name", &["x"])])));
        let nested =
            r#"{"AND":{"NOT":{"EventTag.name":["%osint%"]},"OR":{"Tag.name":["a","b"],"Orgc.id":3}}}"#;
        let expected = Rule::All(vec![Rule::All(vec![
            Rule::None(vec![is("EventTag.name", &["%osint%"])]),
            Rule::Any(vec![is("Tag.name", &["a", "b"]), is("Orgc.id", &["3"])]),
        ])]);
        assert_eq!(read(nested, Top::And), Ok(expected));
        assert_eq!(read("[]", Top::And), Ok(Rule::All(vec![])), "no rule is no restriction");
        assert_eq!(read("{}", Top::Or), Ok(Rule::Any(vec![])), "and chooses nobody");
        let list = r#"[{"org_name":"A"},{"org_name":"B"}]"#;
        let each = |name| Rule::All(vec![is("org_name", &[name])]);
        assert_eq!(read(list, Top::Or), Ok(Rule::Any(vec![each("A"), each("B")])));
        for bad in ["", "7", r#""x""#, r#"{"Tag.name":{"a":[1]}}"#, r#"{"Tag.name":[["x"]]}"#] {
            assert!(read(bad, Top::And).is_err(), "{bad}");
        }
    }
}
