//! Rules: AND, OR and NOT over named facts. Users filter alerts with them, blueprints choose organisations.

/// A rule, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    All(Vec<Rule>),
    Any(Vec<Rule>),
    None(Vec<Rule>),
    /// The field has one of these values.
    Is {
        field: String,
        values: Vec<String>,
    },
}

impl Rule {
    /// Whether the rule holds, given what is so: whether a field has a value.
    pub fn holds(&self, is: &dyn Fn(&str, &str) -> bool) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(is)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(is)),
            Self::None(parts) => !parts.iter().any(|part| part.holds(is)),
            Self::Is { field, values } => values.iter().any(|value| is(field, value)),
        }
    }

    /// Every field that the rule asks for.
    pub fn fields(&self) -> Vec<&str> {
        match self {
            Self::All(parts) | Self::Any(parts) | Self::None(parts) => {
                parts.iter().flat_map(Self::fields).collect()
            }
            Self::Is { field, .. } => vec![field],
        }
    }
}

/// Whether a text is the one that is wanted, whatever its case; `%` around the wanted one: contains it.
pub fn is_like(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (text.to_lowercase(), wanted.to_lowercase());
    match wanted.strip_prefix('%').and_then(|w| w.strip_suffix('%')) {
        Some(part) => text.contains(part),
        None => text == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rules() -> impl Strategy<Value = Rule> {
        let leaf = ("[ab]", prop::collection::vec("%?[xyz]{0,2}%?", 0..3))
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
        fn what_is_said_of_the_parts_holds_for_the_whole(
            parts in prop::collection::vec(rules(), 0..4),
            facts in prop::collection::vec(("[ab]", "[xyzXYZ]{1,3}"), 0..4),
        ) {
            let fact = |field: &str, wanted: &str| facts.iter().any(|(f, text)| f == field && is_like(text, wanted));
            let each: Vec<bool> = parts.iter().map(|part| part.holds(&fact)).collect();
            prop_assert_eq!(Rule::All(parts.clone()).holds(&fact), !each.contains(&false));
            prop_assert_eq!(Rule::Any(parts.clone()).holds(&fact), each.contains(&true));
            prop_assert_eq!(Rule::None(parts.clone()).holds(&fact), !each.contains(&true));
            let not = Rule::None(vec![Rule::None(parts.clone())]);
            prop_assert_eq!(not.holds(&fact), each.contains(&true), "none of none is any");
        }

        #[test]
        fn percent_signs_around_ask_for_a_part_and_case_is_no_matter(
            before in "[a-zA-Z:]{0,4}", part in "[a-zA-Z:]{0,4}", after in "[a-zA-Z:]{0,4}",
        ) {
            let text = format!("{before}{part}{after}");
            let around = format!("%{}%", part.to_uppercase());
            prop_assert!(is_like(&text, &around), "{text} {around}");
            prop_assert!(is_like(&text, &text.to_lowercase()));
            prop_assert_eq!(is_like(&text, &part), text.eq_ignore_ascii_case(&part));
        }
    }

    fn is(field: &str, values: &[&str]) -> Rule {
        Rule::Is { field: field.into(), values: values.iter().map(|v| (*v).to_owned()).collect() }
    }

    #[test]
    fn a_rule_is_as_true_as_its_parts() {
        let fact = |field: &str, value: &str| field == "tag" && is_like("tlp:green", value);
        assert!(is("tag", &["x", "TLP:Green"]).holds(&fact));
        assert!(is("tag", &["%green%"]).holds(&fact));
        assert!(!is("tag", &["%green"]).holds(&fact));
        assert!(!is("org", &["tlp:green"]).holds(&fact));
        let (yes, no) = (is("tag", &["tlp:green"]), is("tag", &["tlp:red"]));
        assert!(Rule::Any(vec![no.clone(), yes.clone()]).holds(&fact));
        assert!(!Rule::All(vec![no.clone(), yes.clone()]).holds(&fact));
        assert!(Rule::None(vec![no.clone()]).holds(&fact));
        assert!(!Rule::None(vec![no, yes.clone()]).holds(&fact));
        assert!(Rule::All(vec![]).holds(&fact) && !Rule::Any(vec![]).holds(&fact));
        assert_eq!(Rule::All(vec![yes]).fields(), ["tag"]);
    }
}
