//! The declarations that these tests call the library by are those of the header.

use crate::common::abi::DECLARED;
use crate::common::c_header::{CHeader, Function};
use crate::host::HEADER;

/// Rust's spelling of a C type.
fn rust(c_type: &str) -> &str {
    match c_type {
        "int32_t" => "i32",
        "int64_t" => "i64",
        "const char*" => "*const c_char",
        "const uint16_t*" => "*const u16",
        "const uint8_t*" => "*const u8",
        "char*" => "*mut c_char",
        "uint16_t*" => "*mut u16",
        "uint8_t*" => "*mut u8",
        "mt5mqtt_event*" => "*mut Event",
        other => panic!("no test knows the C type {other}"),
    }
}

#[test]
fn each_function_is_declared_as_in_the_header() {
    let header = CHeader::parse(HEADER);
    for (name, arguments, result) in DECLARED {
        let found = header.functions.iter().find(|function| function.name == *name);
        let Function { returns, parameters, .. } = found.unwrap_or_else(|| panic!("the header has no {name}"));
        let of_header: Vec<&str> = parameters.iter().map(|parameter| rust(&parameter.of)).collect();
        assert_eq!((of_header.as_slice(), rust(returns)), (*arguments, *result), "{name}");
    }
}
