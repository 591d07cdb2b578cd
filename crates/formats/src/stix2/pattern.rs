//! STIX patterns (STIX 2.1, part 9): comparisons joined by AND and OR, written and read.

use std::borrow::Cow;

/// A constant of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Number(i64),
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Literal {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// Comparisons that hold together: the kind of a reference and its value, for one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clause(pub Vec<(Cow<'static, str>, Literal)>);

impl Clause {
    /// What it compares; clauses of the same subject are alternatives.
    fn subject(&self) -> Option<&str> {
        self.0.last().map(|(path, _)| path.as_ref())
    }

    fn write(&self, out: &mut String) {
        for (n, (path, value)) in self.0.iter().enumerate() {
            if n > 0 {
                out.push_str(" AND ");
            }
            out.push_str(path);
            out.push_str(" = ");
            match value {
                Literal::Number(number) => out.push_str(&number.to_string()),
                Literal::Text(text) => {
                    out.push('\'');
                    for c in text.chars() {
                        if matches!(c, '\'' | '\\') {
                            out.push('\\');
                        }
                        out.push(c);
                    }
                    out.push('\'');
                }
            }
        }
    }
}

/// The pattern of these clauses: all subjects, of each any value.
pub(super) fn write(clauses: &[Clause]) -> String {
    let mut groups: Vec<Vec<&Clause>> = Vec::new();
    for clause in clauses {
        match groups.iter_mut().find(|group| group[0].subject() == clause.subject()) {
            Some(group) if group.contains(&clause) => {}
            Some(group) => group.push(clause),
            None => groups.push(vec![clause]),
        }
    }
    let mut out = String::from("[");
    for (n, group) in groups.iter().enumerate() {
        if n > 0 {
            out.push_str(" AND ");
        }
        let several = group.len() > 1;
        if several && groups.len() > 1 {
            out.push('(');
        }
        for (n, clause) in group.iter().enumerate() {
            if n > 0 {
                out.push_str(" OR ");
            }
            let wrapped = several && clause.0.len() > 1;
            if wrapped {
                out.push('(');
            }
            clause.write(&mut out);
            if wrapped {
                out.push(')');
            }
        }
        if several && groups.len() > 1 {
            out.push(')');
        }
    }
    out.push(']');
    out
}

/// One comparison of a foreign pattern.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Comparison {
    /// `file`.
    pub kind: String,
    /// `hashes.MD5`, without quotes.
    pub path: String,
    pub value: String,
}

/// Boolean structure of a pattern: alternatives, each a list of what must hold together.
pub(super) type Alternatives = Vec<Vec<Comparison>>;

/// More comparisons than this in one pattern are not taken apart.
const MOST_COMPARISONS: usize = 2000;

/// Takes a pattern apart into alternatives of conjunctions. `None` when it says more than equality, AND and
/// OR: such a pattern can only be kept whole.
pub(super) fn read(text: &str) -> Option<Alternatives> {
    let tokens = tokens(text)?;
    let mut reader = Reader { tokens: &tokens, at: 0, depth: 0 };
    let found = reader.observations()?;
    (reader.at == tokens.len()).then_some(found)
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Sign(char),
    Word(String),
    Text(String),
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '\'' => out.push(Token::Text(quoted(&mut chars)?)),
            '[' | ']' | '(' | ')' | '=' => out.push(Token::Sign(c)),
            _ => {
                // An object path may hold quoted steps and list steps: file:hashes.'SHA-256', x:refs[*].value
                let mut word = String::from(c);
                while let Some(&next) = chars.peek() {
                    match next {
                        '\'' if word.ends_with('.') || word.ends_with(':') => {
                            chars.next();
                            word.push_str(&quoted(&mut chars)?);
                        }
                        '[' if word.contains(':') => {
                            for step in chars.by_ref() {
                                if step == ']' {
                                    break;
                                }
                            }
                        }
                        c if c.is_alphanumeric() || "-_.:*+".contains(c) => {
                            word.push(c);
                            chars.next();
                        }
                        _ => break,
                    }
                }
                out.push(Token::Word(word));
            }
        }
        if out.len() > MOST_COMPARISONS * 6 {
            return None;
        }
    }
    Some(out)
}

fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut text = String::new();
    loop {
        match chars.next()? {
            '\'' => return Some(text),
            '\\' => text.push(chars.next()?),
            c => text.push(c),
        }
    }
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn sign(&mut self, sign: char) -> bool {
        let found = self.tokens.get(self.at) == Some(&Token::Sign(sign));
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Word(w)) if w.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    /// Observations `[…]` joined by OR or AND, in any number of parentheses.
    fn observations(&mut self) -> Option<Alternatives> {
        let mut all = self.observation()?;
        loop {
            if self.word("OR") {
                all.extend(self.observation()?);
            } else if self.word("AND") {
                // Both were seen, but not in the same place: each is an indicator of its own.
                all.extend(self.observation()?);
            } else {
                return (all.len() <= MOST_COMPARISONS).then_some(all);
            }
        }
    }

    fn observation(&mut self) -> Option<Alternatives> {
        self.deeper(|reader| {
            if reader.sign('(') {
                let inner = reader.observations()?;
                return reader.sign(')').then_some(inner);
            }
            if !reader.sign('[') {
                return None;
            }
            let inner = reader.any()?;
            reader.sign(']').then_some(inner)
        })
    }

    /// Comparisons joined by OR.
    fn any(&mut self) -> Option<Alternatives> {
        let mut any = self.all()?;
        while self.word("OR") {
            any.extend(self.all()?);
        }
        (any.len() <= MOST_COMPARISONS).then_some(any)
    }

    /// Comparisons joined by AND, which binds closer.
    fn all(&mut self) -> Option<Alternatives> {
        let mut all = self.one()?;
        while self.word("AND") {
            let next = self.one()?;
            let product = all.len().checked_mul(next.len())?;
            let size = product.checked_mul(all[0].len() + next[0].len())?;
            if size > MOST_COMPARISONS {
                return None;
            }
            all = all
                .iter()
                .flat_map(|left| next.iter().map(move |right| [left.as_slice(), right].concat()))
                .collect();
        }
        Some(all)
    }

    fn one(&mut self) -> Option<Alternatives> {
        if self.sign('(') {
            return self.deeper(|reader| {
                let inner = reader.any()?;
                reader.sign(')').then_some(inner)
            });
        }
        let Some(Token::Word(path)) = self.tokens.get(self.at) else { return None };
        let (kind, path) = path.split_once(':')?;
        self.at += 1;
        if self.word("IN") {
            if !self.sign('(') {
                return None;
            }
            let mut any = Vec::new();
            loop {
                let value = self.constant()?;
                // A comma stands at the end of a number, or alone.
                any.push(vec![comparison(kind, path, value.trim_end_matches(','))]);
                if self.sign(')') {
                    return Some(any);
                }
                self.word(",");
            }
        }
        if !(self.sign('=') || self.word("LIKE") && self.plain_text()) {
            return None;
        }
        self.sign('=');
        let value = self.constant()?;
        Some(vec![vec![comparison(kind, path, &value)]])
    }

    /// Whether the next constant has no wildcard: LIKE is then equality.
    fn plain_text(&self) -> bool {
        matches!(self.tokens.get(self.at), Some(Token::Text(text)) if !text.contains(['%', '_']))
    }

    fn constant(&mut self) -> Option<String> {
        let text = match self.tokens.get(self.at)? {
            Token::Text(text) => text.clone(),
            Token::Word(word) if !word.contains(':') => word.clone(),
            _ => return None,
        };
        self.at += 1;
        Some(text)
    }

    fn deeper<T>(&mut self, f: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        const DEEPEST: usize = 32;
        if self.depth >= DEEPEST {
            return None;
        }
        self.depth += 1;
        let result = f(self);
        self.depth -= 1;
        result
    }
}

