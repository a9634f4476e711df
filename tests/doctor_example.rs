//! The example `doctor` as a program, and with it what only a process of its own shows: the machine's certificate store, which is
//! read once per process.

mod common;
#[path = "common/example.rs"]
mod example;

use common::attempt::TlsServer;
use common::certificates::{Authority, Folder, Validity};
use common::mosquitto::free_port;
use common::tools;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::LazyLock;

static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| example::build("doctor"));

fn doctor() -> Command {
    Command::new(&*PROGRAM)
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
#[cfg(target_os = "linux")]
fn a_ca_in_the_machines_store_is_trusted_without_an_option() {
    if tools::find("mosquitto").is_none() {
        return tools::leave_out("the machine's certificate store", "mosquitto");
    }
    let authority = Authority::new("Company CA");
    let server = TlsServer::start(&authority.issue("server", &["127.0.0.1"], Validity::Now), "");
    let folder = Folder::new();
    let store = folder.write("store.pem", &authority.certificate);
    // Where the store is on this system; a machine's administrator would put the CA there.
    let trusting = doctor().arg(server.url()).env("SSL_CERT_FILE", &store).output().expect("the doctor starts");
    assert!(trusting.status.success(), "{}", said(&trusting));
    for words in ["TLS 1.3", "issued by CN=Company CA", "the message came back", "All is well"] {
        assert!(said(&trusting).contains(words), "'{words}' is missing: {}", said(&trusting));
    }
    let other = folder.write("other.pem", &Authority::new("Another CA").certificate);
    let distrusting = doctor().arg(server.url()).env("SSL_CERT_FILE", &other).output().expect("the doctor starts");
    assert_eq!(distrusting.status.code(), Some(1));
    assert!(said(&distrusting).contains("which this machine doesn't trust"), "{}", said(&distrusting));
}

#[test]
fn a_failure_is_its_exit_code_and_a_wrong_call_is_another() {
    let url = format!("mqtt://127.0.0.1:{}", free_port());
    let output =
        doctor().args([&*url, "USER_NAME=me", "PASSWORD=s3cret", "KEEP_ALIVE_S=7"]).output().expect("it starts");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let text = said(&output);
    assert!(text.contains("FAILED: ") && text.contains("What to do: ") && !text.contains("s3cret"), "{text}");
    for arguments in [&[][..], &["--help"], &["no URL"], &["mqtt://x", "NO_SUCH=1"], &["mqtt://x", "KEEP_ALIVE_S=-1"]] {
        let output = doctor().args(arguments).output().expect("it starts");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
    }
}
