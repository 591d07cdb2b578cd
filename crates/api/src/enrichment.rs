//! Enrichment modules: `/modules/…`, `/events/enrichEvent`, `/attributes/enrich`, and their settings.
//!
//! Modules may take their time: whoever waits for them holds no database connection.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{self, flag_member, member};
use crate::request::{Request, flag};
use pisax_model::ids::Ref;
use pisax_service::Error;
use pisax_service::enrichment::{self as service, Failed, Plugin, Sent, Target, setting};
use pisax_service::setting::Value as Setting;
use pisax_wire::JsonWriter;
use pisax_wire::answer as body;
use serde_json::{Map, Value, json};

/// MISP says no to what cannot be asked with 405.
impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Other(error) => error.into(),
            Failed::Unreachable(ref why) => {
                tracing::warn!(%why, "the module server");
                Self::NotAllowed(failed.to_string())
            }
            Failed::Off | Failed::NoModule => Self::NotAllowed(failed.to_string()),
        }
    }
}

/// An answer that modules are waited for; what fails is told in it, as MISP does.
fn later(make: impl FnOnce() -> Result<Value, Failed> + Send + 'static) -> Answer {
    Answer::waiting(move || {
        let value = make().unwrap_or_else(|failed| {
            tracing::info!(%failed, "enrichment");
            json!({ "error": said(&failed) })
        });
        Ok(Answer::json(value.to_string().into_bytes()))
    })
}

/// What a client is told; what went wrong inside is for the log.
fn said(failed: &Failed) -> String {
    match failed {
        Failed::Other(Error::Store(error)) => {
            tracing::error!(%error, "enrichment");
            "An Internal Error Has Occurred.".to_owned()
        }
        other => other.to_string(),
    }
}

/// GET /modules/index[/{kind}]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let (own, actor) = (std::sync::Arc::clone(&request.service), request.actor.clone());
    let kind = request.path.arg(0).map(str::to_ascii_lowercase);
    Ok(later(move || {
        let modules = match service::modules(&own, &actor, &Plugin::load(&own)?) {
            Ok(modules) => modules,
            Err(Failed::Off | Failed::Unreachable(_)) => Vec::new(),
            Err(other) => return Err(other),
        };
        let shown = modules.into_iter().filter(|module| kind.as_deref().is_none_or(|kind| module.is(kind)));
        let list: Vec<Value> = shown.map(|module| module.listed).collect();
        Ok(match list.is_empty() {
            true => json!({ "error": "Something went wrong, no response from misp_modules." }),
            false => list.into(),
        })
    }))
}

/// POST /modules/queryEnrichment `{"module": NAME, …}`: the module's own answer.
pub(crate) fn query(request: &Request) -> Result<Answer, Failure> {
    let sent = Sent::read(&request.body).ok_or(Failure::BadJson)?;
    if sent.module().is_empty() {
        let words = "No module chosen. The request body has to have the module key set.";
        return Err(Failure::NotAllowed(words.into()));
    }
    let (own, actor) = (std::sync::Arc::clone(&request.service), request.actor.clone());
    Ok(later(move || Ok(service::relay(&own, &actor, &sent)?.0)))
}

/// POST /events/queryEnrichment/{attribute}/{module}: the module's answer about a stored attribute, which stays
/// as it is.
pub(crate) fn try_out(request: &Request) -> Result<Answer, Failure> {
    let reference = visible_attribute(request)?;
    let module = request.path.arg(1).unwrap_or_default().to_owned();
    let (own, actor) = (std::sync::Arc::clone(&request.service), request.actor.clone());
    Ok(later(move || Ok(service::try_out(&own, &actor, reference, &module)?.0)))
}

fn visible_attribute(request: &Request) -> Result<Ref, Failure> {
    let reference = request.reference(0, body::INVALID_ATTRIBUTE)?;
    let found = request.service.read(&request.actor, |r| Ok(r.attribute(reference)?.is_some()))?;
    if found { Ok(reference) } else { Err(Failure::NotFound(body::INVALID_ATTRIBUTE)) }
}

/// POST /events/enrichEvent/{id} `{MODULE: true, …}`
pub(crate) fn enrich_event(request: &Request) -> Result<Answer, Failure> {
    let event = request.reference(0, body::INVALID_EVENT)?;
    enrich(request, Target::Event(event), "Event")
}

/// POST /attributes/enrich/{id} `{MODULE: true, …}`
pub(crate) fn enrich_attribute(request: &Request) -> Result<Answer, Failure> {
    let attribute = request.reference(0, body::INVALID_ATTRIBUTE)?;
    enrich(request, Target::Attribute(attribute), "Attribute")
}

fn enrich(request: &Request, target: Target, model: &str) -> Result<Answer, Failure> {
    let sent = request.unwrapped(model)?;
    let names: Vec<String> = match &sent {
        Value::Object(members) => {
            members.keys().filter(|name| flag(&sent, name) == Some(true)).cloned().collect()
        }
        _ => Vec::new(),
    };
    let enrichment = service::begin(&request.service, &request.actor, target, &names)?;
    let (own, actor) = (std::sync::Arc::clone(&request.service), request.actor.clone());
    let url = request.path.raw.clone();
    Ok(later(move || {
        let outcome = enrichment.run(&own, &actor)?;
        let message =
            format!("#{} attributes have been created during the enrichment process.", outcome.added);
        let mut answer =
            json!({ "saved": true, "success": true, "name": message, "message": message, "url": url });
        // Not as `errors`: clients would take the whole call for failed.
        if !outcome.errors.is_empty() {
            answer["module_errors"] = outcome.errors.into();
        }
        Ok(answer)
    }))
}

