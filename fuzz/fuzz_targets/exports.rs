#![no_main]

use mt5mqtt_fuzz::any_export::{self, Export};
use mt5mqtt_fuzz::{HEADER, exports, linked};
use std::sync::LazyLock;

static EXPORTS: LazyLock<Vec<Export>> = LazyLock::new(|| any_export::exports(HEADER, linked::address));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    exports::run(&EXPORTS, bytes);
});
