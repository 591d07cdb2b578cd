//! All warninglists of an instance, ready to be asked about any value.
//!
//! Lists of one kind share one index, so that the cost of a question hardly depends on how many lists there
//! are: one probe for all string lists, one per domain label for all host lists, one per prefix length for
//! all networks, one pass over the value for all substrings. Which list an entry belongs to is kept with it.

mod cidr;
mod hashed;
mod host;
mod regexes;
mod substring;
#[cfg(test)]
mod tests;

use cidr::Networks;
use hashed::Hashed;
use pisax_model::AttributeType;
use pisax_model::correlation::Net;
use pisax_model::knowledge::{ALL_TYPES, WarninglistCategory, WarninglistKind};
use regexes::Regexes;
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock};
use substring::Substrings;

/// Place of a list in the order it was given.
type Index = u16;

/// The most lists one set holds; the published library has 119.
pub const MAX_LISTS: usize = hashed::MAX_LISTS;

/// A list without its entries.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// Its row number, which hits name.
    pub id: i64,
    pub name: String,
    pub category: WarninglistCategory,
    pub kind: WarninglistKind,
    /// Attribute types it is meant for; `ALL` for any.
    pub matching: Vec<String>,
}

/// A value was found in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub list_id: i64,
    /// The entry; for networks as `address/length`.
    pub matched: String,
    /// Which half of the attribute's value was found.
    pub half: Half,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    First,
    Second,
}

/// An entry that cannot be used, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub list_id: i64,
    pub entry: String,
    pub message: String,
}

/// What was found, before it is worth a `String`.
#[derive(Clone, Copy)]
enum Matched<'a> {
    Text(&'a str),
    Net(Net),
}

impl Matched<'_> {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text.to_owned(),
            Self::Net(net) => cidr::text(net),
        }
    }
}

/// A set of lists, by place.
#[derive(Debug, Clone, Default, PartialEq)]
struct Lists(Box<[u64]>);

impl Lists {
    fn of(size: usize, members: impl Iterator<Item = usize>) -> Self {
        let mut words = vec![0u64; size.div_ceil(64)];
        members.for_each(|list| words[list / 64] |= 1 << (list % 64));
        Self(words.into())
    }

    fn has(&self, list: Index) -> bool {
        self.0.get(usize::from(list) / 64).is_some_and(|word| word >> (list % 64) & 1 == 1)
    }

    fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&*other.0).any(|(a, b)| a & b != 0)
    }

    fn common(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&*other.0).map(|(a, b)| a & b).collect())
    }
}

/// The lists meant for one attribute type: all of them, and those whose hits mean "harmless".
#[derive(Debug, Default)]
struct Meant {
    any: Lists,
    false_positive: Lists,
}

/// Every enabled warninglist, read-only.
#[derive(Default)]
pub struct Warninglists {
    lists: Vec<List>,
    strings: Hashed,
    hosts: Hashed,
    substrings: Substrings,
    networks: Networks,
    regexes: Regexes,
    /// Lists of each kind, so that a type no list of a kind is meant for costs nothing.
    of_kind: [Lists; 5],
    every: Lists,
    by_type: FxHashMap<AttributeType, Meant>,
    /// For types that no list names: the lists meant for all.
    by_default: Meant,
}

// ---- Building -----------------------------------------------------------------------------------------

/// Takes lists one by one and entry by entry, so that a reader of the database need not hold them.
#[derive(Default)]
pub struct Builder {
    lists: Vec<List>,
    strings: hashed::Builder,
    hosts: hashed::Builder,
    substrings: substring::Builder,
    networks: cidr::Builder,
    regexes: regexes::Builder,
    problems: Vec<Problem>,
    /// The list begun last did not fit: its entries belong nowhere.
    full: bool,
}

/// Problems kept; a list of a million wrong entries needs no million messages.
const MAX_PROBLEMS: usize = 1_000;

impl Builder {
    /// Begins a list; the entries that follow are its own. `false`: there are [`MAX_LISTS`] already, and
    /// this one and its entries are left out.
    #[must_use]
    pub fn list(&mut self, list: List) -> bool {
        self.full = self.lists.len() == MAX_LISTS;
        if !self.full {
            self.lists.push(list);
        }
        !self.full
    }

