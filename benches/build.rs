//! Compiles the shims of the two C libraries and links them.

fn main() {
    println!("cargo:rerun-if-changed=shims");
    cc::Build::new().opt_level(2).file("shims/mosquitto.c").file("shims/paho.c").compile("shims");
    println!("cargo:rustc-link-lib=mosquitto");
    println!("cargo:rustc-link-lib=paho-mqtt3a");
}
