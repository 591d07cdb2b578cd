//! `/noticelists/…`

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, flag_member, list, member, number, number_member, saved};
use crate::request::Request;
use pisax_model::fold::fold;
use pisax_service::noticelist as service;
use pisax_store::noticelists::NoticelistRow;
use pisax_wire::JsonWriter;

const INVALID: &str = "Noticelist not found.";

fn columns(w: &mut JsonWriter<'_>, row: &NoticelistRow) {
    let texts = |w: &mut JsonWriter<'_>, key: &str, texts: &[String]| {
        w.key(key);
        w.begin_array();
        texts.iter().for_each(|text| w.str(text));
        w.end_array();
    };
    number_member(w, "id", row.id);
    member(w, "name", &row.list.name);
    member(w, "expanded_name", &row.list.expanded_name);
    texts(w, "ref", &row.list.references);
    texts(w, "geographical_area", &row.list.areas);
    number_member(w, "version", row.list.version);
    flag_member(w, "enabled", row.enabled);
}

fn entries(w: &mut JsonWriter<'_>, row: &NoticelistRow) {
    w.begin_array();
    for (i, notice) in row.list.notices.iter().enumerate() {
        w.begin_object();
        number_member(w, "id", i as i64 + 1);
        number_member(w, "noticelist_id", row.id);
        w.key("data");
        w.raw(notice.as_bytes());
        w.end_object();
    }
    w.end_array();
}

fn find(request: &Request) -> Result<NoticelistRow, Failure> {
    let id = number(request, 0, INVALID)?;
    let found = request.service.read(&request.actor, |r| Ok(r.noticelist(id)?))?;
    found.ok_or(Failure::NotFound(INVALID))
}

fn whole(row: &NoticelistRow) -> Answer {
    document(|w| {
        w.begin_object();
        w.key("Noticelist");
        w.begin_object();
        columns(w, row);
        w.key("NoticelistEntry");
        entries(w, row);
        w.end_object();
        w.end_object();
    })
}

/// GET /noticelists/index[/quickFilter:…]
pub(crate) fn index(request: &Request) -> Result<Answer, Failure> {
    let mut rows = request.service.read(&request.actor, |r| Ok(r.noticelists()?))?;
    let wanted = ["quickFilter", "searchall", "value"].iter().find_map(|name| request.path.named(name));
    if let Some(wanted) = wanted {
        let wanted = fold(wanted.trim()).into_owned();
        rows.retain(|row| {
            [&row.list.name, &row.list.expanded_name].iter().any(|t| fold(t).contains(&wanted))
        });
    }
    Ok(list(&rows, |w, row| {
        w.begin_object();
        w.key("Noticelist");
        w.begin_object();
        columns(w, row);
        w.end_object();
        w.end_object();
    }))
}

/// GET /noticelists/view/{id}
pub(crate) fn view(request: &Request) -> Result<Answer, Failure> {
    Ok(whole(&find(request)?))
}

/// GET /noticelists/preview_entries/{id}
pub(crate) fn preview(request: &Request) -> Result<Answer, Failure> {
    let row = find(request)?;
    Ok(document(|w| entries(w, &row)))
}

/// POST /noticelists/enableNoticelist/{id}[/true]: the list as it is now. (MISP redirects to it.)
pub(crate) fn enable(request: &Request) -> Result<Answer, Failure> {
    let id = number(request, 0, INVALID)?;
    let on = request.path.arg(1).is_some_and(|word| !matches!(word, "" | "0" | "false"));
    Ok(whole(&change(request, id, Some(on))?))
}

/// POST /noticelists/toggleEnable/{id}
pub(crate) fn toggle(request: &Request) -> Result<Answer, Failure> {
    let row = change(request, number(request, 0, INVALID)?, None)?;
    Ok(saved(request, if row.enabled { "Noticelist enabled." } else { "Noticelist disabled." }))
}

fn change(request: &Request, id: i64, on: Option<bool>) -> Result<NoticelistRow, Failure> {
    Ok(service::enable(&request.service, &request.actor, id, on)?)
}

/// POST /noticelists/delete/{id}
pub(crate) fn delete(request: &Request) -> Result<Answer, Failure> {
    service::delete(&request.service, &request.actor, number(request, 0, INVALID)?)?;
    Ok(saved(request, "Noticelist successfuly deleted."))
}

/// POST /noticelists/update
pub(crate) fn update(request: &Request) -> Result<Answer, Failure> {
    let words = match service::update(&request.service, &request.actor)? {
        0 => "All noticelists are up to date already.".to_owned(),
        changed => format!("Successfully updated {changed} noticelists."),
    };
    Ok(saved(request, &words))
}
