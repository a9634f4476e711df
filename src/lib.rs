//! MQTT 5.0 and 3.1.1 client for MetaTrader 5, with a C ABI.
//!
//! The layers in reading order; each imports only those before it (tests/layering.rs proves it):
//! `types` (the standard's vocabulary), `codec` (packets and bytes), `session` (the protocol as a state machine without
//! sockets, threads or clock), `client` (the thread, the Network Connection, the queues), `ffi` (the exported functions).

#![deny(unsafe_code)]

pub mod client;
pub mod codec;
pub mod ffi;
pub mod session;
pub mod types;
