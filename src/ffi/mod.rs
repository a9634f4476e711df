//! The C ABI: handles, conversion of text and buffers, and the exported functions. No logic.
//!
//! The only layer with `unsafe`. Every export is one call of `guard`, which catches panics, turns a failure into its
//! status and keeps its text for `mt5mqtt_last_error`. include/mt5mqtt.h is generated from the doc comments here.

#![allow(unsafe_code)]
// What a caller promises about pointers is the same for every export; the conventions at the top of the header say it once.
#![allow(clippy::missing_safety_doc)]

mod agreement;
mod arguments;
mod guard;
mod handles;
mod text;
#[cfg(windows)]
mod unload;

// The header has them in this order, which is that of a first reading.

pub mod constants;

pub mod library;

pub mod client;

pub mod publish;

pub mod event;

pub mod event_properties;

pub mod properties;

pub mod publish_options;

pub mod request_response;

pub mod authentication;

pub mod batch;

pub mod sharing;
