//! `/analyst_data/…` for other servers: what is here, what is wanted, what is taken (semantics 7.6).

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, saved};
use crate::request::{Request, texts};
use pisax_model::Uuid;
use pisax_model::analyst::AnalystKind;
use pisax_model::time;
use pisax_service::Error;
use pisax_service::analyst::{self as service, Offered, Times};
use pisax_wire::JsonWriter;
use pisax_wire::answer as body;

/// GET|POST /analyst_data/indexMinimal `{orgc_name}`
pub(crate) fn index_minimal(request: &Request) -> Result<Answer, Failure> {
    let sent = request.unwrapped("AnalystData")?;
    let orgs = texts(&sent, "orgc_name").unwrap_or_default();
    let times = request.service.read(&request.actor, |r| service::times(r, &orgs))?;
    if AnalystKind::ALL.iter().all(|kind| times.of(*kind).is_empty()) {
        // PHP's empty map is a list.
        return Ok(Answer::json(b"[]".to_vec()));
    }
    Ok(document(|w| {
        w.begin_object();
        for kind in AnalystKind::ALL.into_iter().filter(|kind| !times.of(*kind).is_empty()) {
            w.key(kind.name());
            write_times(w, times.of(kind));
        }
        w.end_object();
    }))
}

fn write_times(w: &mut JsonWriter<'_>, times: &[(Uuid, i64)]) {
    w.begin_object();
    for (uuid, modified) in times {
        w.key(&uuid.to_string());
        w.str(&time::format_datetime(*modified));
    }
    w.end_object();
}

/// POST /analyst_data/filterAnalystDataForPush `{"Note":{uuid: modified},…}`
pub(crate) fn filter_for_push(request: &Request) -> Result<Answer, Failure> {
    if request.is_read() {
        let reason = "This function is only accessible via POST requests.";
        return Err(Failure::NotAllowed(reason.into()));
    }
    let sent = request.value()?;
    let mut offered = Offered::default();
    for kind in AnalystKind::ALL {
        let Some(map) = sent.get(kind.name()).and_then(serde_json::Value::as_object) else { continue };
        let read = |(uuid, modified): (&String, &serde_json::Value)| {
            let modified = time::parse_micros(modified.as_str()?)?.div_euclid(1_000_000);
            Some((Uuid::try_parse(uuid).ok()?, modified))
        };
        offered.0[kind as usize] = map.iter().filter_map(read).collect();
    }
    let wanted: Times = request.service.read(&request.actor, |r| service::wanted(r, &offered))?;
    Ok(document(|w| {
        w.begin_object();
        for kind in AnalystKind::ALL {
            w.key(kind.name());
            match wanted.of(kind) {
                [] => w.raw(b"[]"),
                times => write_times(w, times),
            }
        }
        w.end_object();
    }))
}

/// POST /analyst_data/pushAnalystData `{"Note":{…}}` or lists of each kind
pub(crate) fn push(request: &Request) -> Result<Answer, Failure> {
    let drafts = pisax_wire::read_pushed_analyst_data(&request.body)?;
    let captured = service::push(&request.service, &request.actor, drafts).map_err(|e| match e {
        Error::Forbidden => Failure::NotAllowed("You do not have the permission to do that.".into()),
        other => other.into(),
    })?;
    let counts = format!(
        "{} imported, {} ignored, {} failed. {}",
        captured.imported,
        captured.ignored,
        captured.failed,
        captured.errors.join(", ")
    );
    if captured.imported > 0 {
        return Ok(saved(request, &format!("Analyst Data imported. {counts}")));
    }
    let reason = format!("Could not import analyst data. {counts}");
    let url = &request.path.raw;
    let errors = body::Errors::Text(&reason);
    let json = body::save_failure("pushAnalystData", "AnalystData", url, errors, None);
    Ok(Answer::status(http::StatusCode::FORBIDDEN, json))
}
