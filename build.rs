//! What the linker is told beside the code. Writes to OUT_DIR only.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("windows") => version_resource(),
        // A host's dlclose must not take the code away from threads that still run it. On Windows, where the library can
        // be unloaded, src/ffi/unload.rs deals with them.
        Ok("linux" | "android") => println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete"),
        _ => {}
    }
}

/// The version and the names that Windows shows in the properties of the DLL. Everything else comes from Cargo.toml.
fn version_resource() {
    let mut resource = winresource::WindowsResource::new();
    resource.set("ProductName", "mt5mqtt");
    resource.set("OriginalFilename", "mt5mqtt.dll");
    resource.set("InternalName", "mt5mqtt");
    resource.set("LegalCopyright", "The mt5mqtt developers. MIT or Apache-2.0.");
    if env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu") && !cfg!(windows) {
        // The tools of mingw-w64, which the crate finds by itself only for targets whose names it knows.
        resource.set_windres_path("x86_64-w64-mingw32-windres").set_ar_path("x86_64-w64-mingw32-ar");
    }
    if let Err(error) = resource.compile() {
        panic!("the version resource could not be compiled: {error}");
    }
}
