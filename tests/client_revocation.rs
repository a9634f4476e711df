//! Certificates that their issuers have revoked, with a real Server, Mosquitto, and lists that are made here.

mod common;

use common::attempt::{TlsServer, assert_fails, try_connect};
use common::certificates::{Authority, Certified, Folder, Validity};
use common::fake_server::FakeServer;
use common::program::Program;
use common::tls_server::{self, TlsOptions};
use common::tools;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::session::event::Event;
use mt5mqtt::types::status::Status;
use std::io::{Read, Write};

fn mosquitto_is_missing() -> bool {
    tools::lacks("revocation with a real Server", "mosquitto")
}

#[test]
fn a_revoked_certificate_is_refused_and_any_other_accepted() {
    if mosquitto_is_missing() {
        return;
    }
    let authority = Authority::new("Test CA");
    let [good, revoked] = ["good", "revoked"].map(|name| authority.issue(name, &["127.0.0.1"], Validity::Now));
    let trusted = (options::TLS_CA, &*authority.certificate);
    let list = authority.revocation_list(&[&revoked], Validity::Now);
    let files = Folder::new();
    let pem = files.write("list.pem", &list);
    let der = files.path().join("list.crl");
    std::fs::write(&der, common::certificates::pem_content(&list)).expect("write a file");

    let server = TlsServer::start(&revoked, "");
    assert_eq!(try_connect(&server.url(), &[trusted], &[]), None, "nobody asks");
    for crl in [&*list, &*pem, der.to_str().expect("a path in UTF-8")] {
        let failure = try_connect(&server.url(), &[trusted, (options::TLS_CRL, crl)], &[]);
        assert_fails(failure, Status::TlsCertificate, &[&server.url(), "has been revoked", "don't connect"]);
    }
    // A certificate that the program has named itself is no exception.
    let bundle = format!("{}{}", authority.certificate, revoked.certificate);
    let texts = [(options::TLS_CA, &*bundle), (options::TLS_CRL, &*list)];
    assert_fails(try_connect(&server.url(), &texts, &[]), Status::TlsCertificate, &["has been revoked"]);
    let ours = [(options::TLS_CA, &*revoked.certificate), (options::TLS_CRL, &*list)];
    assert_eq!(try_connect(&server.url(), &ours, &[]), None, "no CA is trusted that could say it");

    let server = TlsServer::start(&good, "");
    for crl in [&*list, &*pem, der.to_str().expect("a path in UTF-8")] {
        assert_eq!(try_connect(&server.url(), &[trusted, (options::TLS_CRL, crl)], &[]), None);
    }
}

#[test]
fn a_certificate_that_is_named_and_marked_as_a_cas_is_refused_when_lists_are_asked_for() {
    if mosquitto_is_missing() {
        return;
    }
    let authority = Authority::new("Test CA");
    let (_, revoked) = authority.subordinate_at("server", &["127.0.0.1"], Validity::Now);
    let list = authority.revocation_list(&[&revoked], Validity::Now);
    let server = TlsServer::start(&revoked, "");
    let bundle = format!("{}{}", authority.certificate, revoked.certificate);
    let attempt = |ca: &str| try_connect(&server.url(), &[(options::TLS_CA, ca), (options::TLS_CRL, &*list)], &[]);
    assert_eq!(try_connect(&server.url(), &[(options::TLS_CA, &*bundle)], &[]), None, "nobody asks");
    let words = ["has been revoked can't be found out", "marked as a CA's", "option TLS_CRL"];
    assert_fails(attempt(&bundle), Status::TlsCertificate, &words);
    assert_eq!(attempt(&revoked.certificate), None, "no CA is trusted that could say it");

    let (between, its_certificate) = authority.subordinate("Intermediate CA");
    let (_, mut below) = between.subordinate_at("server", &["127.0.0.1"], Validity::Now);
    let bundle = format!("{}{}", authority.certificate, below.certificate);
    below.certificate += &its_certificate.certificate;
    let server = TlsServer::start(&below, "");
    let texts = [(options::TLS_CA, &*bundle), (options::TLS_CRL, &*list)];
    assert_fails(try_connect(&server.url(), &texts, &[]), Status::TlsCertificate, &words);

    let own = Certified::self_signed(&["127.0.0.1"], false);
    let server = TlsServer::start(&own, "");
    let texts = [(options::TLS_CA, &*own.certificate), (options::TLS_CRL, &*list)];
    assert_fails(try_connect(&server.url(), &texts, &[]), Status::TlsCertificate, &words);
}

