//! The graph of a workflow, and what is wrong with one.

use super::module::{self, Kind, Module};
use super::{Data, Filter};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Nodes a graph may have, and links of one.
pub const MAX_NODES: usize = 500;
pub const MAX_LINKS: usize = 2000;

/// Where an output leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub node: i64,
    /// `input_1`
    pub port: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// `output_1`
    pub port: String,
    pub links: Vec<Link>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    pub id: i64,
    /// The module it stands for.
    pub module: String,
    pub outputs: Vec<Output>,
    /// What the module is told, by name.
    pub params: BTreeMap<String, Data>,
    /// Which items an action is for; `None`: all.
    pub filter: Option<Filter>,
}

impl Node {
    pub fn known(&self) -> Option<&'static Module> {
        module::find(&self.module)
    }

    /// What the module is told, or what it takes for granted.
    pub fn param(&self, name: &str) -> Data {
        let given = self.params.get(name).filter(|value| **value != Data::Null);
        given.cloned().unwrap_or_else(|| {
            let known = self.known().and_then(|m| m.params.iter().find(|p| p.id == name));
            known.map_or(Data::Null, |param| param.default.into())
        })
    }

    pub fn text(&self, name: &str) -> String {
        self.param(name).text().unwrap_or_default()
    }

    /// Where an output leads, by its number from 1.
    pub fn links(&self, output: usize) -> &[Link] {
        let port = format!("output_{output}");
        self.outputs.iter().find(|o| o.port == port).map_or(&[], |o| &o.links)
    }

    fn all_links(&self) -> impl Iterator<Item = &Link> {
        self.outputs.iter().flat_map(|output| &output.links)
    }
}

/// Nodes by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Graph {
    pub nodes: BTreeMap<i64, Node>,
}

/// What is wrong with a graph; every word of it names the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    TooLarge,
    NoTrigger,
    SeveralTriggers(Vec<i64>),
    UnknownModule { node: i64, module: String },
    UnknownPort { node: i64, port: String },
    NowhereTo { node: i64, to: i64 },
    SeveralLinks { node: i64, port: String },
    Cycle(Vec<i64>),
}

fn listed(nodes: &[i64]) -> String {
    nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => {
                write!(f, "Cannot save a workflow of more than {MAX_NODES} nodes or {MAX_LINKS} links")
            }
            Self::NoTrigger => {
                write!(f, "Cannot save a workflow containing no or more than one trigger: it has none")
            }
            Self::SeveralTriggers(nodes) => {
                let nodes = listed(nodes);
                write!(f, "Cannot save a workflow containing no or more than one trigger: nodes {nodes}")
            }
            Self::UnknownModule { node, module } => {
                write!(f, "Node {node} is of the unknown module `{module}`")
            }
            Self::UnknownPort { node, port } => write!(f, "Node {node} has no port `{port}`"),
            Self::NowhereTo { node, to } => write!(f, "Node {node} leads to node {to}, which does not exist"),
            Self::SeveralLinks { node, port } => {
                write!(
                    f,
                    "Cannot save a workflow having more than one connection per output: `{port}` of node {node}"
                )
            }
            Self::Cycle(nodes) => {
                write!(f, "Cannot save a workflow containing a cycle: nodes {}", listed(nodes))
            }
        }
    }
}

impl Graph {
    /// The node that begins, where there is one.
    pub fn trigger(&self) -> Option<&Node> {
        self.triggers().next()
    }

    fn triggers(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values().filter(|node| node.known().is_some_and(|m| m.kind == Kind::Trigger))
    }

    /// Everything that is wrong with it; nothing, when it can run.
    pub fn faults(&self) -> Vec<Wrong> {
        let links: usize = self.nodes.values().map(|node| node.all_links().count()).sum();
        if self.nodes.len() > MAX_NODES || links > MAX_LINKS {
            return vec![Wrong::TooLarge];
        }
        let mut faults = Vec::new();
        for node in self.nodes.values() {
            self.faults_of(node, &mut faults);
        }
        let triggers: Vec<i64> = self.triggers().map(|node| node.id).collect();
        match triggers.len() {
            0 => faults.push(Wrong::NoTrigger),
            1 => {}
            _ => faults.push(Wrong::SeveralTriggers(triggers)),
        }
        faults.extend(self.several_links().map(|(node, port)| Wrong::SeveralLinks { node, port }));
        faults.extend(self.cycle().map(Wrong::Cycle));
        faults
    }

    fn faults_of(&self, node: &Node, faults: &mut Vec<Wrong>) {
        let Some(known) = node.known() else {
            return faults.push(Wrong::UnknownModule { node: node.id, module: node.module.clone() });
        };
        for output in &node.outputs {
            if !output.links.is_empty() && !is_port(&output.port, "output_", known.outputs) {
                faults.push(Wrong::UnknownPort { node: node.id, port: output.port.clone() });
            }
        }
        for link in node.all_links() {
            let Some(next) = self.nodes.get(&link.node) else {
                faults.push(Wrong::NowhereTo { node: node.id, to: link.node });
                continue;
            };
            if next.known().is_some_and(|m| !is_port(&link.port, "input_", m.inputs)) {
                faults.push(Wrong::UnknownPort { node: next.id, port: link.port.clone() });
            }
        }
    }

