//! How the model is written in others' languages and read from them.
//!
//! [`knowledge`] reads the published libraries of taxonomies, galaxies, object templates and warninglists;
//! [`sample`] seals samples of malware; [`export`] writes the `returnFormat`s of restSearch other than JSON. None
//! knows a database or a network: whoever calls brings the rows and takes the bytes.

pub mod export;
pub mod knowledge;
pub mod misp_xml;
pub mod page;
pub mod picture;
pub mod rules;
pub mod sample;
pub mod stix1;
pub mod stix2;
pub mod summary;
pub mod template;
pub mod workflow;
mod xml;