#[test]
fn a_list_that_can_not_tell_is_as_good_as_none() {
    if mosquitto_is_missing() {
        return;
    }
    let authority = Authority::new("Test CA");
    let server = TlsServer::start(&authority.issue("server", &["127.0.0.1"], Validity::Now), "");
    let attempt = |crl: &str| {
        try_connect(&server.url(), &[(options::TLS_CA, &*authority.certificate), (options::TLS_CRL, crl)], &[])
    };
    let refused = Status::TlsCertificate;
    let old = authority.revocation_list(&[], Validity::Expired);
    assert_fails(attempt(&old), refused, &["out of date since 2021-02-03 00:00 UTC", "TLS_CRL", "machine's date"]);
    let foreign = Authority::new("Another CA").revocation_list(&[], Validity::Now);
    assert_fails(attempt(&foreign), refused, &["is not known", "TLS_CRL needs", "'CN=Test CA'"]);
    let forged = Authority::new("Test CA").revocation_list(&[], Validity::Now);
    assert_fails(attempt(&forged), refused, &["TLS_CRL can't be trusted", "not signed by the CA that it names"]);
    // Several lists in one text.
    assert_eq!(attempt(&format!("{foreign}{}", authority.revocation_list(&[], Validity::Now))), None);

    let setup = Status::TlsSetup;
    assert_fails(attempt(&authority.certificate), setup, &["TLS_CRL", "no revocation list"]);
    assert_fails(attempt("/no/such/list.pem"), setup, &["TLS_CRL", "'/no/such/list.pem' can't be read"]);
    let damaged = list_with(&authority, |line| line.replace(|digit: char| digit.is_ascii_digit(), "A"));
    assert_fails(attempt(&damaged), setup, &["TLS_CRL", "can't be used"]);
}

/// A list of which the lines are changed.
fn list_with(authority: &Authority, change: impl Fn(&str) -> String) -> String {
    let list = authority.revocation_list(&[], Validity::Now);
    list.lines().map(|line| if line.starts_with('-') { line.to_owned() } else { change(line) } + "\n").collect()
}

#[test]
fn every_ca_between_the_root_and_the_server_is_asked_for() {
    if mosquitto_is_missing() {
        return;
    }
    let root = Authority::new("Root CA");
    let (between, its_certificate) = root.subordinate("Intermediate CA");
    let mut chain = between.issue("server", &["127.0.0.1"], Validity::Now);
    chain.certificate += &its_certificate.certificate;
    let server = TlsServer::start(&chain, "");
    let attempt = |lists: &[String]| {
        let lists = lists.concat();
        try_connect(&server.url(), &[(options::TLS_CA, &*root.certificate), (options::TLS_CRL, &*lists)], &[])
    };
    let of_leaf = between.revocation_list(&[], Validity::Now);
    assert_eq!(attempt(&[of_leaf.clone(), root.revocation_list(&[], Validity::Now)]), None);
    let words = ["is not known", "'CN=Intermediate CA', 'CN=Root CA'"];
    assert_fails(attempt(std::slice::from_ref(&of_leaf)), Status::TlsCertificate, &words);
    let of_root = root.revocation_list(&[&its_certificate], Validity::Now);
    assert_fails(attempt(&[of_leaf, of_root]), Status::TlsCertificate, &["a CA above it, has been revoked"]);
}

