//! The built library as a host sees it: every call goes through the C ABI of the loaded library.
//!
//! What the client does with a Server is proven in the client_ tests, what a C program sees in c_host. Here stand the
//! promises of the ABI itself: handles, pointers, texts, buffers, threads, bounds, and that no mistake of a host ends its
//! process.

#[path = "../common/mod.rs"]
mod common;

mod batches;
mod bounds;
mod buffers;
mod declarations;
mod deduplication;
mod doctor;
mod event_layout;
mod events;
mod features;
mod handles;
mod host;
mod left_locked;
mod library_texts;
mod options;
mod panics;
mod payloads;
mod pointers;
mod properties;
mod sharing;
mod texts;
mod threads;
mod twins;
