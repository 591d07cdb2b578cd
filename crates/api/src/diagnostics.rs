//! `/servers/dbSchemaDiagnostic`, `/servers/dbDiagnostics`, `/api/getAllApis`: what is there and what it is like.

use crate::answer::Answer;
use crate::failure::Failure;
use crate::reply::{document, flag_member, member, number_member};
use crate::request::Request;
use crate::routes::{self, Methods};
use pisax_store::schema::{Difference, Schema, TableSize};
use pisax_wire::JsonWriter;

/// The schema in MISP's words.
pub(crate) fn write_schema(w: &mut JsonWriter<'_>, schema: &Schema) {
    w.begin_object();
    member(w, "dataSource", schema.engine);
    number_member(w, "actual_db_version", schema.actual);
    number_member(w, "expected_db_version", schema.expected);
    w.key("checked_table_column");
    w.begin_array();
    w.str("column_name");
    w.end_array();
    w.key("diagnostic");
    w.begin_object();
    for group in schema.differences.chunk_by(|one, other| one.table == other.table) {
        w.key(&group[0].table);
        w.begin_array();
        group.iter().for_each(|difference| write_difference(w, difference));
        w.end_array();
    }
    w.end_object();
    w.key("diagnostic_index");
    w.raw(b"{}");
    w.key("columnPerTable");
    w.begin_object();
    for (table, columns) in &schema.columns {
        w.key(table);
        w.begin_array();
        columns.iter().for_each(|column| w.str(column));
        w.end_array();
    }
    w.end_object();
    w.key("indexes");
    w.raw(b"{}");
    member(w, "error", "");
    flag_member(w, "update_locked", false);
    w.key("remaining_lock_time");
    w.int(0);
    flag_member(w, "update_fail_number_reached", false);
    w.end_object();
}

fn write_difference(w: &mut JsonWriter<'_>, difference: &Difference) {
    let (kind, words) = match (&difference.column, difference.missing) {
        (None, true) => ("missing_table", "the table is missing"),
        (None, false) => ("additional_table", "the table is not PISAX's"),
        (Some(_), true) => ("missing_column", "the column is missing"),
        (Some(_), false) => ("additional_column", "the column is not PISAX's"),
    };
    w.begin_object();
    member(w, "column_name", difference.column.as_deref().unwrap_or(&difference.table));
    member(w, "error_type", kind);
    member(w, "description", words);
    flag_member(w, "is_critical", difference.missing);
    w.end_object();
}

/// Sizes by table in MISP's shape, and rows where they were counted.
pub(crate) fn write_sizes(w: &mut JsonWriter<'_>, sizes: &[TableSize]) {
    let megabytes = |bytes: i64| format!("{:.2} MB", bytes as f64 / 1_048_576.0);
    w.begin_object();
    for size in sizes {
        w.key(&size.name);
        w.begin_object();
        member(w, "table", &size.name);
        member(w, "used", &megabytes(size.data_bytes + size.index_bytes));
        member(w, "reclaimable", &megabytes(size.free_bytes));
        for (key, bytes) in [
            ("data_in_bytes", size.data_bytes),
            ("index_in_bytes", size.index_bytes),
            ("reclaimable_in_bytes", size.free_bytes),
        ] {
            w.key(key);
            w.int(bytes);
        }
        if let Some(rows) = size.rows {
            w.key("rows");
            w.int(rows);
        }
        w.end_object();
    }
    w.end_object();
}

/// GET /servers/dbSchemaDiagnostic
pub(crate) fn schema(request: &Request) -> Result<Answer, Failure> {
    let schema = request.service.read(&request.actor, |r| Ok(r.schema()?))?;
    Ok(document(|w| write_schema(w, &schema)))
}

/// GET /servers/dbDiagnostics
pub(crate) fn sizes(request: &Request) -> Result<Answer, Failure> {
    let sizes = request.service.read(&request.actor, |r| Ok(r.table_sizes()?))?;
    Ok(document(|w| write_sizes(w, &sizes)))
}

/// GET /servers/dbConfiguration: the engine; PISAX sets what it needs of it.
pub(crate) fn configuration(request: &Request) -> Result<Answer, Failure> {
    let (engine, version) =
        request.service.read(&request.actor, |r| Ok((r.schema()?.engine, r.engine_version()?)))?;
    Ok(document(|w| {
        w.begin_array();
        w.begin_object();
        member(w, "name", engine);
        member(w, "value", &version);
        w.end_object();
        w.end_array();
    }))
}

/// POST /servers/removeOrphanedCorrelations: correlations are looked up, not stored, so none is ever orphaned.
pub(crate) fn remove_orphaned_correlations(_: &Request) -> Result<Answer, Failure> {
    Ok(document(|w| w.str("0 orphaned correlation removed")))
}

/// GET /api/getAllApis: the endpoints one may call, by address.
pub(crate) fn all_apis(request: &Request) -> Result<Answer, Failure> {
    Ok(document(|w| {
        w.begin_object();
        w.key("allValidApis");
        w.begin_object();
        let read_only = request.owner.key.read_only;
        let mut routes: Vec<_> =
            routes::all().filter(|r| r.need.met(&request.actor, read_only)).map(|r| (r.url(), r)).collect();
        routes.sort_by(|one, other| one.0.cmp(&other.0));
        // Two handlers of one address, for reading and for writing, are one endpoint.
        routes.dedup_by(|one, other| one.0 == other.0);
        for (url, route) in &routes {
            w.key(url);
            w.begin_object();
            member(w, "api_name", &format!("[{}] {}", route.controller, route.action));
            member(w, "controller", route.controller);
            member(w, "action", route.action);
            member(w, "description", route.doc);
            member(w, "http_method", if route.methods == Methods::Get { "GET" } else { "POST" });
            w.key("body");
            w.raw(b"{}");
            member(w, "url", url);
            w.end_object();
        }
        w.end_object();
        w.key("fieldsConstraint");
        w.raw(b"{}");
        w.end_object();
    }))
}