    /// Outputs with several links, of modules whose outputs have one.
    pub fn several_links(&self) -> impl Iterator<Item = (i64, String)> {
        self.nodes.values().filter(|node| node.known().is_none_or(|m| !m.many_links)).flat_map(|node| {
            let many = node.outputs.iter().filter(|output| output.links.len() > 1);
            many.map(|output| (node.id, output.port.clone()))
        })
    }

    /// Nodes that lead to each other, in that order.
    pub fn cycle(&self) -> Option<Vec<i64>> {
        let mut done = BTreeSet::new();
        for start in self.nodes.keys() {
            // The way from the start to here, each with the nodes it still leads to.
            let mut way: Vec<(i64, Vec<i64>)> = vec![(*start, self.next(*start))];
            while let Some((node, rest)) = way.last_mut() {
                let node = *node;
                let Some(next) = rest.pop() else {
                    done.insert(node);
                    way.pop();
                    continue;
                };
                if let Some(at) = way.iter().position(|(node, _)| *node == next) {
                    return Some(way[at..].iter().map(|(node, _)| *node).collect());
                }
                if !done.contains(&next) {
                    way.push((next, self.next(next)));
                }
            }
        }
        None
    }

    fn next(&self, node: i64) -> Vec<i64> {
        self.nodes.get(&node).map_or_else(Vec::new, |node| node.all_links().map(|link| link.node).collect())
    }
}

/// `output_2`, of as many as there are.
fn is_port(name: &str, prefix: &str, count: u8) -> bool {
    let number = name.strip_prefix(prefix).and_then(|n| n.parse::<u8>().ok());
    number.is_some_and(|n| (1..=count).contains(&n))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number, module, and outputs with the nodes they lead to.
    type Sketch<'s> = (i64, &'s str, &'s [(&'s str, i64)]);

    fn graph(nodes: &[Sketch<'_>]) -> Graph {
        let nodes = nodes.iter().map(|(id, module, links)| {
            let output = |(port, node): &(&str, i64)| Output {
                port: (*port).into(),
                links: vec![Link { node: *node, port: "input_1".into() }],
            };
            let node = Node {
                id: *id,
                module: (*module).into(),
                outputs: links.iter().map(output).collect(),
                ..Node::default()
            };
            (*id, node)
        });
        Graph { nodes: nodes.collect() }
    }

    #[test]
    fn a_tree_behind_one_trigger_is_right() {
        let right = graph(&[
            (1, "event-publish", &[("output_1", 2)]),
            (2, "tag-if", &[("output_1", 3), ("output_2", 4)]),
            (3, "stop-execution", &[]),
            (4, "webhook", &[]),
        ]);
        assert_eq!(right.faults(), []);
        assert_eq!(right.trigger().map(|node| node.id), Some(1));
    }

    #[test]
    fn what_is_wrong_names_the_node() {
        let wrong = |nodes: &[Sketch<'_>]| {
            graph(nodes).faults().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        assert!(wrong(&[]).contains("it has none"));
        assert!(wrong(&[(1, "event-publish", &[]), (7, "event-after-save", &[])]).contains("nodes 1, 7"));
        assert!(wrong(&[(1, "event-publish", &[("output_1", 9)])]).contains("leads to node 9"));
        assert!(
            wrong(&[(1, "event-publish", &[]), (5, "make-tea", &[])])
                .contains("Node 5 is of the unknown module")
        );
        let port = wrong(&[(1, "event-publish", &[("output_2", 2)]), (2, "webhook", &[])]);
        assert_eq!(port, "Node 1 has no port `output_2`");
        let into = wrong(&[(1, "event-publish", &[]), (2, "webhook", &[("output_1", 1)])]);
        assert_eq!(into, "Node 1 has no port `input_1`");
        let round = wrong(&[
            (1, "event-publish", &[("output_1", 2)]),
            (2, "webhook", &[("output_1", 3)]),
            (3, "webhook", &[("output_1", 2)]),
        ]);
        assert!(round.ends_with("a cycle: nodes 2, 3"), "{round}");
        let itself = wrong(&[(1, "event-publish", &[("output_1", 2)]), (2, "webhook", &[("output_1", 2)])]);
        assert!(itself.ends_with("nodes 2"), "{itself}");
    }

    #[test]
    fn an_output_has_one_link_unless_it_is_for_concurrent_tasks() {
        let two = |module: &str| {
            let mut graph =
                graph(&[(1, "event-publish", &[("output_1", 2)]), (2, module, &[]), (3, "webhook", &[])]);
            let link = |node| Link { node, port: "input_1".into() };
            let node = graph.nodes.get_mut(&2).unwrap();
            node.outputs = vec![Output { port: "output_1".into(), links: vec![link(3), link(3)] }];
            graph.faults()
        };
        assert_eq!(two("concurrent-task"), []);
        assert_eq!(two("webhook"), [Wrong::SeveralLinks { node: 2, port: "output_1".into() }]);
    }

    #[test]
    fn a_ladder_of_diamonds_is_looked_through_once() {
        let rungs: Vec<(i64, [(&str, i64); 2])> =
            (2..300).map(|i| (i, [("output_1", i + 1), ("output_2", i + 1)])).collect();
        let mut nodes: Vec<Sketch<'_>> = vec![(1, "event-publish", &[("output_1", 2)])];
        nodes.extend(rungs.iter().map(|(id, links)| (*id, "tag-if", &links[..])));
        nodes.push((300, "webhook", &[]));
        assert_eq!(graph(&nodes).faults(), []);
    }
}
