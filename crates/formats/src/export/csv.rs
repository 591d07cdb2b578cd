//! `csv`: one line an attribute, column names and quoting as MISP's (semantics 8.3; its clients split the
//! header at plain commas and compare column names).

use super::{AttributeFormat, ExportOptions, ExportRow};
use pisax_model::time;
use std::io::Write;

const USUAL: [&str; 10] = [
    "uuid",
    "event_id",
    "category",
    "type",
    "value",
    "comment",
    "to_ids",
    "timestamp",
    "object_relation",
    "attribute_tag",
];

const USUAL_OF_OBJECT: [&str; 3] = ["uuid", "name", "meta_category"];

const CONTEXT: [(&str, Column); 9] = [
    ("event_info", Column::EventInfo),
    ("event_member_org", Column::EventOrg),
    ("event_source_org", Column::EventOrgc),
    ("event_distribution", Column::EventDistribution),
    ("event_threat_level_id", Column::EventThreatLevel),
    ("event_analysis", Column::EventAnalysis),
    ("event_date", Column::EventDate),
    ("event_tag", Column::EventTag),
    ("event_timestamp", Column::EventTimestamp),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Column {
    Id,
    Uuid,
    EventId,
    EventUuid,
    ObjectId,
    ObjectRelation,
    Category,
    Type,
    Value,
    Value1,
    Value2,
    Comment,
    ToIds,
    Timestamp,
    Distribution,
    SharingGroupId,
    Deleted,
    DisableCorrelation,
    FirstSeen,
    LastSeen,
    Tags,
    DecayScore,
    Decayed,
    Object(ObjectColumn),
    EventInfo,
    EventOrg,
    EventOrgc,
    EventDistribution,
    EventThreatLevel,
    EventAnalysis,
    EventDate,
    EventTag,
    EventTimestamp,
    /// Named by the client, known to nobody: always empty, as in MISP.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum ObjectColumn {
    Id,
    Uuid,
    Name,
    MetaCategory,
    Description,
    TemplateUuid,
    TemplateVersion,
    Timestamp,
    Distribution,
    Comment,
    Unknown,
}

impl Column {
    fn parse(name: &str) -> Self {
        match name {
            "id" => Self::Id,
            "uuid" => Self::Uuid,
            "event_id" => Self::EventId,
            "event_uuid" => Self::EventUuid,
            "object_id" => Self::ObjectId,
            "object_relation" => Self::ObjectRelation,
            "category" => Self::Category,
            "type" => Self::Type,
            "value" => Self::Value,
            "value1" => Self::Value1,
            "value2" => Self::Value2,
            "comment" => Self::Comment,
            "to_ids" => Self::ToIds,
            "timestamp" | "date" => Self::Timestamp,
            "distribution" => Self::Distribution,
            "sharing_group_id" => Self::SharingGroupId,
            "deleted" => Self::Deleted,
            "disable_correlation" => Self::DisableCorrelation,
            "first_seen" => Self::FirstSeen,
            "last_seen" => Self::LastSeen,
            "attribute_tag" | "tag" => Self::Tags,
            "decay_score_score" => Self::DecayScore,
            "decay_score_decayed" => Self::Decayed,
            _ => {
                let context = CONTEXT.iter().find(|(known, _)| *known == name);
                let object = || name.strip_prefix("object_").map(|n| Self::Object(ObjectColumn::parse(n)));
                context.map(|(_, column)| *column).or_else(object).unwrap_or(Self::Unknown)
            }
        }
    }
}

impl ObjectColumn {
    fn parse(name: &str) -> Self {
        match name {
            "id" => Self::Id,
            "uuid" => Self::Uuid,
            "name" => Self::Name,
            "meta-category" | "meta_category" => Self::MetaCategory,
            "description" => Self::Description,
            "template_uuid" => Self::TemplateUuid,
            "template_version" => Self::TemplateVersion,
            "timestamp" => Self::Timestamp,
            "distribution" => Self::Distribution,
            "comment" => Self::Comment,
            _ => Self::Unknown,
        }
    }
}

pub(super) struct Csv {
    /// `None`: headerless.
    header: Option<String>,
    columns: Vec<Column>,
}

impl Csv {
    pub(super) fn new(options: &ExportOptions) -> Self {
        let mut columns: Vec<(String, Column)> = Vec::new();
        let requested = &options.requested_attributes;
        let plain = |name: &str| (heading(name), Column::parse(name));
        if requested.is_empty() {
            columns.extend(USUAL.map(plain));
            if options.include_decay_score {
                columns.extend(["decay_score_score", "decay_score_decayed"].map(plain));
            }
        } else {
            columns.extend(requested.iter().map(|name| plain(name)));
        }
        let of_object =
            |name: &str| (format!("object_{}", heading(name)), Column::Object(ObjectColumn::parse(name)));
        if !options.requested_obj_attributes.is_empty() {
            columns.extend(options.requested_obj_attributes.iter().map(|name| of_object(name)));
        } else if requested.is_empty() {
            columns.extend(USUAL_OF_OBJECT.map(of_object));
        }
        if options.include_context {
            columns.extend(CONTEXT.map(|(name, column)| (name.to_owned(), column)));
        }
        let (names, columns): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        Self { header: (!options.headerless).then(|| names.join(",")), columns }
    }
}

/// The name over a column: MISP calls the timestamp `date`, and a dash an underscore. A name the client
/// made up cannot end the field or the line.
fn heading(name: &str) -> String {
    if name == "timestamp" {
        return "date".to_owned();
    }
    name.chars().map(|c| if c.is_alphanumeric() || c == '_' || c == '.' { c } else { '_' }).collect()
}

impl AttributeFormat for Csv {
    fn begin(&mut self, out: &mut Vec<u8>) {
        if let Some(header) = &self.header {
            out.extend_from_slice(header.as_bytes());
            out.push(b'\n');
        }
    }

    fn attribute(&mut self, row: &ExportRow<'_>, out: &mut Vec<u8>) {
        for (place, column) in self.columns.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            cell(*column, row, out);
        }
        out.push(b'\n');
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        out.push(b'\n');
    }

    fn content_type(&self) -> &'static str {
        "text/csv; charset=UTF-8"
    }

    fn extension(&self) -> &'static str {
        "csv"
    }
}