fn comparison(kind: &str, path: &str, value: &str) -> Comparison {
    Comparison { kind: kind.to_owned(), path: path.to_owned(), value: value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Option<Vec<Vec<(String, String)>>> {
        let pair = |c: Comparison| (format!("{}:{}", c.kind, c.path), c.value);
        Some(read(text)?.into_iter().map(|all| all.into_iter().map(pair).collect()).collect())
    }

    fn one(path: &str, value: &str) -> (String, String) {
        (path.to_owned(), value.to_owned())
    }

    #[test]
    fn patterns_are_taken_apart() {
        assert_eq!(
            pairs("[ipv4-addr:value = '192.0.2.1']").unwrap(),
            [[one("ipv4-addr:value", "192.0.2.1")]]
        );
        assert_eq!(
            pairs("[file:hashes.'SHA-256' = 'aa' AND file:name = 'it\\'s']").unwrap(),
            [[one("file:hashes.SHA-256", "aa"), one("file:name", "it's")]]
        );
        assert_eq!(
            pairs("[domain-name:value = 'a' OR domain-name:value = 'b'] OR ([url:value='c'])").unwrap(),
            [[one("domain-name:value", "a")], [one("domain-name:value", "b")], [one("url:value", "c")]]
        );
        assert_eq!(
            pairs("[a:x = 1 AND (b:y = '2' OR b:y = '3')]").unwrap(),
            [[one("a:x", "1"), one("b:y", "2")], [one("a:x", "1"), one("b:y", "3")]]
        );
        assert_eq!(
            pairs("[domain-name:value IN ('a', 'b')]").unwrap(),
            [[one("domain-name:value", "a")], [one("domain-name:value", "b")]]
        );
        assert_eq!(
            pairs("[domain-name:resolves_to_refs[*].value = '192.0.2.1']").unwrap(),
            [[one("domain-name:resolves_to_refs.value", "192.0.2.1")]]
        );
    }

    #[test]
    fn what_says_more_is_kept_whole() {
        for text in [
            "",
            "[",
            "[ipv4-addr:value = ]",
            "[ipv4-addr:value != '192.0.2.1']",
            "[ipv4-addr:value ISSUBSET '192.0.2.0/24']",
            "[file:name MATCHES 'a.*']",
            "[file:name LIKE 'a%']",
            "[a:b = 'c'] FOLLOWEDBY [d:e = 'f']",
            "[a:b = 'c'] WITHIN 5 SECONDS",
            "[a:b = 'unclosed]",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        let deep = format!("[{}a:b = 'c'{}]", "(".repeat(5000), ")".repeat(5000));
        assert_eq!(read(&deep), None);
        let wide = (0..40).map(|n| format!("(a:b = '{n}' OR a:b = 'x')")).collect::<Vec<_>>().join(" AND ");
        assert_eq!(read(&format!("[{wide}]")), None, "2^40 alternatives");
    }

    #[test]
    fn values_of_one_subject_are_alternatives() {
        let clause = |path: &'static str, value: &str| Clause(vec![(path.into(), value.into())]);
        let clauses = [clause("d:value", "a"), clause("d:ip", "1"), clause("d:ip", "2"), clause("d:ip", "2")];
        assert_eq!(write(&clauses), "[d:value = 'a' AND (d:ip = '1' OR d:ip = '2')]");
        assert_eq!(write(&[clause("d:value", "it's \\")]), "[d:value = 'it\\'s \\\\']");
    }

    proptest::proptest! {
        #[test]
        fn a_text_stays_in_its_quotes(text in "(?s)['\\\\\\[\\]=A-Z \n]{0,20}|.{0,20}") {
            let clause = Clause(vec![("file:name".into(), Literal::from(text.as_str()))]);
            proptest::prop_assert_eq!(pairs(&write(&[clause])), Some(vec![vec![one("file:name", &text)]]));
        }
    }
}
