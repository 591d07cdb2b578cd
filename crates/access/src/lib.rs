//! Who may see and do what: pure functions over plain facts.
//!
//! [`Actor`] is the first argument of every read and write in the platform. [`Visibility`] is the truth about
//! reading; the store renders the same truth into SQL, and a property test holds the two together.
//! [`edit`] is the truth about writing. No SQL, no clock.

pub mod actor;
pub mod edit;
pub mod visibility;

pub use actor::{Actor, Origin, Via};
pub use pisax_model::permission::{Permission, Permissions};
pub use visibility::{
    AnalystFacts, AttributeFacts, ClusterFacts, EventFacts, ObjectFacts, ProposalFacts, ReadingRules,
    SightingPolicy, Visibility,
};
