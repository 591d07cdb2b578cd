//! Pages of a long list: exact counts, addresses one can bookmark.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::{filters, links};

/// Where in a list a page is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "parts/paging.html")]
pub struct Paging {
    /// From 1.
    pub page: u64,
    pub per_page: u64,
    /// All that match, exactly.
    pub total: u64,
    /// What is counted, in the plural: `events`.
    pub noun: &'static str,
    /// The list's path.
    pub path: String,
    /// The query without the page: the search, the filter.
    pub query: Vec<(String, String)>,
    /// The id of the list within its page, where it is not the first thing there; else empty.
    pub anchor: &'static str,
}

impl HtmlSafe for Paging {}

impl Paging {
    /// On the last page where one beyond the end was asked for.
    pub fn within(mut self) -> Self {
        self.page = self.page.clamp(1, self.pages());
        self
    }

    /// Those of all rows that stand on this page.
    pub fn of<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        let from = (self.first().saturating_sub(1) as usize).min(all.len());
        &all[from..(self.last() as usize).clamp(from, all.len())]
    }

    /// The number of the first row on this page.
    pub fn first(&self) -> u64 {
        if self.total == 0 { 0 } else { (self.page.max(1) - 1) * self.per_page + 1 }
    }

    /// The number of the last row on this page.
    pub fn last(&self) -> u64 {
        (self.page.max(1) * self.per_page).min(self.total)
    }

    /// How many pages there are, at least one.
    pub fn pages(&self) -> u64 {
        self.total.div_ceil(self.per_page.max(1)).max(1)
    }

    /// The address of the page before this one.
    pub fn previous(&self) -> Option<String> {
        (self.page > 1).then(|| self.url((self.page - 1).min(self.pages())))
    }

    /// The address of the page after this one.
    pub fn next(&self) -> Option<String> {
        (self.page < self.pages()).then(|| self.url(self.page + 1))
    }

    /// The noun, in the singular where there is one.
    fn counted(&self) -> &str {
        if self.total == 1 { self.noun.trim_end_matches('s') } else { self.noun }
    }

    fn url(&self, page: u64) -> String {
        let number = page.to_string();
        let mut pairs: Vec<(&str, &str)> = self.query.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        if page > 1 {
            pairs.push(("page", &number));
        }
        let mut url = links::with_query(&self.path, &pairs);
        if !self.anchor.is_empty() {
            url.push('#');
            url.push_str(self.anchor);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging(page: u64, total: u64) -> Paging {
        Paging {
            page,
            per_page: 60,
            total,
            noun: "events",
            path: "/events/index".to_owned(),
            query: vec![("q".to_owned(), "bgp hijack".to_owned())],
            anchor: "",
        }
    }

    #[test]
    fn first_middle_and_last_page() {
        let first = paging(1, 130);
        assert_eq!((first.first(), first.last(), first.pages()), (1, 60, 3));
        assert_eq!(first.previous(), None);
        assert_eq!(first.next().as_deref(), Some("/events/index?q=bgp+hijack&page=2"));
        let middle = paging(2, 130);
        assert_eq!(middle.previous().as_deref(), Some("/events/index?q=bgp+hijack"));
        let last = paging(3, 130);
        assert_eq!((last.first(), last.last()), (121, 130));
        assert_eq!(last.next(), None);
    }

    #[test]
    fn nothing_and_a_page_beyond_the_end() {
        let none = paging(1, 0);
        assert_eq!((none.first(), none.last(), none.pages()), (0, 0, 1));
        assert!(none.of(&[0; 0]).is_empty());
        let all: Vec<u64> = (1..=130).collect();
        assert_eq!(paging(2, 130).of(&all), (61..=120).collect::<Vec<_>>());
        assert!(paging(u64::MAX / 60, 130).of(&all).is_empty());
        assert_eq!(paging(u64::MAX, 130).within().of(&all), (121..=130).collect::<Vec<_>>());
        assert_eq!(paging(9, 130).previous().as_deref(), Some("/events/index?q=bgp+hijack&page=3"));
    }
}
