//! Where the library under test lies, as a host links or loads it.

use std::env;
use std::path::PathBuf;

/// The folder that holds the built library.
///
/// Cargo builds every crate type of the package before an integration test, into the folder of the test itself; it
/// copies the library one folder up only for `cargo build`, so the copy there may be missing or old.
pub fn folder() -> PathBuf {
    let test = env::current_exe().expect("path of this test");
    test.parent().expect("folder of this test").to_path_buf()
}

/// The built library: libmt5mqtt.so, mt5mqtt.dll, libmt5mqtt.dylib.
pub fn path() -> PathBuf {
    let path = folder().join(format!("{}mt5mqtt{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX));
    assert!(path.is_file(), "{} is not there: is \"cdylib\" still among the crate types?", path.display());
    path
}
