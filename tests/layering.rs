//! Proves from the sources what the architecture promises: the order of the layers, and the one place each of the clock,
//! sockets, threads and `unsafe` has.

mod common;

use common::rust_source::{blank, files, has_word, paths_after, without_tests};
use common::tools::project;
use std::fs;

/// Each layer may name itself and those before it.
const LAYERS: [&str; 5] = ["types", "codec", "session", "client", "ffi"];

/// What in `std::net` is an address and not a socket.
const ADDRESSES: [&str; 7] =
    ["IpAddr", "Ipv4Addr", "Ipv6Addr", "SocketAddr", "SocketAddrV4", "SocketAddrV6", "AddrParseError"];

/// Every departure from the architecture in one source file; `path` is relative to src/, with `/`.
fn violations(path: &str, source: &str) -> Vec<String> {
    let source = without_tests(&blank(source));
    let mut found = layer_order(path, &source);
    found.extend(clock(path, &source));
    found.extend(sockets(path, &source));
    found.extend(threads(path, &source));
    if !path.starts_with("ffi/") && path != "ffi.rs" && has_word(&source, "unsafe") {
        found.push("unsafe outside ffi".to_owned());
    }
    let forbidden = ["println!", "eprintln!", "print!", "eprint!", "dbg!", "todo!", "unimplemented!"];
    found.extend(forbidden.into_iter().filter(|word| has_word(&source, word)).map(str::to_owned));
    let ends = ["process::exit", "process::abort"];
    found.extend(ends.into_iter().filter(|end| has_word(&source, end)).map(|end| format!("{end} ends the host")));
    found.into_iter().map(|violation| format!("src/{path}: {violation}")).collect()
}

fn layer_order(path: &str, source: &str) -> Vec<String> {
    let first = path.split(['/', '.']).next().expect("a path");
    let Some(own) = LAYERS.iter().position(|layer| *layer == first) else {
        return if path == "lib.rs" { Vec::new() } else { vec!["it belongs to no layer".to_owned()] };
    };
    // As many `super::` as the module is deep lead to the crate's root.
    let depth = path.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count();
    let root = ["super"].repeat(depth).join("::");
    let mut named = paths_after(source, "crate");
    named.extend(paths_after(source, &root));
    named.extend(paths_after(source, "mt5mqtt"));
    let mut found = Vec::new();
    for name in named {
        let target = name.split("::").next().expect("a path");
        match LAYERS.iter().position(|layer| *layer == target) {
            Some(layer) if layer <= own => {}
            Some(_) => found.push(format!("{first} names the later layer {target}")),
            None => found.push(format!("{first} names {name} of the crate's root, which is no layer")),
        }
    }
    found
}

fn clock(path: &str, source: &str) -> Vec<String> {
    if path == "client/clock.rs" {
        return Vec::new();
    }
    let reads = ["Instant::now", "SystemTime::now", ".elapsed()", "Instant as", "SystemTime as", "clock_gettime"];
    reads
        .into_iter()
        .filter(|read| source.contains(read))
        .map(|read| format!("{read} outside client/clock.rs"))
        .collect()
}

fn sockets(path: &str, source: &str) -> Vec<String> {
    if path == "client/transport.rs" || path.starts_with("client/transport/") || path.starts_with("client/transport_") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for name in paths_after(source, "std").into_iter().chain(paths_after(source, "core")) {
        let mut parts = name.split("::");
        if parts.next() == Some("net") {
            let address = parts.next().is_some_and(|part| ADDRESSES.contains(&part));
            if !(address && path.starts_with("client/")) {
                found.push(format!("std::{name} outside client/transport"));
            }
        }
    }
    for name in paths_after(source, "mio") {
        if name == "*" || name.split("::").next() == Some("net") {
            found.push(format!("mio::{name} outside client/transport"));
        }
    }
    let words = ["socket2", "TcpStream", "TcpListener", "UdpSocket", "ToSocketAddrs", "to_socket_addrs"];
    found.extend(
        words.into_iter().filter(|word| has_word(source, word)).map(|word| format!("{word} outside client/transport")),
    );
    found
}

fn threads(path: &str, source: &str) -> Vec<String> {
    if path == "client/thread.rs" {
        return Vec::new();
    }
    let mut found: Vec<String> = paths_after(source, "std")
        .into_iter()
        .filter(|name| name.split("::").next() == Some("thread"))
        .map(|name| format!("std::{name} outside client/thread.rs"))
        .collect();
    let words = ["thread::spawn", "thread::Builder", "thread::scope", "thread::sleep"];
    found.extend(
        words.into_iter().filter(|word| has_word(source, word)).map(|word| format!("{word} outside client/thread.rs")),
    );
    found
}