    /// Adds an entry to the list begun last.
    pub fn entry(&mut self, entry: &str) {
        let Some(list) = self.lists.last() else { return };
        let index = (self.lists.len() - 1) as Index;
        let entry = entry.trim();
        if entry.is_empty() || self.full {
            return;
        }
        let added = match list.kind {
            WarninglistKind::String => {
                self.strings.add(index, &lowered(entry));
                Ok(())
            }
            WarninglistKind::Hostname => {
                // Entries are written `.example.com` and `example.com.` too.
                match lowered(entry).trim_matches('.') {
                    "" => Err("no host name".to_owned()),
                    name => {
                        self.hosts.add(index, name);
                        Ok(())
                    }
                }
            }
            WarninglistKind::Substring => {
                self.substrings.add(index, &lowered(entry));
                Ok(())
            }
            WarninglistKind::Cidr => self.networks.add(index, entry),
            WarninglistKind::Regex => self.regexes.add(index, entry),
        };
        if let Err(message) = added
            && self.problems.len() < MAX_PROBLEMS
        {
            self.problems.push(Problem { list_id: list.id, entry: entry.to_owned(), message });
        }
    }

    /// The finished set, and what could not be used.
    pub fn finish(mut self) -> (Warninglists, Vec<Problem>) {
        let lists = self.lists;
        let size = lists.len();
        let (regexes, refused) = self.regexes.finish();
        self.problems.extend(refused.into_iter().map(|(index, message)| Problem {
            list_id: lists[usize::from(index)].id,
            entry: String::new(),
            message,
        }));
        let substrings = self.substrings.finish().unwrap_or_else(|(index, message)| {
            let list_id = lists[usize::from(index)].id;
            self.problems.push(Problem { list_id, entry: String::new(), message });
            Substrings::default()
        });
        let with = |test: &dyn Fn(&List) -> bool| {
            Lists::of(size, lists.iter().enumerate().filter(|(_, list)| test(list)).map(|(index, _)| index))
        };
        let false_positive = with(&|list| list.category == WarninglistCategory::FalsePositive);
        let meant = |any: Lists| Meant { false_positive: any.common(&false_positive), any };
        let mut by_type = FxHashMap::default();
        for name in lists.iter().flat_map(|list| &list.matching) {
            // A type this version does not know has no attributes either.
            if let Some(kind) = AttributeType::parse(name)
                && !by_type.contains_key(&kind)
            {
                let lists = with(&|list| list.matching.iter().any(|t| t == kind.name() || t == ALL_TYPES));
                by_type.insert(kind, meant(lists));
            }
        }
        let set = Warninglists {
            strings: self.strings.finish(),
            hosts: self.hosts.finish(),
            substrings,
            networks: self.networks.finish(),
            regexes,
            of_kind: KINDS.map(|kind| with(&|list| list.kind == kind)),
            every: with(&|_| true),
            by_type,
            by_default: meant(with(&|list| list.matching.iter().any(|t| t == ALL_TYPES))),
            lists,
        };
        (set, self.problems)
    }
}

const KINDS: [WarninglistKind; 5] = [
    WarninglistKind::String,
    WarninglistKind::Hostname,
    WarninglistKind::Substring,
    WarninglistKind::Cidr,
    WarninglistKind::Regex,
];

fn lowered(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_uppercase() || !b.is_ascii()) {
        text.to_lowercase().into()
    } else {
        text.into()
    }
}

// ---- Asking -------------------------------------------------------------------------------------------

impl Warninglists {
    /// Builds from lists with their entries; lists beyond [`MAX_LISTS`] are left out.
    pub fn build<E: AsRef<str>>(
        lists: impl IntoIterator<Item = (List, impl IntoIterator<Item = E>)>,
    ) -> (Self, Vec<Problem>) {
        let mut builder = Builder::default();
        for (list, entries) in lists {
            if !builder.list(list) {
                break;
            }
            entries.into_iter().for_each(|entry| builder.entry(entry.as_ref()));
        }
        builder.finish()
    }

    /// The lists, in the order they were given.
    pub fn lists(&self) -> &[List] {
        &self.lists
    }

    pub fn list(&self, id: i64) -> Option<&List> {
        self.lists.iter().find(|list| list.id == id)
    }

    /// Every list that has the value, whatever types the list is meant for (`warninglists/checkValue`).
    pub fn check(&self, value: &str) -> Vec<Hit> {
        self.collect(&self.every, value, "")
    }

