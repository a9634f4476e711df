//! Makes the list of the exports from include/mt5mqtt.h, so that the target calls each of them, tomorrow's included.

#[allow(dead_code)]
#[path = "../tests/common/c_header.rs"]
mod c_header;
#[allow(dead_code)]
#[path = "../tests/common/rust_source.rs"]
mod rust_source;

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=../include/mt5mqtt.h");
    let header = fs::read_to_string("../include/mt5mqtt.h").expect("the header");
    let functions = c_header::CHeader::parse(&header).functions;
    let mut declared = String::new();
    let mut found = String::new();
    for function in functions {
        let name = function.name;
        declared.push_str(&format!("    fn {name}();\n"));
        found.push_str(&format!("        \"{name}\" => {name} as *const (),\n"));
    }
    let source = format!(
        "unsafe extern \"C\" {{\n{declared}}}\n\n/// Where a linked export begins.\npub fn address(name: &str) -> *const () {{\n    \
         match name {{\n{found}        other => panic!(\"{{other}} is not in the header\"),\n    }}\n}}\n"
    );
    let out = env::var("OUT_DIR").expect("OUT_DIR");
    fs::write(Path::new(&out).join("linked.rs"), source).expect("write the list");
}
