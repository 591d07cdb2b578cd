//! Conditions of nodes, as MISP's modules of these names decide.

use pisax_model::workflow::condition::compare;
use pisax_model::workflow::{Data, Filter, Node, Operator, module};

/// Whether the condition of a node holds for the data; an error says what cannot be decided.
pub(super) fn holds(node: &Node, data: &Data) -> Result<bool, String> {
    match node.module.as_str() {
        "generic-if" => {
            let (operator, value) = asked(node)?;
            Ok(operator.holds(&data.pick(&node.text("hash_path")), &value))
        }
        "tag-if" => {
            let operator = operator(&node.text("condition"))?;
            let path = match node.text("scope").as_str() {
                "attribute" => "Event._AttributeFlattened.{n}.Tag.{n}.name",
                "event_attribute" => "Event._AttributeFlattened.{n}._allTags.{n}.name",
                _ => "Event.Tag.{n}.name",
            };
            let clusters =
                node.param("clusters").texts().into_iter().map(|name| format!("misp-galaxy:{name}"));
            let wanted = node.param("tags").texts().into_iter().chain(clusters).map(Data::Text).collect();
            Ok(operator.holds(&data.pick(path), &Data::List(wanted)))
        }
        "organisation-if" => {
            let path = if node.text("org_type") == "org" { "Event.org_id" } else { "Event.orgc_id" };
            let org = data.at(path).and_then(Data::text).ok_or("the data has no event")?;
            let among = node.param("org_id").texts().contains(&org);
            match node.text("condition").as_str() {
                "in" | "equals" => Ok(among),
                "not_in" | "not_equals" => Ok(!among),
                other => Err(unknown(other)),
            }
        }
        "published-if" => {
            let published = data.at("Event.published").is_some_and(|p| p.is_like(&Data::Flag(true)));
            match node.text("condition").as_str() {
                "equals" => Ok(published),
                "not_equals" => Ok(!published),
                other => Err(unknown(other)),
            }
        }
        "threat-level-if" => {
            let level = number(data, "Event.threat_level_id")?;
            let wanted = whole(&node.text("threatlevel"))?;
            // 1 is the highest.
            let operator = match node.text("condition").as_str() {
                "greater_or_equal_than" => "less_equals".to_owned(),
                "less_or_equal_than" => "greater_equals".to_owned(),
                other => other.to_owned(),
            };
            compare(&operator, level, wanted).ok_or_else(|| unknown(&operator))
        }
        "count-if" => {
            let count = data.pick(&node.text("selector")).len() as i64;
            let operator = node.text("operator");
            compare(&operator, count, whole(&node.text("value"))?).ok_or_else(|| unknown(&operator))
        }
        "distribution-if" => distribution(node, data),
        other => Err(format!("nothing is known of `{other}`")),
    }
}

/// Whether a trigger goes on with the data: that of attached tags can be about some of them.
pub(super) fn begins(node: &Node, data: &Data) -> bool {
    if node.module != module::TAG_ATTACHED_AFTER_SAVE {
        return true;
    }
    let filled = |path: &str| data.at(path).is_some_and(Data::is_filled);
    let right = |asked: &str, one: &str, holds: bool, other: &str| match asked {
        asked if asked == one => holds,
        asked if asked == other => !holds,
        _ => true,
    };
    let name = node.text("tag");
    right(&node.text("scope"), "attribute", filled("Tag.attribute_id"), "event")
        && right(&node.text("locality"), "local", filled("Tag.local"), "global")
        && (name.is_empty() || data.at("Tag.name").and_then(Data::text).is_some_and(|tag| tag == name))
}

/// The filter that a node adds.
pub(super) fn filter(node: &Node) -> Result<Filter, String> {
    let (operator, value) = asked(node)?;
    Ok(Filter { selector: node.text("selector"), path: node.text("hash_path"), operator, value })
}

/// The operator of a generic module, with the value or the values it is about.
fn asked(node: &Node) -> Result<(Operator, Data), String> {
    let operator = operator(&node.text("operator"))?;
    let value = match operator {
        Operator::InOr => Data::List(node.param("value_list").texts().into_iter().map(Data::Text).collect()),
        _ => node.param("value"),
    };
    Ok((operator, value))
}

fn operator(name: &str) -> Result<Operator, String> {
    Operator::parse(name).ok_or_else(|| unknown(name))
}

fn unknown(operator: &str) -> String {
    format!("the operator `{operator}` is unknown")
}

fn whole(text: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_| format!("`{text}` is no number"))
}

fn number(data: &Data, path: &str) -> Result<i64, String> {
    let text = data.at(path).and_then(Data::text).ok_or_else(|| format!("the data has no {path}"))?;
    whole(&text)
}

