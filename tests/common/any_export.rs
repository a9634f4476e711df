//! Calls any export by what include/mt5mqtt.h says about it, so that what must hold for every function is tested for every
//! function, those of tomorrow included.

use super::c_header::{CHeader, Function};
use std::ffi::c_void;

/// What the header says about a parameter, or about the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    I32,
    I64,
    /// NUL-terminated UTF-8 in.
    Utf8,
    /// NUL-terminated UTF-16 in.
    Utf16,
    /// Bytes in; their size is the next parameter.
    Bytes,
    /// A buffer for UTF-8; its capacity is the next parameter.
    Utf8Out,
    /// A buffer for UTF-16; its capacity is the next parameter.
    Utf16Out,
    /// A buffer for bytes; its capacity is the next parameter.
    BytesOut,
    Event,
}

impl Kind {
    fn of(c_type: &str) -> Kind {
        match c_type {
            "int32_t" => Kind::I32,
            "int64_t" => Kind::I64,
            "const char*" => Kind::Utf8,
            "const uint16_t*" => Kind::Utf16,
            "const uint8_t*" => Kind::Bytes,
            "char*" => Kind::Utf8Out,
            "uint16_t*" => Kind::Utf16Out,
            "uint8_t*" => Kind::BytesOut,
            "mt5mqtt_event*" => Kind::Event,
            other => panic!("the header has a parameter of the type {other}, which no export had so far"),
        }
    }

    pub fn is_pointer(self) -> bool {
        !matches!(self, Kind::I32 | Kind::I64)
    }

    pub fn is_buffer(self) -> bool {
        matches!(self, Kind::Utf8Out | Kind::Utf16Out | Kind::BytesOut)
    }
}

#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: String,
    pub kind: Kind,
}

/// One exported function.
#[derive(Clone, Debug)]
pub struct Export {
    pub name: String,
    pub parameters: Vec<Parameter>,
    result: Kind,
    address: *const (),
}

// SAFETY: the address is that of code.
unsafe impl Send for Export {}
// SAFETY: as above.
unsafe impl Sync for Export {}

/// One argument.
#[derive(Clone, Copy, Debug)]
pub enum Argument {
    Int(i64),
    Pointer(*mut c_void),
}

impl Argument {
    pub const NULL: Argument = Argument::Pointer(std::ptr::null_mut());

    /// The 64 bits that travel in a register or a slot of the stack. A callee reads the lower half of them for an int32_t.
    fn slot(self) -> u64 {
        match self {
            Argument::Int(value) => value as u64,
            Argument::Pointer(pointer) => pointer as u64,
        }
    }
}

/// All exports that the header declares. `address` finds the function of a name.
pub fn exports(header: &str, address: impl Fn(&str) -> *const ()) -> Vec<Export> {
    let functions = CHeader::parse(header).functions;
    assert!(functions.len() > 50, "the header was not understood");
    functions
        .into_iter()
        .map(|Function { name, returns, parameters }| Export {
            address: address(&name),
            name,
            result: Kind::of(&returns),
            parameters: parameters
                .into_iter()
                .map(|parameter| Parameter { name: parameter.name, kind: Kind::of(&parameter.of) })
                .collect(),
        })
        .collect()
}

macro_rules! slots {
    ($($argument:ident),*) => { unsafe extern "C" fn($(slots!(@ $argument)),*) -> i64 };
    (@ $argument:ident) => { u64 };
}

impl Export {
    /// Calls the function.
    ///
    /// # Safety
    ///
    /// The arguments are of the parameters' kinds, and every pointer is valid for what the function does with it.
    pub unsafe fn call(&self, arguments: &[Argument]) -> i64 {
        // In the C ABIs of 64-bit processors (System V and Windows on x86-64, AArch64) each integer and pointer has a
        // register or a slot of 64 bits to itself, so one function type for each number of arguments serves all.
        const { assert!(cfg!(target_pointer_width = "64")) };
        assert_eq!(arguments.len(), self.parameters.len(), "{}", self.name);
        let slots: Vec<u64> = arguments.iter().map(|argument| argument.slot()).collect();
        macro_rules! with {
            ($($argument:ident),*) => {{
                let &[$($argument),*] = slots.as_slice() else { unreachable!() };
                // SAFETY: the caller's promise, and the reason above.
                unsafe {
                    let function = std::mem::transmute::<*const (), slots!($($argument),*)>(self.address);
                    function($($argument),*)
                }
            }};
        }
        let result = match slots.len() {
            0 => with!(),
            1 => with!(a),
            2 => with!(a, b),
            3 => with!(a, b, c),
            4 => with!(a, b, c, d),
            5 => with!(a, b, c, d, e),
            6 => with!(a, b, c, d, e, f),
            7 => with!(a, b, c, d, e, f, g),
            8 => with!(a, b, c, d, e, f, g, h),
            9 => with!(a, b, c, d, e, f, g, h, i),
            10 => with!(a, b, c, d, e, f, g, h, i, j),
            more => panic!("{} has {more} parameters, more than any export so far", self.name),
        };
        match self.result {
            Kind::I32 => (result as i32).into(),
            _ => result,
        }
    }
}
