//! `/correlations/…`: what occurs most, and what MISP keeps tables for; and the switches of correlation.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{flag_member, list, member, saved};
use crate::request::Request;
use pisax_service::{Error, correlation_switch};
use pisax_store::occurrences::Occurrence;
use pisax_wire::answer as body;

/// Rows of a page unless the client says otherwise, and the most it gets.
const PAGE: i64 = 50;
const LONGEST_PAGE: i64 = 10_000;

fn occurrences(request: &Request, least: i64) -> Result<Vec<Occurrence>, Failure> {
    let named = |name: &str| request.path.named(name).and_then(|v| v.parse::<i64>().ok()).filter(|n| *n > 0);
    let limit = named("limit").unwrap_or(PAGE).min(LONGEST_PAGE);
    let offset = (named("page").unwrap_or(1) - 1).saturating_mul(limit);
    Ok(request.service.read(&request.actor, |r| Ok(r.occurrences(least, limit, offset)?))?)
}

/// GET /correlations/top[/limit:…/page:…]: the values that most attributes have, counted now.
pub(crate) fn top(request: &Request) -> Result<Answer, Failure> {
    Ok(list(&occurrences(request, 2)?, |w, found| {
        w.begin_object();
        w.key("Correlation");
        w.begin_object();
        member(w, "value", &found.value);
        w.key("count");
        w.int(found.count);
        flag_member(w, "excluded", found.excluded);
        w.end_object();
        w.end_object();
    }))
}

/// GET /correlations/overCorrelations[/scope:…/limit:…/page:…]: the values that more attributes have than
/// `MISP.correlation_limit` says. MISP stops correlating them; here they correlate all the same, and the list
/// helps to find what should be excluded.
pub(crate) fn over(request: &Request) -> Result<Answer, Failure> {
    let limit = request.service.settings().correlation_limit;
    let rows = match request.path.named("scope") {
        // Those that do not over-correlate are not kept apart.
        Some("not_over_correlating") => Vec::new(),
        _ => occurrences(request, limit.max(2))?,
    };
    Ok(list(&rows, |w, found| {
        w.begin_object();
        w.key("OverCorrelatingValue");
        w.begin_object();
        member(w, "value", &found.value);
        w.key("occurrence");
        w.str_num(found.count);
        flag_member(w, "over_correlation", true);
        flag_member(w, "excluded", found.excluded);
        w.end_object();
        w.end_object();
    }))
}

/// POST|GET /correlations/generateTopCorrelations: the list is counted when it is read.
pub(crate) fn generate_top(_: &Request) -> Result<Answer, Failure> {
    Ok(Answer::json(b"true".to_vec()))
}

/// POST|GET /correlations/generateOccurrences
pub(crate) fn generate_occurrences(request: &Request) -> Result<Answer, Failure> {
    Ok(saved(request, "Nothing has to be counted beforehand: occurrences are counted when they are listed."))
}

/// POST /correlations/switchEngine/{engine}
pub(crate) fn switch_engine(request: &Request) -> Result<Answer, Failure> {
    match request.path.arg(0) {
        Some("Default" | "NoAcl" | "Legacy") => {
            Ok(saved(request, "There is one correlation engine, and it keeps to what each reader may see."))
        }
        _ => Err(Failure::NotAllowed(
            "Not a valid engine choice. Please make sure you pass one of the following: Default, NoAcl, Legacy".into(),
        )),
    }
}

/// POST /correlations/truncate/{engine}
pub(crate) fn truncate(request: &Request) -> Result<Answer, Failure> {
    Ok(saved(request, "There is no table of correlations to empty: they are found when they are read."))
}

/// POST /attributes/generateCorrelation
pub(crate) fn generate(request: &Request) -> Result<Answer, Failure> {
    Ok(saved(request, "Nothing has to be computed: correlations are found when they are read."))
}

/// POST /attributes/toggleCorrelation/{id}
pub(crate) fn toggle_attribute(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, body::INVALID_ATTRIBUTE)?;
    toggled(request, correlation_switch::toggle_attribute(&request.service, &request.actor, reference))
}

/// POST /events/toggleCorrelation/{id}
pub(crate) fn toggle_event(request: &Request) -> Result<Answer, Failure> {
    let reference = request.reference(0, body::INVALID_EVENT)?;
    toggled(request, correlation_switch::toggle_event(&request.service, &request.actor, reference))
}

fn toggled(request: &Request, correlates: pisax_service::Result<bool>) -> Result<Answer, Failure> {
    let correlates = correlates.map_err(|e| match e {
        Error::Refused(reason) => Failure::NotAllowed(reason),
        other => other.into(),
    })?;
    Ok(saved(request, if correlates { "Correlation enabled." } else { "Correlation disabled." }))
}