/// How far the event travels, or its first attribute, which travels no further than what it is in.
fn distribution(node: &Node, data: &Data) -> Result<bool, String> {
    let mut levels = vec![number(data, "Event.distribution")?];
    let mut groups: Vec<String> = Vec::new();
    let mut group = |path: &str| groups.extend(data.at(path).and_then(Data::text));
    if levels[0] == 4 {
        group("Event.sharing_group_id");
    }
    if node.text("scope") == "attribute" && data.at("Event._AttributeFlattened.0").is_some() {
        let level = number(data, "Event._AttributeFlattened.0.distribution")?;
        if level == 4 {
            group("Event._AttributeFlattened.0.sharing_group_id");
        }
        levels.push(level);
    }
    let level = match &levels[..] {
        all if all.contains(&0) => 0,
        all if all.contains(&4) => 4,
        all => all.iter().copied().min().unwrap_or(0),
    };
    let wanted = whole(&node.text("distribution"))?;
    let condition = node.text("condition");
    if wanted == 4 {
        let chosen = node.param("sharing_group_id").texts();
        let inside = groups.iter().filter(|group| chosen.contains(group)).count();
        return match condition.as_str() {
            "equals" if chosen.is_empty() => Ok(!groups.is_empty()),
            "equals" => Ok(!groups.is_empty() && inside == groups.len()),
            "not_equals" if chosen.is_empty() => Ok(groups.is_empty()),
            "not_equals" => Ok(inside == 0),
            other => Err(format!("{}, for a sharing group", unknown(other))),
        };
    }
    match condition.as_str() {
        "equals" => Ok(level == wanted),
        "not_equals" => Ok(level != wanted),
        "more_restrictive_or_equal_than" => Ok(level <= wanted),
        "more_permisive_or_equal_than" => Ok((wanted..=3).contains(&level)),
        other => Err(unknown(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(module: &str, params: &[(&str, Data)]) -> Node {
        let params = params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Node { id: 1, module: module.into(), params, ..Node::default() }
    }

    fn list(texts: &[&str]) -> Data {
        Data::List(texts.iter().map(|text| Data::from(*text)).collect())
    }

    fn event() -> Data {
        let tag = |name: &str| Data::map([("name", name.into())]);
        let attribute = Data::map([
            ("distribution", 1.into()),
            ("Tag", Data::List(vec![tag("on the attribute")])),
            ("_allTags", Data::List(vec![tag("on the attribute"), tag("tlp:red")])),
        ]);
        let event = Data::map([
            ("orgc_id", 7.into()),
            ("org_id", 8.into()),
            ("published", false.into()),
            ("threat_level_id", 2.into()),
            ("distribution", 3.into()),
            ("Tag", Data::List(vec![tag("tlp:red")])),
            ("_AttributeFlattened", Data::List(vec![attribute])),
        ]);
        Data::map([("Event", event)])
    }

    fn check(module: &str, params: &[(&str, Data)]) -> bool {
        holds(&node(module, params), &event()).unwrap()
    }

    #[test]
    fn conditions_decide_as_in_misp() {
        let path = ("hash_path", Data::from("Event.Tag.{n}.name"));
        assert!(check("generic-if", &[path.clone(), ("value", "tlp:red".into())]));
        assert!(!check(
            "generic-if",
            &[path.clone(), ("operator", "not_in".into()), ("value", "tlp:red".into())]
        ));
        let several = ("value_list", list(&["a", "tlp:red"]));
        assert!(check("generic-if", &[path, ("operator", "in_or".into()), several]));
        assert!(check("tag-if", &[("tags", list(&["tlp:red"]))]));
        assert!(!check("tag-if", &[("tags", list(&["tlp:red"])), ("scope", "attribute".into())]));
        assert!(check("tag-if", &[("tags", list(&["tlp:red"])), ("scope", "event_attribute".into())]));
        assert!(check("organisation-if", &[("org_id", list(&["7"]))]));
        assert!(check(
            "organisation-if",
            &[("org_id", list(&["7"])), ("org_type", "org".into()), ("condition", "not_in".into())]
        ));
        assert!(check("published-if", &[("condition", "not_equals".into())]));
        let level = |condition: &str, level: &str| {
            check("threat-level-if", &[("condition", condition.into()), ("threatlevel", level.into())])
        };
        assert!(level("greater_or_equal_than", "3") && level("greater_or_equal_than", "2"));
        assert!(!level("greater_or_equal_than", "1") && level("less_or_equal_than", "1"));
        let count = |operator: &str, value: &str| {
            let selector = ("selector", Data::from("Event.Tag.{n}"));
            check("count-if", &[selector, ("operator", operator.into()), ("value", value.into())])
        };
        assert!(count("equals", "1") && count("less", "2") && !count("greater", "1"));
    }

    #[test]
    fn an_attribute_travels_no_further_than_its_event() {
        let far = |scope: &str, condition: &str, wanted: &str| {
            let params = [
                ("scope", scope.into()),
                ("condition", condition.into()),
                ("distribution", Data::from(wanted)),
            ];
            check("distribution-if", &params)
        };
        assert!(far("event", "equals", "3") && far("attribute", "equals", "1"));
        assert!(far("attribute", "more_restrictive_or_equal_than", "2"));
        assert!(far("event", "more_permisive_or_equal_than", "2") && !far("event", "equals", "4"));
    }

    #[test]
    fn what_cannot_be_decided_is_said() {
        let error = |module: &str, params: &[(&str, Data)], data: &Data| {
            holds(&node(module, params), data).unwrap_err()
        };
        assert!(error("generic-if", &[("operator", "sounds".into())], &event()).contains("sounds"));
        assert!(error("count-if", &[("value", "many".into())], &event()).contains("many"));
        assert!(error("threat-level-if", &[], &Data::Null).contains("Event.threat_level_id"));
    }
}