fn cell(column: Column, row: &ExportRow<'_>, out: &mut Vec<u8>) {
    let (attribute, event) = (&row.attribute, &row.event);
    match column {
        Column::Id => number(attribute.id, out),
        Column::Uuid => text(&attribute.uuid.to_string(), out),
        Column::EventId => number(attribute.event_id, out),
        Column::EventUuid => text(&event.uuid.to_string(), out),
        Column::ObjectId => number(attribute.object_id, out),
        Column::ObjectRelation => text(attribute.object_relation.unwrap_or_default(), out),
        Column::Category => text(attribute.category.name(), out),
        Column::Type => text(attribute.kind.name(), out),
        Column::Value => text(&attribute.value(), out),
        Column::Value1 => text(attribute.value1, out),
        Column::Value2 => text(attribute.value2, out),
        Column::Comment => text(attribute.comment, out),
        Column::ToIds => flag(attribute.to_ids, out),
        Column::Timestamp => number(attribute.timestamp, out),
        Column::Distribution => number(attribute.distribution, out),
        Column::SharingGroupId => number(attribute.sharing_group_id, out),
        Column::Deleted => flag(attribute.deleted, out),
        Column::DisableCorrelation => flag(attribute.disable_correlation, out),
        Column::FirstSeen => seen(attribute.first_seen, out),
        Column::LastSeen => seen(attribute.last_seen, out),
        Column::Tags => texts(row.tags, out),
        Column::DecayScore => write!(out, "{}", row.decay.0).expect("a Vec takes everything"),
        Column::Decayed => flag(row.decay.1, out),
        Column::Object(column) => object_cell(column, row, out),
        Column::EventInfo => text(event.info, out),
        Column::EventOrg => text(event.org, out),
        Column::EventOrgc => text(event.orgc, out),
        Column::EventDistribution => number(event.distribution, out),
        Column::EventThreatLevel => text(threat_level(event.threat_level_id), out),
        Column::EventAnalysis => number(event.analysis, out),
        Column::EventDate => text(event.date, out),
        Column::EventTag => texts(row.event_tags, out),
        Column::EventTimestamp => number(event.timestamp, out),
        Column::Unknown => text("", out),
    }
}

fn object_cell(column: ObjectColumn, row: &ExportRow<'_>, out: &mut Vec<u8>) {
    let Some(object) = &row.object else { return text("", out) };
    match column {
        ObjectColumn::Id => number(object.id, out),
        ObjectColumn::Uuid => text(&object.uuid.to_string(), out),
        ObjectColumn::Name => text(object.name, out),
        ObjectColumn::MetaCategory => text(object.meta_category, out),
        ObjectColumn::Description => text(object.description, out),
        ObjectColumn::TemplateUuid => text(object.template_uuid, out),
        ObjectColumn::TemplateVersion => text(object.template_version, out),
        ObjectColumn::Timestamp => number(object.timestamp, out),
        ObjectColumn::Distribution => number(object.distribution, out),
        ObjectColumn::Comment => text(object.comment, out),
        ObjectColumn::Unknown => text("", out),
    }
}

fn threat_level(id: i64) -> &'static str {
    match id {
        1 => "High",
        2 => "Medium",
        3 => "Low",
        4 => "Undefined",
        _ => "",
    }
}

fn number(number: i64, out: &mut Vec<u8>) {
    write!(out, "{number}").expect("a Vec takes everything");
}

fn flag(flag: bool, out: &mut Vec<u8>) {
    out.push(if flag { b'1' } else { b'0' });
}

fn seen(micros: Option<i64>, out: &mut Vec<u8>) {
    text(&micros.map(time::format_micros).unwrap_or_default(), out);
}

fn texts(all: &[&str], out: &mut Vec<u8>) {
    text(&all.join(","), out);
}

fn text(text: &str, out: &mut Vec<u8>) {
    if is_numeric(text) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for (place, part) in text.split('"').enumerate() {
        if place > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'"');
}

/// What PHP takes for a number, without the blanks it allows: digits with sign, fraction and exponent.
fn is_numeric(text: &str) -> bool {
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) =
        unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_ok = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_ok
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_bare_and_everything_else_in_quotes() {
        for (given, written) in [
            ("12", "12"),
            ("-1.5", "-1.5"),
            (".5", ".5"),
            ("1e5", "1e5"),
            ("", "\"\""),
            (".", "\".\""),
            ("1e", "\"1e\""),
            ("8.8.8.8", "\"8.8.8.8\""),
            ("0x1f", "\"0x1f\""),
            ("say \"hi\", you\nthere", "\"say \"\"hi\"\", you\nthere\""),
        ] {
            let mut out = Vec::new();
            text(given, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), written);
        }
    }

    #[test]
    fn a_made_up_column_name_stays_in_its_field() {
        assert_eq!(heading("meta-category"), "meta_category");
        assert_eq!(heading("a,b\nc\"d"), "a_b_c_d");
    }
}
