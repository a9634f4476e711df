//! An MQTT 5.0 and 3.1.1 client for MetaTrader 5, with a C ABI.
//!
//! The layers, in reading order; each imports only those before it (`tests/layering.rs` proves it):
//!
//! - `types`: the standard's vocabulary, and our statuses;
//! - `codec`: Control Packets to bytes and back;
//! - `session`: the protocol as a state machine, without sockets, threads or a clock;
//! - `client`: the background thread, the Network Connection, the queues;
//! - `ffi`: the exported functions.
//!
//! `ARCHITECTURE.md` says how they work together.

#![deny(unsafe_code)]

pub mod client;
pub mod codec;
pub mod ffi;
pub mod session;
pub mod types;
