//! Lists: many keys looked up by few statements, several words kept in one column.

use crate::conn::Val;

/// Keys looked up by one statement.
const CHUNK: usize = 256;

/// Values in chunks for `in (…)`, each with the text of its places. A chunk is filled up to a power of two with
/// its last value, so that nine texts serve every number of keys and stay prepared.
pub(crate) fn chunks<'v>(values: &[Val<'v>]) -> impl Iterator<Item = (String, Vec<Val<'v>>)> {
    values.chunks(CHUNK).map(|chunk| {
        let mut args = chunk.to_vec();
        let last = args[args.len() - 1];
        args.resize(chunk.len().next_power_of_two(), last);
        (places(1, args.len()), args)
    })
}

/// `($1, $2), ($3, $4)`: places for `rows` rows of `columns` values.
pub(crate) fn places(rows: usize, columns: usize) -> String {
    let row = |i: usize| {
        let marks: Vec<String> = (1..=columns).map(|j| format!("${}", i * columns + j)).collect();
        format!("({})", marks.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// `u.id, u.name`: columns of the table with this alias.
pub(crate) fn columns(alias: &str, names: &[&str]) -> String {
    names.iter().map(|name| format!("{alias}.{name}")).collect::<Vec<_>>().join(", ")
}

/// Words as one column keeps them, a line each.
pub(crate) fn lines(words: &[String]) -> String {
    words.join("\n")
}

/// The words of such a column.
pub(crate) fn words(lines: &str) -> Vec<String> {
    lines.lines().filter(|l| !l.is_empty()).map(str::to_owned).collect()
}

/// The LIKE pattern (escape `\`) of folded texts that contain this one.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in pisax_model::fold::fold(text).chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// The terms of a `where` with what they compare to, for queries of which any part may be left open.
#[derive(Default)]
pub(crate) struct Terms<'v> {
    terms: Vec<String>,
    pub(crate) args: Vec<Val<'v>>,
}

impl<'v> Terms<'v> {
    /// Adds a term, made from the number of the place of its value.
    pub(crate) fn add(&mut self, value: impl Into<Val<'v>>, term: impl FnOnce(usize) -> String) {
        self.args.push(value.into());
        self.terms.push(term(self.args.len()));
    }

    /// Column, sign and number, where there is one.
    pub(crate) fn numbers(&mut self, numbers: &[(&str, &str, Option<i64>)]) {
        for (column, sign, number) in numbers {
            if let Some(number) = number {
                self.add(*number, |at| format!("{column} {sign} ${at}"));
            }
        }
    }

    /// Column and what its folded text has to contain, as a pattern, where there is one.
    pub(crate) fn patterns(&mut self, patterns: &'v [(&str, Option<String>)]) {
        for (column, pattern) in patterns {
            if let Some(pattern) = pattern {
                self.add(pattern, |at| format!("pisax_fold({column}) like ${at} escape '\\'"));
            }
        }
    }

    /// All of them, and the places of a limit and an offset behind them.
    pub(crate) fn paged(&mut self, limit: i64, offset: i64) -> (String, usize, usize) {
        let all = if self.terms.is_empty() { "1 = 1".to_owned() } else { self.terms.join(" and ") };
        self.args.extend([Val::Int(limit), Val::Int(offset)]);
        (all, self.args.len() - 1, self.args.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_filled_with_its_last_value() {
        let values: Vec<Val<'_>> = (0..259).map(Val::Int).collect();
        let sizes: Vec<usize> = chunks(&values).map(|(_, args)| args.len()).collect();
        assert_eq!(sizes, [256, 4]);
        let (places, args) = chunks(&values[..3]).next().unwrap();
        assert_eq!(places, "($1, $2, $3, $4)");
        assert!(matches!(args[3], Val::Int(2)));
    }

    #[test]
    fn a_pattern_means_its_own_wildcards_literally() {
        assert_eq!(containing("50%_Ä\\"), r"%50\%\_a\\%");
    }
}
