//! `/attributes/deleteSelected` and `/attributes/editSelected`: one change to several attributes of an event.

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::reply::{document, saved};
use crate::request::{Request, flag, number, text};
use pisax_model::attribute::AttributeDraft;
use pisax_model::ids::Ref;
use pisax_model::tag::TagDraft;
use pisax_service::attribute::{Chosen, edit_many, remove_many};
use pisax_service::{Error, proposal};
use pisax_wire::answer as body;
use serde_json::Value;

/// Numbers in a list, alone, or in a JSON text, as MISP's pages send them.
fn numbers(value: Option<&Value>) -> Vec<i64> {
    match value {
        Some(Value::Array(items)) => items.iter().flat_map(|item| numbers(Some(item))).collect(),
        Some(Value::Object(items)) => items.values().flat_map(|item| numbers(Some(item))).collect(),
        Some(Value::Number(number)) => number.as_i64().into_iter().collect(),
        Some(Value::String(text)) => match text.trim().parse() {
            Ok(number) => vec![number],
            // Text in text in text is none of ours: one level.
            Err(_) => match serde_json::from_str::<Value>(text) {
                Ok(Value::Array(items)) => items
                    .iter()
                    .filter_map(|i| i.as_i64().or_else(|| i.as_str().and_then(|t| t.trim().parse().ok())))
                    .collect(),
                _ => Vec::new(),
            },
        },
        _ => Vec::new(),
    }
}

fn event_of(request: &Request, sent: &Value) -> Result<Ref, Failure> {
    let named = request.path.arg(0).map(str::to_owned).or_else(|| text(sent, "event_id"));
    let named = named.filter(|n| !matches!(n.as_str(), "0" | "false" | ""));
    let named = named.ok_or_else(|| Failure::NotAllowed("No event ID set.".into()))?;
    Ref::parse(&named).ok_or(Failure::NotFound(body::INVALID_EVENT))
}

/// POST /attributes/deleteSelected/{event}[/1] `{"id":[…]|"all", "event_id":…}`
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Attribute")?;
    let event = event_of(request, &sent)?;
    let hard = request.path.arg(1).is_some_and(|a| a == "1" || a == "true")
        || flag(&sent, "allow_hard_delete").unwrap_or(false);
    let given = sent.get("id").or_else(|| sent.get("ids_delete")).unwrap_or(&sent);
    let chosen = match given.as_str() {
        Some("all") => Chosen::All,
        _ => Chosen::These(numbers(Some(given))),
    };
    let none = || Failure::NotFound("No matching attributes found.");
    let wanted = match &chosen {
        Chosen::These(ids) if ids.is_empty() => return Err(none()),
        Chosen::These(ids) => Some(ids.len()),
        Chosen::All => None,
    };
    let done = remove_many(&request.service, &request.actor, event, &chosen, hard).map_err(|e| match e {
        Error::NotFound("attribute") => none(),
        other => other.into(),
    })?;
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    let failed = wanted.unwrap_or(done).saturating_sub(done);
    if failed > 0 {
        let reason = format!(
            "{done} attribute{} deleted, but {failed} attribute{} could not be deleted.",
            plural(done),
            plural(failed)
        );
        return Err(Failure::NotSaved { action: "deleteSelected", model: "Attributes", reason, id: None });
    }
    Ok(saved(request, &format!("{done} attribute{} deleted.", plural(done))))
}

/// POST /attributes/editSelected/{event}: `attribute_ids` and what they get; MISP's pages send 2 for flags and 6
/// for a distribution that stay. With `is_proposal` the change is proposed.
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("Attribute")?;
    let event = event_of(request, &sent)?;
    let ids = numbers(sent.get("attribute_ids"));
    let kept = |name: &str| number(&sent, name).is_none_or(|code| code == 2);
    let (adds, removes) = (numbers(sent.get("tags_ids_add")), numbers(sent.get("tags_ids_remove")));
    let (gathers, scatters) =
        (numbers(sent.get("clusters_ids_add")), numbers(sent.get("clusters_ids_remove")));
    let tags = request.service.read(&request.actor, |r| {
        let mut drafts = Vec::new();
        for (ids, gone) in [(&adds, false), (&removes, true)] {
            for id in ids {
                let name = r.tag(*id)?.map(|tag| tag.name);
                drafts.extend(name.map(|name| TagDraft { name, deleted: Some(gone), ..TagDraft::default() }));
            }
        }
        // Clusters are attached by their tags.
        for (ids, gone) in [(&gathers, false), (&scatters, true)] {
            for cluster in r.clusters_by_ids(ids)? {
                let name = cluster.tag_name;
                drafts.push(TagDraft { name, deleted: Some(gone), ..TagDraft::default() });
            }
        }
        Ok(drafts)
    })?;
    let switched = |name: &str| if kept(name) { None } else { flag(&sent, name) };
    let draft = AttributeDraft {
        to_ids: switched("to_ids"),
        disable_correlation: switched("disable_correlation"),
        distribution: number(&sent, "distribution").filter(|code| *code != 6),
        sharing_group: text(&sent, "sharing_group_id").and_then(|t| Ref::parse(&t)),
        comment: text(&sent, "comment").filter(|c| !c.is_empty()),
        tags,
        ..AttributeDraft::default()
    };
    if flag(&sent, "is_proposal").unwrap_or(false) {
        crate::events::find(request, event)?;
        for id in ids {
            let draft = AttributeDraft { tags: Vec::new(), ..draft.clone() };
            proposal::change(&request.service, &request.actor, Ref::Id(id), draft)?;
        }
    } else {
        edit_many(&request.service, &request.actor, event, &Chosen::These(ids), &draft)
            .saving("edit", "Attribute")?;
    }
    Ok(document(|w| {
        w.begin_object();
        w.key("saved");
        w.bool(true);
        w.end_object();
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_read_however_they_are_sent() {
        for value in [json!([1, "2"]), json!("[1,\"2\"]"), json!({"0": 1, "3": "2"}), json!("[\"1\", 2]")] {
            assert_eq!(numbers(Some(&value)), [1, 2], "{value}");
        }
        assert_eq!(numbers(Some(&json!("7"))), [7]);
        assert!(numbers(Some(&json!("all"))).is_empty() && numbers(None).is_empty());
    }
}
