//! What all forms share: choices, and errors next to the field they are about.

use std::fmt;

use askama::filters::HtmlSafe;

use crate::words;

/// An option of a select.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
}

impl Choice {
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }
}

/// A box among several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ticked {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    pub on: bool,
}

/// Who may see an event: codes 0 to 4, the last only where there are groups.
pub fn event_distributions(with_groups: bool) -> Vec<Choice> {
    (0..=if with_groups { 4 } else { 3 }).map(distribution).collect()
}

/// Who may see an attribute: the same as its event first, since that is what is nearly always right.
pub fn attribute_distributions(with_groups: bool) -> Vec<Choice> {
    std::iter::once(distribution(5)).chain(event_distributions(with_groups)).collect()
}

fn distribution(code: i64) -> Choice {
    Choice::new(code.to_string(), words::visibility_sentence(code, None))
}

/// MISP's threat levels, worst first.
pub fn threat_levels() -> Vec<Choice> {
    (1..=4).map(|id| Choice::new(id.to_string(), words::threat_level(id))).collect()
}

/// MISP's states of analysis.
pub fn analyses() -> Vec<Choice> {
    (0..=2).map(|code| Choice::new(code.to_string(), words::analysis(code))).collect()
}

/// What is wrong, by the name of the field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errors(Vec<(String, String)>);

impl Errors {
    /// Notes what is wrong with a field. A name that is no field of the form is shown above it.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push((field.into(), message.into()));
    }

    /// One error.
    pub fn one(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self(vec![(field.into(), message.into())])
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with a field.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, message)| message.as_str())
    }

    /// Errors about none of these fields.
    pub(crate) fn beside(&self, fields: &[&str]) -> Vec<&str> {
        self.0.iter().filter(|(name, _)| !fields.contains(&name.as_str())).map(|(_, m)| m.as_str()).collect()
    }

    /// The attributes that tie an input to its error.
    pub(crate) fn aria(&self, field: &'static str) -> Aria {
        Aria(self.of(field).is_some().then_some(field))
    }
}

impl FromIterator<(String, String)> for Errors {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(errors: I) -> Self {
        Self(errors.into_iter().collect())
    }
}

/// ` aria-invalid="true" aria-describedby="…-error"`, or nothing. The name is one of ours, never a user's.
pub(crate) struct Aria(Option<&'static str>);

impl fmt::Display for Aria {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(field) => write!(f, " aria-invalid=\"true\" aria-describedby=\"{field}-error\""),
            None => Ok(()),
        }
    }
}

impl askama::FastWritable for Aria {
    fn write_into(&self, dest: &mut dyn fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
        Ok(write!(dest, "{self}")?)
    }
}

impl HtmlSafe for Aria {}
