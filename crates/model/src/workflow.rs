//! Workflows: graphs of modules that run when something happens. What a graph may look like, what its conditions
//! mean, and which modules there are; running them is for those who can do what an action does.

pub mod condition;
pub mod data;
pub mod graph;
pub mod module;
mod path;

pub use condition::{Filter, Operator};
pub use data::Data;
pub use graph::{Graph, Link, Node, Output, Wrong};
pub use module::{Kind, Module};
