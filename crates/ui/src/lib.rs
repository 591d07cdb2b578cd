//! The pages: typed views, the templates that draw them, and the HTTP side that fills and serves them.
//!
//! A page is a struct of plain values in the module of its name; what is in the struct is shown. Every page
//! carries a [`Chrome`] (who is signed in, the CSRF token, messages), works without the script, and holds no
//! inline script or style, so that it can be served under [`assets::CSP`]. Only [`serve`] asks the service
//! and the store; the binary hands it every request that is not the API's.

pub mod api_reference;
pub mod assets;
pub mod attribute_form;
pub mod chrome;
pub mod dry_run;
pub mod event_form;
pub mod event_list;
pub mod event_page;
pub mod fault;
pub mod form;
pub mod freetext;
pub mod guard_form;
pub mod indicator;
pub mod job_list;
pub mod links;
pub mod paging;
pub mod serve;
pub mod server_form;
pub mod server_list;
pub mod server_page;
pub mod sign_in;
pub mod tag;
pub mod time;
pub mod words;

mod filters;

pub use api_reference::{ApiArea, ApiCall, ApiReference};
pub use askama::Template;
pub use assets::{Asset, CSP, asset};
pub use attribute_form::AttributeForm;
pub use chrome::{Area, Chrome, Flash, FlashKind, SignedIn};
pub use dry_run::{Coming, DryRun, Leaving, WhatComes, WhatLeaves};
pub use event_form::EventForm;
pub use event_list::{EventList, EventRow, Listing};
pub use event_page::{
    AttributeRow, EventLink, EventPage, ObjectReference, ObjectRow, PostAction, Related, RelatedEvent, Seen,
};
pub use fault::Fault;
pub use form::{Choice, Errors, Ticked};
pub use freetext::{FreetextPaste, FreetextReview, ReviewRow, SubmittedRow};
pub use guard_form::GuardForm;
pub use indicator::Indicator;
pub use job_list::{JobList, JobRow, JobState};
pub use paging::Paging;
pub use serve::{Pages, router};
pub use server_form::ServerForm;
pub use server_list::{Exchange, OutcomeCount, ServerLink, ServerList, ServerRow};
pub use server_page::{LedgerRow, LedgerView, ServerPage};
pub use sign_in::SignIn;
pub use tag::{Tag, Tlp};
pub use time::Time;
