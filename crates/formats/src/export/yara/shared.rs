//! Rules that somebody wrote: whether YARA loads them. One rule that it does not load makes it refuse the whole file,
//! so what is doubtful is left out, with the reason.

use regex::bytes::RegexBuilder;
use rustc_hash::FxHashSet;
use yara_x_parser::ast::{
    AST, Error, Expr, Item, Iterable, MatchAnchor, OfItems, Pattern, PatternSet, Quantifier, Range, Rule,
};

/// The longest text that is looked at.
const LONGEST: usize = 256 * 1024;
/// Modules that every YARA of version 4 is built with.
const MODULES: [&str; 9] = ["console", "dotnet", "elf", "hash", "math", "pe", "string", "tests", "time"];
/// Those that the file imports at its top.
const IMPORTED: [&str; 2] = ["hash", "pe"];
/// Numbers read from the file.
const FUNCTIONS: [&str; 12] = [
    "int8", "int16", "int32", "uint8", "uint16", "uint32", "int8be", "int16be", "int32be", "uint8be",
    "uint16be", "uint32be",
];

/// The names of the rules in a text that loads behind rules with these names; an error says why it does not.
pub(super) fn names(text: &str, taken: &FxHashSet<String>) -> Result<Vec<String>, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let ast = AST::from(text);
    if let Some(error) = ast.errors().first() {
        return Err(format!("it is no rule from byte {} on", begins(error)));
    }
    let mut modules: FxHashSet<&str> = IMPORTED.into_iter().collect();
    let mut names: Vec<String> = Vec::new();
    for item in ast.items() {
        match item {
            Item::Include(_) => return Err("it includes a file".into()),
            Item::Import(import) if !MODULES.contains(&import.module_name) => {
                return Err(format!("not every YARA has the module {}", import.module_name));
            }
            Item::Import(import) => drop(modules.insert(import.module_name)),
            Item::Rule(rule) => {
                let name = rule.identifier.name;
                if taken.contains(name) || names.iter().any(|other| other == name) || is_made_here(name) {
                    return Err(format!("the name {name} is taken"));
                }
                let knows = |word: &str| {
                    modules.contains(word) || taken.contains(word) || names.iter().any(|n| n == word)
                };
                check(rule, &knows).map_err(|reason| format!("{name}: {reason}"))?;
                names.push(name.to_owned());
            }
        }
    }
    match names.is_empty() {
        true => Err("there is no rule in it".into()),
        false => Ok(names),
    }
}

fn begins(error: &Error) -> usize {
    match error {
        Error::SyntaxError { span, .. }
        | Error::InvalidInteger { span, .. }
        | Error::InvalidFloat { span, .. }
        | Error::InvalidRegexpModifier { span, .. }
        | Error::InvalidEscapeSequence { span, .. }
        | Error::InvalidUTF8(span)
        | Error::UnexpectedEscapeSequence(span) => span.start(),
    }
}

/// The names of rules that are made from attributes end with a uuid.
fn is_made_here(name: &str) -> bool {
    let end = name.strip_prefix("MISP_").and_then(|rest| rest.rsplit_once('_')).map(|(_, end)| end);
    end.is_some_and(|end| end.len() == 32 && end.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn check(rule: &Rule<'_>, knows: &dyn Fn(&str) -> bool) -> Result<(), String> {
    let patterns = rule.patterns.as_deref().unwrap_or_default();
    let mut ids: FxHashSet<&str> = FxHashSet::default();
    for pattern in patterns {
        let id = pattern.identifier().name;
        if !ids.insert(id) && id != "$" {
            return Err(format!("there are several {id}"));
        }
        match pattern {
            Pattern::Text(text) if text.text.value.is_empty() => return Err(format!("{id} is empty")),
            Pattern::Regexp(expression) => regular(expression.regexp.src)?,
            _ => {}
        }
    }
    let mut found = Found { patterns, used: FxHashSet::default(), knows, variables: Vec::new() };
    found.expression(&rule.condition)?;
    match ids.iter().find(|id| !found.used.contains(**id) && !id.starts_with("$_")) {
        Some(id) => Err(format!("nothing asks for {id}")),
        None => Ok(()),
    }
}

/// YARA's expressions know no more than these do.
fn regular(expression: &str) -> Result<(), String> {
    let built = RegexBuilder::new(expression).unicode(false).size_limit(1 << 20).build();
    match built {
        Ok(_) if !expression.is_empty() => Ok(()),
        _ => Err("an expression cannot be read".into()),
    }
}

/// What a condition asks for.
struct Found<'r> {
    patterns: &'r [Pattern<'r>],
    used: FxHashSet<&'r str>,
    knows: &'r dyn Fn(&str) -> bool,
    /// Of the loops around.
    variables: Vec<&'r str>,
}

