#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    mt5mqtt_fuzz::session::run(bytes);
});