/// POST|GET /attributes/hoverEnrichment/{id}: each module's findings in short.
pub(crate) fn hover(request: &Request) -> Result<Answer, Failure> {
    let reference = visible_attribute(request)?;
    let (own, actor) = (std::sync::Arc::clone(&request.service), request.actor.clone());
    Ok(later(move || {
        let answers = service::hover(&own, &actor, reference)?;
        let short = answers.into_iter().map(|(name, answer)| {
            let value = match answer {
                Ok(answer) => in_short(&name, &answer.0),
                Err(failed) => json!({ "error": said(&failed) }),
            };
            (name, value)
        });
        Ok(Value::Object(short.collect()))
    }))
}

/// As MISP shortens an answer: of attributes type and value, of objects also the relation.
fn in_short(name: &str, answer: &Value) -> Value {
    let pick = |from: &Value, keys: &[&str]| -> Value {
        let pairs = keys.iter().filter_map(|key| Some(((*key).to_owned(), from.get(*key)?.clone())));
        Value::Object(pairs.collect())
    };
    let list = |from: &Value, key: &str| from.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    match answer.get("results") {
        Some(results @ Value::Object(_)) => {
            let mut short = Map::new();
            let objects: Vec<Value> = list(results, "Object")
                .iter()
                .map(|object| {
                    let inside = list(object, "Attribute");
                    let inside: Vec<Value> =
                        inside.iter().map(|a| pick(a, &["object_relation", "value", "type"])).collect();
                    json!({ "name": object["name"], "Attribute": inside })
                })
                .collect();
            let attributes: Vec<Value> =
                list(results, "Attribute").iter().map(|a| pick(a, &["type", "value"])).collect();
            for (key, found) in [("Object", objects), ("Attribute", attributes)] {
                if !found.is_empty() {
                    short.insert(key.to_owned(), found.into());
                }
            }
            Value::Object(short)
        }
        Some(Value::Array(results)) => results
            .iter()
            .map(|result| match result.get("values") {
                None | Some(Value::Null) => json!({ name: "No result" }),
                Some(values) => json!({ name: values }),
            })
            .collect(),
        _ => json!({ "error": answer.get("error").cloned().unwrap_or("No result".into()) }),
    }
}

// ---- Settings -----------------------------------------------------------------------------------------

/// The setting of this name, if it is one of enrichment's.
pub(crate) fn get_setting(request: &Request, name: &str) -> Result<Option<Answer>, Failure> {
    let Some(name) = name.strip_prefix(setting::PREFIX) else { return Ok(None) };
    let plugin = Plugin::load(&request.service)?;
    let (description, value) = match setting::KNOWN.iter().find(|known| known.name == name) {
        Some(known) => (known.description, plugin.value(known)),
        None => {
            let text = plugin.open_text(name).ok_or(Failure::Refused("This setting is redacted.".into()))?;
            (OF_A_MODULE, Setting::Text(text.to_owned()))
        }
    };
    Ok(Some(reply::document(|w| write(w, "name", name, description, &value))))
}

const OF_A_MODULE: &str = "Said of one enrichment module.";

/// All that are not secret, as items of a list under way.
pub(crate) fn write_settings(w: &mut JsonWriter<'_>, plugin: &Plugin) {
    for known in setting::KNOWN {
        write(w, "setting", known.name, known.description, &plugin.value(known));
    }
    for (name, text) in plugin.of_modules() {
        write(w, "setting", name, OF_A_MODULE, &Setting::Text(text.to_owned()));
    }
}

fn write(w: &mut JsonWriter<'_>, key: &str, name: &str, description: &str, value: &Setting) {
    w.begin_object();
    w.key("level");
    w.int(1);
    member(w, "description", description);
    w.key("value");
    let kind = match value {
        Setting::Flag(on) => {
            w.bool(*on);
            "boolean"
        }
        Setting::Number(number) => {
            w.int(*number);
            "numeric"
        }
        Setting::Text(text) => {
            w.str(text);
            "string"
        }
    };
    member(w, "type", kind);
    flag_member(w, "null", true);
    member(w, key, &format!("{}{name}", setting::PREFIX));
    if key == "setting" {
        member(w, "tab", "Plugin");
        member(w, "subGroup", "Enrichment");
    }
    w.end_object();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_shortened_as_misp_shortens_them() {
        let standard = json!({"results": {
            "Attribute": [{"type": "url", "value": "http://x", "uuid": "1"}],
            "Object": [{"name": "url", "uuid": "2", "Attribute": [{"object_relation": "scheme", "type": "text", "value": "http", "id": "9"}]}],
        }});
        assert_eq!(
            in_short("m", &standard),
            json!({"Object": [{"name": "url", "Attribute": [{"object_relation": "scheme", "value": "http", "type": "text"}]}],
                   "Attribute": [{"type": "url", "value": "http://x"}]})
        );
        let simple =
            json!({"results": [{"types": ["text"], "values": ["a"]}, {"types": ["text"], "values": null}]});
        assert_eq!(in_short("m", &simple), json!([{"m": ["a"]}, {"m": "No result"}]));
        assert_eq!(in_short("m", &json!({"error": "no"})), json!({"error": "no"}));
        assert_eq!(in_short("m", &json!([])), json!({"error": "No result"}));
    }
}
