//! Values that do not correlate, because somebody said so: exact ones, and those that begin with, end with or
//! contain a text. They are looked at when correlations are read, so that a new one counts at once and one that
//! is taken away leaves nothing to make good.

use crate::attributes::Batch;
use crate::changes::{Action, Noun};
use crate::conn::{Row, Val};
use crate::{Reader, Result, Writer, dialect, list};
use pisax_model::{AttributeType, Uuid};
use rustc_hash::FxHashSet;

/// A value, or `%x`, `x%`, `%x%` for those that end with, begin with or contain `x`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrelationExclusion {
    pub id: i64,
    pub value: String,
    pub comment: String,
    pub from_json: bool,
}

const COLUMNS: &str = "id, value, comment, from_json";

fn read(row: &Row<'_>) -> Result<CorrelationExclusion> {
    Ok(CorrelationExclusion {
        id: row.int(0)?,
        value: row.string(1)?,
        comment: row.string(2)?,
        from_json: row.flag(3)?,
    })
}

/// The text between the wildcards; empty when it would mean every value.
pub fn core(value: &str) -> &str {
    let value = value.trim();
    let value = value.strip_prefix('%').unwrap_or(value);
    value.strip_suffix('%').unwrap_or(value).trim()
}

/// The LIKE pattern over folded values of an exclusion with wildcards.
fn pattern(value: &str) -> Option<String> {
    let value = value.trim();
    let (first, last) = (value.starts_with('%'), value.ends_with('%'));
    if !first && !last {
        return None;
    }
    let inner = list::containing(core(value));
    let inner = &inner[1..inner.len() - 1];
    Some(format!("{}{inner}{}", if first { "%" } else { "" }, if last { "%" } else { "" }))
}

/// Which kinds of exclusions there are, so that the usual search, without any, says nothing of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Excluded {
    exact: bool,
    patterns: bool,
}

impl Excluded {
    fn any(self) -> bool {
        self.exact || self.patterns
    }

    /// Whether a value and its key are excluded; neither column is null.
    pub(crate) fn is(self, value: &str, hash: &str) -> String {
        let mut terms = Vec::new();
        if self.exact {
            terms.push(format!("{hash} in (select hash from correlation_exclusions where hash is not null)"));
        }
        if self.patterns {
            terms.push(format!(
                "exists (select 1 from correlation_exclusions x where x.pattern is not null \
                 and pisax_fold({value}) like x.pattern escape '\\')"
            ));
        }
        if terms.is_empty() { "1 = 0".into() } else { format!("({})", terms.join(" or ")) }
    }

    pub(crate) fn and_not(self, value: &str, hash: &str) -> String {
        if self.any() { format!(" and not {}", self.is(value, hash)) } else { String::new() }
    }

    /// The same for the half that holds an address (see `model::correlation::net_of`).
    pub(crate) fn and_no_net(self, alias: &str) -> String {
        let (value, hash) = net_half(alias);
        self.and_not(&value, &hash)
    }
}

fn net_half(alias: &str) -> (String, String) {
    let second = AttributeType::parse("domain|ip").map_or(-1, AttributeType::code);
    let half = |one: &str, two: &str| {
        format!(
            "(case when {alias}.kind = {second} then coalesce({alias}.{two}, {alias}.{one}) else {alias}.{one} end)"
        )
    };
    (half("value1", "value2"), half("hash1", "hash2"))
}