#[test]
fn the_sources_keep_to_the_architecture() {
    let root = project("src");
    let mut found = Vec::new();
    let mut layers = Vec::new();
    for file in files(&root) {
        let path = file.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
        layers.push(path.split(['/', '.']).next().expect("a path").to_owned());
        found.extend(violations(&path, &fs::read_to_string(&file).expect("read a source")));
    }
    let missing = LAYERS.into_iter().filter(|layer| !layers.iter().any(|seen| seen == layer));
    found.extend(missing.map(|layer| format!("no source of the layer {layer} was found")));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The violations of one file, each without its path.
fn found_in(path: &str, source: &str) -> Vec<String> {
    let prefix = format!("src/{path}: ");
    violations(path, source).into_iter().map(|violation| violation.replacen(&prefix, "", 1)).collect()
}

#[test]
fn a_later_layer_is_found_however_it_is_named() {
    let expected = ["codec names the later layer session"];
    for (path, source) in [
        ("codec/publish.rs", "use crate::session::Session;"),
        ("codec/publish.rs", "use crate::{types::{QoS, topic}, session};"),
        ("codec/publish.rs", "use super::super::session::Session;"),
        ("codec/mod.rs", "use super::session::Session;"),
        ("codec.rs", "fn f() -> super::session::Session {}"),
        ("codec/deep/er.rs", "use super::super::super::session;"),
        ("codec/publish.rs", "fn f() { crate::session::f() }"),
        ("codec/publish.rs", "use mt5mqtt::session;"),
    ] {
        assert_eq!(found_in(path, source), expected, "{path}: {source}");
    }
    assert_eq!(found_in("codec/publish.rs", "use crate::*;"), ["codec names * of the crate's root, which is no layer"]);
    assert_eq!(found_in("helper.rs", ""), ["it belongs to no layer"]);
    assert_eq!(found_in("client/mod.rs", "use crate::ffi::Handle;"), ["client names the later layer ffi"]);
}

#[test]
fn earlier_layers_tests_comments_and_texts_are_no_violation() {
    for (path, source) in [
        ("codec/publish.rs", "use crate::types::QoS;\nuse super::reader::Reader;"),
        ("codec/mod.rs", "use super::types::{QoS, topic as name};"),
        ("ffi/client.rs", "use crate::{client::{Client, options::*}, types};"),
        (
            "codec/publish.rs",
            "// use crate::session;\n/* crate::ffi /* unsafe */ println! */ const A: &str = \"crate::ffi unsafe\";",
        ),
        ("codec/publish.rs", "const A: &str = r#\"\" crate::ffi unsafe \"#; const B: char = '\"'; fn f<'a>() {}"),
        (
            "codec/publish.rs",
            "fn f() {}\n#[cfg(test)]\nmod tests { use crate::session; fn f() { if true { unsafe {} } } }",
        ),
        ("codec/publish.rs", "#[cfg(test)]\nmod tests;"),
        ("client/address.rs", "use std::net::{IpAddr, SocketAddr};"),
        ("client/thread.rs", "use mio::{Poll, Token}; fn f() { std::thread::spawn(f); }"),
        ("client/transport/tcp.rs", "use mio::net::TcpStream; use socket2::Socket;"),
        ("client/clock.rs", "fn now() { Instant::now(); }"),
        ("ffi/text.rs", "unsafe fn f() {}"),
        ("session/mod.rs", "fn imprint() { reprintln!(); } struct Unsafe;"),
    ] {
        assert_eq!(found_in(path, source), [""; 0], "{path}: {source}");
    }
}

#[test]
fn a_test_module_hides_only_itself() {
    let source = "#[cfg(test)]\nmod tests { fn f() { \"}\"; } }\nuse crate::client;";
    assert_eq!(found_in("session/mod.rs", source), ["session names the later layer client"]);
}

#[test]
fn clock_sockets_threads_and_unsafe_are_found_out_of_place() {
    for (path, source, expected) in [
        ("session/mod.rs", "let t = Instant::now();", "Instant::now outside client/clock.rs"),
        ("client/mod.rs", "std::time::SystemTime::now()", "SystemTime::now outside client/clock.rs"),
        ("client/mod.rs", "start.elapsed()", ".elapsed() outside client/clock.rs"),
        ("session/mod.rs", "use std::net::SocketAddr;", "std::net::SocketAddr outside client/transport"),
        ("client/mod.rs", "use std::{io, net::Shutdown};", "std::net::Shutdown outside client/transport"),
        ("client/mod.rs", "use std::net;", "std::net outside client/transport"),
        ("client/mod.rs", "use mio::{Poll, net::UnixStream};", "mio::net::UnixStream outside client/transport"),
        ("client/mod.rs", "use mio::*;", "mio::* outside client/transport"),
        ("client/mod.rs", "let s = socket2::Socket::new();", "socket2 outside client/transport"),
        ("client/mod.rs", "fn f(s: TcpStream) {}", "TcpStream outside client/transport"),
        ("client/mod.rs", "use std::{io, thread};", "std::thread outside client/thread.rs"),
        ("session/mod.rs", "thread::spawn(f)", "thread::spawn outside client/thread.rs"),
        ("client/mod.rs", "unsafe { f() }", "unsafe outside ffi"),
        ("types/mod.rs", "#[unsafe(no_mangle)]", "unsafe outside ffi"),
        ("codec/mod.rs", "println!()", "println!"),
        ("codec/mod.rs", "eprintln!()", "eprintln!"),
        ("ffi/mod.rs", "todo!()", "todo!"),
        ("ffi/mod.rs", "unimplemented!()", "unimplemented!"),
        ("ffi/mod.rs", "std::process::exit(1)", "process::exit ends the host"),
    ] {
        assert_eq!(found_in(path, source), [expected], "{path}: {source}");
    }
}