impl<'r> Found<'r> {
    /// `$a`, `#a`, `@a`, `!a`; alone they mean the one of the loop around.
    fn pattern(&mut self, id: &str) -> Result<(), String> {
        let name = id.get(1..).unwrap_or_default();
        if name.is_empty() {
            return Ok(());
        }
        let known = self.patterns.iter().map(|p| p.identifier().name).find(|known| known[1..] == *name);
        self.used.insert(known.ok_or_else(|| format!("there is no ${name}"))?);
        Ok(())
    }

    fn set(&mut self, set: &PatternSet<'r>) -> Result<(), String> {
        let all = self.patterns.iter().map(Pattern::identifier);
        let chosen: Vec<&str> = match set {
            PatternSet::Them { .. } => all.map(|id| id.name).collect(),
            PatternSet::Set(items) => {
                for item in items {
                    if !self.patterns.iter().any(|pattern| item.matches(pattern.identifier())) {
                        return Err(format!("there is no {}", item.identifier));
                    }
                }
                all.filter(|id| items.iter().any(|item| item.matches(id))).map(|id| id.name).collect()
            }
        };
        if chosen.is_empty() {
            return Err("there is nothing to look for".into());
        }
        self.used.extend(chosen);
        Ok(())
    }

    fn quantifier(&mut self, quantifier: &'r Quantifier<'r>) -> Result<(), String> {
        match quantifier {
            Quantifier::Percentage(expression) | Quantifier::Expr(expression) => self.expression(expression),
            _ => Ok(()),
        }
    }

    fn range(&mut self, range: &'r Range<'r>) -> Result<(), String> {
        self.expression(&range.lower_bound)?;
        self.expression(&range.upper_bound)
    }

    fn anchor(&mut self, anchor: Option<&'r MatchAnchor<'r>>) -> Result<(), String> {
        match anchor {
            Some(MatchAnchor::At(at)) => self.expression(&at.expr),
            Some(MatchAnchor::In(inside)) => self.range(&inside.range),
            None => Ok(()),
        }
    }