impl Reader<'_> {
    /// All exclusions by value, or those whose value or comment contains a text.
    pub fn correlation_exclusions(&mut self, search: Option<&str>) -> Result<Vec<CorrelationExclusion>> {
        match search {
            None => self.conn.all(
                &format!("select {COLUMNS} from correlation_exclusions order by value"),
                &[],
                read,
            ),
            Some(text) => {
                let sql = format!(
                    "select {COLUMNS} from correlation_exclusions where pisax_fold(value) like $1 escape '\\' \
                     or pisax_fold(comment) like $1 escape '\\' order by value"
                );
                self.conn.all(&sql, &[(&list::containing(text)).into()], read)
            }
        }
    }

    pub fn correlation_exclusion(&mut self, id: i64) -> Result<Option<CorrelationExclusion>> {
        let sql = format!("select {COLUMNS} from correlation_exclusions where id = $1");
        self.conn.first(&sql, &[id.into()], read)
    }

    pub(crate) fn excluded(&mut self) -> Result<Excluded> {
        let sql = "select count(hash), count(pattern) from correlation_exclusions";
        let found =
            self.conn.first(sql, &[], |r| Ok(Excluded { exact: r.int(0)? > 0, patterns: r.int(1)? > 0 }))?;
        Ok(found.unwrap_or_default())
    }

    /// Those of these visible attributes of which a half that would correlate is excluded.
    pub fn excluded_attributes(&mut self, attributes: &Batch) -> Result<FxHashSet<i64>> {
        let excluded = self.excluded()?;
        let first = excluded.is("a.value1", "a.hash1");
        let second = excluded.is("a.value2", "coalesce(a.hash2, a.hash1)");
        let condition = format!("a.correlates > 0 and ({first} or (a.correlates = 3 and {second}))");
        self.among(attributes, excluded, &condition)
    }

    /// Those of which the half that holds an address is.
    pub(crate) fn excluded_nets(&mut self, attributes: &Batch, excluded: Excluded) -> Result<FxHashSet<i64>> {
        let (value, hash) = net_half("a");
        let condition = excluded.is(&value, &hash);
        self.among(attributes, excluded, &condition)
    }

    fn among(&mut self, attributes: &Batch, excluded: Excluded, condition: &str) -> Result<FxHashSet<i64>> {
        if !excluded.any() || attributes.is_empty() {
            return Ok(FxHashSet::default());
        }
        let lite = self.conn.is_lite();
        let set = dialect::set_text(lite, attributes.iter().map(|a| a.id));
        let sql = format!(
            "select a.id from attributes a where {} and {condition}",
            dialect::in_set(lite, "a.id", 1)
        );
        Ok(self.conn.all(&sql, &[Val::Text(&set)], |r| r.int(0))?.into_iter().collect())
    }
}

impl Writer<'_> {
    /// Adds an exclusion, which gets the number returned. Two that mean the same are one.
    pub fn add_correlation_exclusion(&mut self, value: &str, comment: &str, from_json: bool) -> Result<i64> {
        let id = dialect::allocate(&mut self.conn, "correlation_exclusions", 1)?[0];
        let pattern = pattern(value);
        let hash = pattern.is_none().then(|| self.key.of(value));
        let sql = format!(
            "insert into correlation_exclusions ({COLUMNS}, hash, pattern) values {}",
            list::places(1, 6)
        );
        let args =
            [id.into(), value.into(), comment.into(), from_json.into(), hash.into(), pattern.as_ref().into()];
        self.conn.execute(&sql, &args).map_err(|e| e.conflict_on("value"))?;
        self.changed(Noun::CorrelationExclusion, Action::Add, Uuid::nil(), 0)
            .of(id, value)
            .field("value", "", value)
            .field("comment", "", comment);
        Ok(id)
    }

    /// Writes what is noted beside it; the value stays.
    pub fn edit_correlation_exclusion(&mut self, old: &CorrelationExclusion, comment: &str) -> Result<()> {
        let sql = "update correlation_exclusions set comment = $2 where id = $1";
        self.conn.execute(sql, &[old.id.into(), comment.into()])?;
        self.changed(Noun::CorrelationExclusion, Action::Edit, Uuid::nil(), 0).of(old.id, &old.value).field(
            "comment",
            &old.comment,
            comment,
        );
        Ok(())
    }

    pub fn delete_correlation_exclusion(&mut self, old: &CorrelationExclusion) -> Result<()> {
        self.conn.execute("delete from correlation_exclusions where id = $1", &[old.id.into()])?;
        self.changed(Noun::CorrelationExclusion, Action::Delete, Uuid::nil(), 0)
            .of(old.id, &old.value)
            .field("value", &old.value, "");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_at_the_ends_alone() {
        for (value, expected) in [
            ("evil.example", None),
            ("%evil.example", Some(r"%evil.example")),
            ("Evil%", Some(r"evil%")),
            ("%50%_off%", Some(r"%50\%\_off%")),
        ] {
            assert_eq!(pattern(value).as_deref(), expected, "{value}");
        }
        for (value, inner) in [("%", ""), ("%%", ""), (" % ", ""), ("%a%", "a"), ("a", "a")] {
            assert_eq!(core(value), inner, "{value}");
        }
    }
}