#[test]
fn a_renewed_list_is_read_at_the_next_attempt() {
    if mosquitto_is_missing() {
        return;
    }
    let authority = Authority::new("Test CA");
    let server = TlsServer::start(&authority.issue("server", &["127.0.0.1"], Validity::Now), "");
    let files = Folder::new();
    let path = files.write("list.pem", &authority.revocation_list(&[], Validity::Expired));
    let program = Program::new(&server.url(), &[(IntOption::ReconnectMaximum, 20)]);
    program.set_text(options::TLS_CA, &authority.certificate);
    program.set_text(options::TLS_CRL, &path);
    program.connect().unwrap();
    assert_eq!(program.expect_disconnected().failure, Some(Status::TlsCertificate));
    files.write("list.pem", &authority.revocation_list(&[], Validity::Now));
    while let Event::Disconnected(end) = program.event("Connected") {
        assert!(matches!(end.failure, Some(Status::TlsCertificate | Status::TlsSetup)), "{}", end.detail);
    }
}

#[test]
fn a_certificate_that_is_revoked_meanwhile_is_refused_when_the_connection_is_made_again() {
    let authority = Authority::new("Test CA");
    let certificate = authority.issue("server", &["127.0.0.1"], Validity::Now);
    let files = Folder::new();
    let path = files.write("list.pem", &authority.revocation_list(&[], Validity::Now));
    let mut server = FakeServer::start();
    let program = Program::new(&format!("mqtts://127.0.0.1:{}", server.port()), &[(IntOption::ReconnectMaximum, 20)]);
    program.set_text(options::TLS_CA, &authority.certificate);
    program.set_text(options::TLS_CRL, &path);
    program.set_text(options::CLIENT_ID, "trader");
    program.connect().unwrap();
    let mut stream = tls_server::accept(server.accept(), &certificate, &TlsOptions::default()).expect("a handshake");
    stream.read_exact(&mut [0]).expect("CONNECT");
    stream.write_all(&[0x20, 3, 0, 0, 0]).expect("the client takes CONNACK");
    stream.flush().expect("the client takes CONNACK");
    program.expect_connected();
    files.write("list.pem", &authority.revocation_list(&[&certificate], Validity::Now));
    drop(stream);
    assert_ne!(program.expect_disconnected().failure, Some(Status::TlsCertificate));
    assert!(tls_server::accept(server.accept(), &certificate, &TlsOptions::default()).is_err());
    let end = program.expect_disconnected();
    let failure = end.failure.map(|status| status.because(end.detail));
    assert_fails(failure, Status::TlsCertificate, &["has been revoked"]);
}

#[test]
fn a_client_certificate_that_is_revoked_is_refused_in_words() {
    if mosquitto_is_missing() {
        return;
    }
    let authority = Authority::new("Test CA");
    let [good, revoked] = ["good", "revoked"].map(|name| authority.issue(name, &[], Validity::Now));
    let files = Folder::new();
    let ca = files.write("ca.pem", &authority.certificate);
    let crl = files.write("list.pem", &authority.revocation_list(&[&revoked], Validity::Now));
    let more = format!("cafile {ca}\ncrlfile {crl}\nrequire_certificate true\n");
    let server = TlsServer::start(&authority.issue("server", &["127.0.0.1"], Validity::Now), &more);
    let attempt = |client: &Certified| {
        let certificate = (options::TLS_CLIENT_CERTIFICATE, &*client.certificate);
        try_connect(&server.url(), &[(options::TLS_CA, &ca), certificate, (options::TLS_CLIENT_KEY, &client.key)], &[])
    };
    assert_eq!(attempt(&good), None);
    let words = ["refuses our client certificate", "CertificateRevoked", "revoked"];
    assert_fails(attempt(&revoked), Status::TlsClientCertificate, &words);
}