    fn expression(&mut self, expression: &'r Expr<'r>) -> Result<(), String> {
        match expression {
            Expr::Ident(word) => match (self.knows)(word.name) || self.variables.contains(&word.name) {
                true => Ok(()),
                false => Err(format!("nothing is known of {}", word.name)),
            },
            // What stands behind the first point is the module's.
            Expr::FieldAccess(fields) => fields.operands().take(1).try_for_each(|e| self.expression(e)),
            Expr::FuncCall(call) => {
                match &call.object {
                    Some(object) => self.expression(object)?,
                    None if FUNCTIONS.contains(&call.identifier.name) => {}
                    None => return Err(format!("nothing is known of {}", call.identifier.name)),
                }
                call.args.iter().try_for_each(|e| self.expression(e))
            }
            Expr::Regexp(expression) => regular(expression.src),
            Expr::PatternMatch(found) => {
                self.pattern(found.identifier.name)?;
                self.anchor(found.anchor.as_ref())
            }
            Expr::PatternCount(count) => {
                self.pattern(count.identifier.name)?;
                count.range.as_ref().map_or(Ok(()), |range| self.range(range))
            }
            Expr::PatternOffset(at) | Expr::PatternLength(at) => {
                self.pattern(at.identifier.name)?;
                at.index.as_ref().map_or(Ok(()), |index| self.expression(index))
            }
            Expr::Of(of) => {
                self.quantifier(&of.quantifier)?;
                match &of.items {
                    OfItems::PatternSet(set) => self.set(set)?,
                    OfItems::BoolExprTuple(_) => return Err("not every YARA counts conditions".into()),
                }
                self.anchor(of.anchor.as_ref())
            }
            Expr::ForOf(each) => {
                self.quantifier(&each.quantifier)?;
                self.set(&each.pattern_set)?;
                self.expression(&each.body)
            }
            Expr::ForIn(each) => {
                self.quantifier(&each.quantifier)?;
                match &each.iterable {
                    Iterable::Range(range) => self.range(range)?,
                    Iterable::ExprTuple(all) => all.iter().try_for_each(|e| self.expression(e))?,
                    Iterable::Expr(one) => self.expression(one)?,
                }
                let outside = self.variables.len();
                self.variables.extend(each.variables.iter().map(|variable| variable.name));
                let body = self.expression(&each.body);
                self.variables.truncate(outside);
                body
            }
            Expr::With(_) => Err("not every YARA knows `with`".into()),
            other => other.children().try_for_each(|e| self.expression(e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        names(text, &FxHashSet::from_iter(["before".to_owned()]))
    }

    #[test]
    fn rules_that_load_are_named() {
        for (text, wanted) in [
            ("rule a { condition: true }", "a"),
            (
                "import \"math\" rule b : tag { meta: x = \"y\" condition: math.entropy(0, filesize) > 7 }",
                "b",
            ),
            ("private rule c { condition: before } rule d { condition: c and pe.is_pe }", "c d"),
            (
                "rule e { strings: $a = \"x\" $b1 = /y{1,2}/i $b2 = { 4D ?? [2-4] 5A } condition: $a at 0 or any of ($b*) }",
                "e",
            ),
            ("rule f { strings: $ = \"x\" $ = \"y\" condition: all of them }", "f"),
            (
                "rule g { strings: $a = \"x\" condition: for all i in (1..#a) : (@a[i] < 100 and uint16(@a[i]) == 1) }",
                "g",
            ),
            (
                "rule h { strings: $_unused = \"x\" condition: for any s in pe.sections : (s.name == \".x\") }",
                "h",
            ),
            ("/* a comment */ rule i { condition: true } // and another", "i"),
        ] {
            assert_eq!(read(text).map(|names| names.join(" ")).as_deref(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_would_not_load_says_why() {
        for (text, reason) in [
            ("", "no rule in it"),
            ("rule a { condition: true", "no rule from byte"),
            ("rule a { strings: $a = \"x condition: $a }", "no rule from byte"),
            ("rule a { condition: true } /* open", "no rule from byte"),
            ("include \"x\" rule a { condition: true }", "includes a file"),
            ("import \"cuckoo\" rule a { condition: true }", "module cuckoo"),
            ("rule before { condition: true }", "before is taken"),
            ("rule a { condition: true } rule a { condition: true }", "a is taken"),
            ("rule MISP_md5_00000000000040008000000000000001 { condition: true }", "is taken"),
            ("rule a { condition: b }", "nothing is known of b"),
            ("rule a { condition: math.entropy(0, 1) > 1 }", "nothing is known of math"),
            ("rule a { condition: $a }", "there is no $a"),
            ("rule a { condition: any of them }", "nothing to look for"),
            ("rule a { strings: $a = \"x\" condition: true }", "nothing asks for $a"),
            ("rule a { strings: $a = \"x\" $a = \"y\" condition: $a }", "several $a"),
            ("rule a { strings: $a = /(/ condition: $a }", "expression"),
            ("rule a { strings: $a = \"\" condition: $a }", "$a is empty"),
            ("rule a { condition: for any i in (1..2) : (j == 1) }", "nothing is known of j"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert!(read(&format!("rule a {{ condition: {} true }}", "not ".repeat(50_000))).is_err());
    }
}
