//! The modules there are, under MISP's names and with the parameters MISP's graphs give them.

mod action;
mod logic;
mod trigger;

pub use trigger::{
    ATTRIBUTE_AFTER_SAVE, ENRICHMENT_BEFORE_QUERY, EVENT_AFTER_SAVE, EVENT_AFTER_SAVE_NEW, EVENT_BEFORE_SAVE,
    EVENT_PUBLISH, LOG_AFTER_SAVE, OBJECT_AFTER_SAVE, PROPOSAL_AFTER_SAVE, PROPOSAL_BEFORE_SAVE,
    REPORT_AFTER_SAVE, SIGHTING_AFTER_SAVE, TAG_ATTACHED_AFTER_SAVE, USER_AFTER_SAVE, USER_BEFORE_SAVE,
};

/// What a module is in a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Begins.
    Trigger,
    /// Chooses the way.
    Logic,
    /// Does something.
    Action,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Logic => "logic",
            Self::Action => "action",
        }
    }
}

/// Something a module is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    pub id: &'static str,
    pub label: &'static str,
    /// `input`, `textarea`, `select`, `picker` (a list) or `hashpath`.
    pub form: &'static str,
    pub default: &'static str,
    /// Of a select: the values, with what they mean.
    pub options: &'static [(&'static str, &'static str)],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Module {
    pub id: &'static str,
    pub kind: Kind,
    pub name: &'static str,
    pub description: &'static str,
    pub icon: &'static str,
    /// A trigger that can be refused; an action that refuses.
    pub blocking: bool,
    pub inputs: u8,
    pub outputs: u8,
    /// Whether an output may lead to several nodes.
    pub many_links: bool,
    /// Whether what it is for can be narrowed down to some attributes.
    pub filters: bool,
    /// What a trigger is about.
    pub scope: &'static str,
    /// Whether it gives, or needs, an event in MISP's core format.
    pub core_format: bool,
    /// Whether it is switched on from the beginning.
    pub preset: bool,
    pub params: &'static [Param],
}

const PLAIN: Module = Module {
    id: "",
    kind: Kind::Action,
    name: "",
    description: "",
    icon: "",
    blocking: false,
    inputs: 1,
    outputs: 1,
    many_links: false,
    filters: false,
    scope: "",
    core_format: false,
    preset: false,
    params: &[],
};

const fn param(
    id: &'static str,
    label: &'static str,
    form: &'static str,
    default: &'static str,
    options: &'static [(&'static str, &'static str)],
) -> Param {
    Param { id, label, form, default, options }
}

const DISTRIBUTIONS: &[(&str, &str)] =
    &[("0", "Organisation"), ("1", "Community"), ("2", "Connected"), ("3", "All"), ("4", "Sharing Group")];

/// Every module; where one stands here is its place in the set of those that are switched on.
pub const ALL: &[Module] = &joined(&[trigger::TRIGGERS, logic::LOGIC, action::ACTIONS]);

const COUNT: usize = trigger::TRIGGERS.len() + logic::LOGIC.len() + action::ACTIONS.len();

const fn joined(parts: &[&[Module]; 3]) -> [Module; COUNT] {
    let mut all = [PLAIN; COUNT];
    let (mut at, mut part) = (0, 0);
    while part < parts.len() {
        let mut place = 0;
        while place < parts[part].len() {
            all[at] = parts[part][place];
            place += 1;
            at += 1;
        }
        part += 1;
    }
    all
}

/// The module of this name.
pub fn find(id: &str) -> Option<&'static Module> {
    ALL.iter().find(|module| module.id == id)
}

/// Which modules are switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switched(u64);

impl Switched {
    /// As it is before anybody changes it: no trigger at all.
    pub const fn preset() -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < ALL.len() {
            if ALL[at].preset {
                bits |= 1 << at;
            }
            at += 1;
        }
        Self(bits)
    }

    fn bit(id: &str) -> u64 {
        ALL.iter().position(|module| module.id == id).map_or(0, |at| 1 << at)
    }

    pub fn has(self, id: &str) -> bool {
        self.0 & Self::bit(id) != 0
    }

    pub fn set(&mut self, id: &str, on: bool) {
        if on {
            self.0 |= Self::bit(id);
        } else {
            self.0 &= !Self::bit(id);
        }
    }

    /// Whether anything begins by itself after something was saved.
    pub fn follows(self) -> bool {
        ALL.iter().any(|m| m.kind == Kind::Trigger && !m.blocking && self.has(m.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_used_once_and_fit_into_the_set() {
        assert!(ALL.len() < 64);
        for (at, module) in ALL.iter().enumerate() {
            assert_eq!(ALL.iter().position(|m| m.id == module.id), Some(at), "{}", module.id);
            assert_eq!(module.kind == Kind::Trigger, module.inputs == 0, "{}", module.id);
        }
    }

    #[test]
    fn no_trigger_is_on_before_somebody_says_so() {
        let mut switched = Switched::preset();
        assert!(switched.has("stop-execution") && !switched.has("tag_operation"));
        assert!(ALL.iter().all(|m| m.kind != Kind::Trigger || !switched.has(m.id)));
        assert!(!switched.follows());
        switched.set(EVENT_PUBLISH, true);
        assert!(!switched.follows(), "it begins before, not after");
        switched.set(LOG_AFTER_SAVE, true);
        switched.set("no-such-module", true);
        assert!(switched.follows());
        switched.set(LOG_AFTER_SAVE, false);
        assert!(!switched.follows());
    }
}
