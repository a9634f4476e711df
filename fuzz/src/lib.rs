//! What the fuzz targets run: the same functions that tests/fuzz runs with a bound.

#![allow(dead_code)]

#[path = "../../tests/common/any_export.rs"]
pub mod any_export;
#[path = "../../tests/common/c_header.rs"]
mod c_header;
#[path = "../../tests/common/rust_source.rs"]
mod rust_source;

#[path = "../../tests/fuzz/choices.rs"]
mod choices;
#[path = "../../tests/fuzz/decoder.rs"]
pub mod decoder;
#[path = "../../tests/fuzz/exports.rs"]
pub mod exports;
#[path = "../../tests/fuzz/memory.rs"]
pub mod memory;
#[path = "../../tests/fuzz/server.rs"]
mod server;
#[path = "../../tests/fuzz/session.rs"]
pub mod session;

// The exports are called by their names.
extern crate mt5mqtt;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// The exports, linked into the target instead of loaded, so that the fuzzer sees into them.
pub mod linked {
    include!(concat!(env!("OUT_DIR"), "/linked.rs"));
}

pub const HEADER: &str = include_str!("../../include/mt5mqtt.h");