    /// The lists meant for the type that have either half of an attribute's value; at most one hit a list.
    pub fn hits(&self, kind: AttributeType, value1: &str, value2: &str) -> Vec<Hit> {
        self.collect(&self.meant(kind).any, value1, value2)
    }

    /// Whether `hits` would find any.
    pub fn is_hit(&self, kind: AttributeType, value1: &str, value2: &str) -> bool {
        self.any(&self.meant(kind).any, value1, value2)
    }

    /// Whether a list of harmless values (category `false_positive`) meant for the type has it.
    pub fn is_false_positive(&self, kind: AttributeType, value1: &str, value2: &str) -> bool {
        self.any(&self.meant(kind).false_positive, value1, value2)
    }

    /// Bytes held on the heap by the indexes, as far as they can be counted.
    pub fn heap_bytes(&self) -> usize {
        self.strings.heap_bytes()
            + self.hosts.heap_bytes()
            + self.substrings.heap_bytes()
            + self.networks.heap_bytes()
            + self.regexes.heap_bytes()
    }

    fn meant(&self, kind: AttributeType) -> &Meant {
        self.by_type.get(&kind).unwrap_or(&self.by_default)
    }

    fn any(&self, among: &Lists, value1: &str, value2: &str) -> bool {
        let stop = |_: Index, _: Matched<'_>| ControlFlow::Break(());
        [value1, value2].iter().any(|value| self.find(among, value, stop).is_break())
    }

    fn collect(&self, among: &Lists, value1: &str, value2: &str) -> Vec<Hit> {
        let mut found: Vec<(Index, Half, String)> = Vec::new();
        for (half, value) in [(Half::First, value1), (Half::Second, value2)] {
            let _ = self.find(among, value, |list, matched| {
                if !found.iter().any(|(known, ..)| *known == list) {
                    found.push((list, half, matched.into_text()));
                }
                ControlFlow::Continue(())
            });
        }
        found.sort_by_key(|(list, ..)| *list);
        let hit = |(list, half, matched)| Hit { list_id: self.lists[usize::from(list)].id, matched, half };
        found.into_iter().map(hit).collect()
    }

    /// Tells `found` every list among `among` that has the value, in no order, until it breaks.
    fn find(
        &self,
        among: &Lists,
        value: &str,
        mut found: impl FnMut(Index, Matched<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let value = value.trim();
        if value.is_empty() || self.lists.is_empty() {
            return ControlFlow::Continue(());
        }
        let [strings, hosts, substrings, networks, regexes] = &self.of_kind;
        let lower = lowered(value);
        if among.meets(strings) {
            self.strings.find(&lower, |list| {
                if among.has(list) { found(list, Matched::Text(&lower)) } else { ControlFlow::Continue(()) }
            })?;
        }
        if among.meets(hosts) {
            for domain in host::domains(host::of(&lower)) {
                self.hosts.find(domain, |list| {
                    if among.has(list) {
                        found(list, Matched::Text(domain))
                    } else {
                        ControlFlow::Continue(())
                    }
                })?;
            }
        }
        if among.meets(networks)
            && let Some(net) = host::net(&lower)
        {
            self.networks.find(net, |list, entry| {
                if among.has(list) { found(list, Matched::Net(entry)) } else { ControlFlow::Continue(()) }
            })?;
        }
        if among.meets(substrings) {
            self.substrings.find(&lower, among, |list, entry| found(list, Matched::Text(entry)))?;
        }
        if among.meets(regexes) {
            self.regexes.find(value, among, |list, entry| found(list, Matched::Text(entry)))?;
        }
        ControlFlow::Continue(())
    }
}

// ---- Sharing ------------------------------------------------------------------------------------------

/// The set everybody asks, exchanged whole when lists are imported, enabled or disabled.
#[derive(Default)]
pub struct SharedWarninglists(RwLock<Arc<Warninglists>>);

impl SharedWarninglists {
    pub fn new(set: Warninglists) -> Self {
        Self(RwLock::new(Arc::new(set)))
    }

    /// The set as it is now; keep it for the whole of one answer.
    pub fn load(&self) -> Arc<Warninglists> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn store(&self, set: Warninglists) {
        // The old set is freed after the lock is: 20 MB take a while.
        let old = {
            let mut shared = self.0.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *shared, Arc::new(set))
        };
        drop(old);
    }
}
