//! What several integration tests share.

// Each test file compiles this module for itself and uses a part of it.
#![allow(dead_code)]

pub mod abi;
pub mod any_export;
pub mod attempt;
pub mod authentication;
pub mod background_thread;
pub mod c_header;
pub mod certificates;
pub mod fake_server;
pub mod folder;
pub mod library;
pub mod mosquitto;
pub mod program;
pub mod proxy;
pub mod rust_source;
pub mod scram_server;
#[cfg(target_os = "linux")]
pub mod small_disk;
pub mod stored;
pub mod tls_server;
pub mod tools;
