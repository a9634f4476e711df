//! The exports, any of them in any order, with any arguments that C lets a host pass: handles of every kind and none, ill-
//! formed text, NULL, sizes below zero. A pointer that isn't NULL leads to what the header says that it must lead to. No
//! call may bring the process down, none may find a fault inside the library, and a client fails only when it is told to.

use crate::any_export::{Argument, Export, Kind};
use crate::choices::Choices;
use mt5mqtt::ffi::constants::*;
use std::ffi::c_void;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::OnceLock;

const MOST_CALLS: usize = 64;
/// More than any size or capacity that is passed; 64-bit units, so that a text in UTF-16 is aligned.
const PLACE: usize = 128;

/// How many calls there were, and how many of them were not refused.
#[derive(Clone, Copy, Debug, Default)]
pub struct Made {
    pub calls: usize,
    pub successes: usize,
}

/// Text options that may be anything: none of them names a file to be written, or a machine.
const ANY_TEXT: [i32; 11] = [
    MT5MQTT_OPT_CLIENT_ID,
    MT5MQTT_OPT_USER_NAME,
    MT5MQTT_OPT_PASSWORD,
    MT5MQTT_OPT_RESPONSE_TOPIC,
    MT5MQTT_OPT_AUTHENTICATION_METHOD,
    MT5MQTT_OPT_TLS_CA,
    MT5MQTT_OPT_TLS_CLIENT_KEY,
    MT5MQTT_OPT_TLS_ALPN,
    MT5MQTT_OPT_TLS_SERVER_NAME,
    MT5MQTT_OPT_TLS_PINS,
    MT5MQTT_OPT_TLS_CRL,
];

struct Host<'a> {
    made: Made,
    exports: &'a [Export],
    /// Handles, those that were freed among them.
    handles: Vec<i64>,
    /// Tokens.
    numbers: Vec<i64>,
}

/// Runs the calls that the bytes stand for.
pub fn run(exports: &[Export], bytes: &[u8]) -> Made {
    let mut choices = Choices::new(bytes);
    let mut host = Host { made: Made::default(), exports, handles: Vec::new(), numbers: Vec::new() };
    for _ in 0..MOST_CALLS {
        if choices.is_over() {
            break;
        }
        host.call(&mut choices);
    }
    for handle in host.handles.clone() {
        let state = host.named("mt5mqtt_state", &[Argument::Int(handle)]);
        assert_ne!(state, i64::from(MT5MQTT_STATE_FAILED), "a client has failed by itself");
        host.named("mt5mqtt_free", &[Argument::Int(handle)]);
        host.named("mt5mqtt_properties_free", &[Argument::Int(handle)]);
    }
    host.made
}

