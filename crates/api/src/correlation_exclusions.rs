//! `/correlation_exclusions/…`

use crate::answer::Answer;
use crate::failure::{Failure, Saving};
use crate::reply::{document, flag_member, list, member, number, number_member, saved};
use crate::request::{Request, flag, text};
use pisax_service::correlation_exclusion::{self as service, Draft};
use pisax_store::exclusions::CorrelationExclusion;
use pisax_wire::JsonWriter;

const INVALID: &str = "Invalid CorrelationExclusion.";

fn write(w: &mut JsonWriter<'_>, entry: &CorrelationExclusion) {
    w.begin_object();
    w.key("CorrelationExclusion");
    w.begin_object();
    number_member(w, "id", entry.id);
    member(w, "value", &entry.value);
    flag_member(w, "from_json", entry.from_json);
    member(w, "comment", &entry.comment);
    w.end_object();
    w.end_object();
}

fn draft(request: &Request) -> Result<Draft, Failure> {
    let sent = request.unwrapped("CorrelationExclusion")?;
    let named = |name: &str| request.path.named(name).map(str::to_owned);
    Ok(Draft {
        value: text(&sent, "value").or_else(|| named("value")),
        comment: text(&sent, "comment").or_else(|| named("comment")),
        from_json: flag(&sent, "from_json").unwrap_or(false),
    })
}

/// GET /correlation_exclusions[/index][/quickFilter:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("CorrelationExclusion")?;
    let said = |name: &str| request.path.named(name).map(str::to_owned).or_else(|| text(&sent, name));
    let search = ["quickFilter", "searchall", "value"].into_iter().find_map(said);
    Ok(list(&service::list(&request.service, &request.actor, search.as_deref())?, write))
}

/// GET /correlation_exclusions/view/{id}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    let entry = service::view(&request.service, &request.actor, number(request, 0, INVALID)?)?;
    Ok(document(|w| write(w, &entry)))
}

/// POST /correlation_exclusions/add `{value, comment}`
pub(crate) fn add(request: &Request) -> Result<Answer, Failure> {
    let entry = service::add(&request.service, &request.actor, &draft(request)?)
        .saving("add", "CorrelationExclusion")?;
    Ok(document(|w| write(w, &entry)))
}

/// POST /correlation_exclusions/edit/{id} `{comment}`
pub(crate) fn edit(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let entry = service::edit(&request.service, &request.actor, id, &draft(request)?)
        .saving("edit", "CorrelationExclusion")?;
    Ok(document(|w| write(w, &entry)))
}

/// POST /correlation_exclusions/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, number(request, 0, INVALID)?)?;
    Ok(saved(request, "CorrelationExclusion deleted."))
}

/// POST /correlation_exclusions/clean: exclusions count when correlations are read, so there is nothing to clean.
pub(crate) fn clean(request: &Request) -> Result<Answer, Failure> {
    Ok(saved(request, "Nothing has to be cleaned up: exclusions count from the moment they are saved."))
}