impl Host<'_> {
    /// A call whose arguments are right.
    fn named(&self, name: &str, arguments: &[Argument]) -> i64 {
        let export = self.exports.iter().find(|export| export.name == name).expect("an export");
        // SAFETY: integers only.
        unsafe { export.call(arguments) }
    }

    fn call(&mut self, choices: &mut Choices<'_>) {
        // A client and a set are made often enough that the other calls find some.
        let name = match choices.byte() {
            byte @ 0..8 => ["mt5mqtt_create", "mt5mqtt_properties_create"][usize::from(byte) % 2],
            byte @ 8..16 => ["mt5mqtt_poll", "mt5mqtt_connect"][usize::from(byte) % 2],
            byte => &self.exports[usize::from(byte) % self.exports.len()].name,
        };
        let export = self.exports.iter().find(|export| export.name == name).expect("an export");
        let mut places = vec![[0_u64; PLACE]; export.parameters.len()];
        let mut arguments: Vec<Argument> = Vec::new();
        self.choose(export, &mut arguments, &mut places, choices);
        if export.name.starts_with("mt5mqtt_set_text") {
            keep_to_this_machine(&mut arguments, &mut places[2], export.parameters[2].kind);
        }
        // SAFETY: each pointer is NULL or leads to a place of its own; texts end within it, sizes are no larger.
        let result = unsafe { export.call(&arguments) };
        assert_ne!(result, i64::from(MT5MQTT_E_PANIC), "{} found a fault inside the library", export.name);
        self.made.calls += 1;
        self.made.successes += usize::from(result >= 0);
        if result > 0 && export.name.ends_with("create") {
            self.handles.push(result);
        } else if result > 0 {
            self.numbers.push(result);
        }
    }

    /// Chooses the arguments of a call.
    fn choose(
        &self,
        export: &Export,
        arguments: &mut Vec<Argument>,
        places: &mut [[u64; PLACE]],
        choices: &mut Choices<'_>,
    ) {
        for (position, parameter) in export.parameters.iter().enumerate() {
            let before = position.checked_sub(1).map(|before| (export.parameters[before].kind, arguments[before]));
            let place = &mut places[position];
            arguments.push(match (parameter.kind, parameter.name.as_str()) {
                // Faults on request are another test's affair.
                (_, "place") => Argument::Int(2),
                // The time of a run is worth more than that of a wait.
                (_, "timeout_ms") => Argument::Int(choices.below(4) as i64 - 1),
                (Kind::I32, _) if before.is_some_and(|(kind, _)| kind.is_buffer() || kind == Kind::Bytes) => size(
                    before.is_some_and(|(_, argument)| matches!(argument, Argument::Pointer(p) if p.is_null())),
                    choices,
                ),
                (Kind::I64, "client" | "properties") => Argument::Int(self.handle(choices)),
                (Kind::I64, _) => Argument::Int(self.number(choices)),
                (Kind::I32, _) => Argument::Int((self.number(choices) as i32).into()),
                _ if choices.byte() < 16 => Argument::NULL,
                (Kind::Event, _) => {
                    let size = if choices.byte() < 16 { choices.byte().into() } else { 80 };
                    place[0] = size;
                    Argument::Pointer(place.as_mut_ptr().cast::<c_void>())
                }
                (kind, _) => {
                    if !kind.is_buffer() {
                        fill(place, choices);
                    }
                    Argument::Pointer(place.as_mut_ptr().cast::<c_void>())
                }
            });
        }
    }

    fn handle(&self, choices: &mut Choices<'_>) -> i64 {
        match (choices.byte(), self.handles.as_slice()) {
            (0..16, _) | (_, []) => choices.u64() as i64,
            (16..32, _) => 0,
            (byte, handles) => handles[usize::from(byte) % handles.len()],
        }
    }

    fn number(&self, choices: &mut Choices<'_>) -> i64 {
        match choices.byte() {
            byte @ 0..128 => byte.into(),
            128..160 => self.numbers.last().copied().unwrap_or(0),
            160..176 => choices.u64() as i64,
            176..192 => i64::from(choices.u16()),
            192..208 => -1,
            208..224 => [i64::MIN, i64::MAX, i32::MIN.into(), i32::MAX.into()][choices.below(4)],
            byte => (byte % 4).into(),
        }
    }
}

/// A size of bytes or a capacity: none that goes past the place, and any when there is no place.
fn size(is_null: bool, choices: &mut Choices<'_>) -> Argument {
    Argument::Int(match choices.byte() {
        byte @ 0..16 => -i64::from(byte),
        16..24 => i32::MIN.into(),
        24..32 if is_null => i32::MAX.into(),
        // A quarter is enough for UTF-16 units, too.
        byte => (usize::from(byte) * 2 % (PLACE * 8 / 4)) as i64,
    })
}

/// Random bytes with zeros behind them: a text in either encoding.
fn fill(place: &mut [u64; PLACE], choices: &mut Choices<'_>) {
    let texts: [&[u8]; 4] = [b"t", b"a/#", "цена/🚀".as_bytes(), b"t\0o\0p\0i\0c\0"];
    let bytes = match choices.byte() {
        byte @ 0..128 => texts[usize::from(byte) % texts.len()],
        _ => choices.take(200),
    };
    put(place, bytes);
}

/// Changes the setting of a text option so that nothing is written and nobody else's machine is asked: the Server is one of
/// ours, which accepts connections and closes them.
fn keep_to_this_machine(arguments: &mut [Argument], place: &mut [u64; PLACE], kind: Kind) {
    let Argument::Int(option) = arguments[1] else { return };
    if option != i64::from(MT5MQTT_OPT_URL) {
        if !ANY_TEXT.contains(&(option as i32)) {
            arguments[1] = Argument::Int(MT5MQTT_OPT_CLIENT_ID.into());
        }
        return;
    }
    static PORT: OnceLock<u16> = OnceLock::new();
    let port = *PORT.get_or_init(|| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        std::thread::spawn(move || listener.incoming().for_each(drop));
        port
    });
    let url = format!("mqtt://127.0.0.1:{port}");
    put(
        place,
        &match kind {
            Kind::Utf16 => url.encode_utf16().flat_map(u16::to_ne_bytes).collect(),
            _ => url.into_bytes(),
        },
    );
}

/// Bytes with zeros behind them.
fn put(place: &mut [u64; PLACE], bytes: &[u8]) {
    place.fill(0);
    for (unit, bytes) in place.iter_mut().zip(bytes.chunks(8)) {
        let mut eight = [0; 8];
        eight[..bytes.len()].copy_from_slice(bytes);
        *unit = u64::from_ne_bytes(eight);
    }
}
