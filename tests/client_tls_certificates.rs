//! Which certificates, keys and options of TLS are accepted, and what is said of the others. Certificates are made here; where
//! the Server is a real one, it is Mosquitto.

mod common;

use common::attempt::{ONCE, TlsServer, assert_fails, try_connect};
use common::certificates::{Authority, Certified, Folder, Validity};
use common::fake_server::FakeServer;
use common::program::Program;
use common::tls_server::{self, TlsOptions};
use common::tools;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::types::status::{Failure, Status};
use std::time::Duration;

/// Whether Mosquitto is there; says so if not.
fn mosquitto_is_missing() -> bool {
    tools::lacks("certificates with a real Server", "mosquitto")
}

#[test]
fn a_certificate_that_is_not_accepted_is_explained() {
    if mosquitto_is_missing() {
        return;
    }
    let authority = Authority::new("Test CA");
    let trusted: (i32, &str) = (options::TLS_CA, &authority.certificate);
    let refused = Status::TlsCertificate;

    let server = TlsServer::start(&authority.issue("server", &["127.0.0.1"], Validity::Expired), "");
    let words = ["expired on 2021-02-03 00:00 UTC", "machine's date", &server.url()];
    assert_fails(try_connect(&server.url(), &[trusted], &[]), refused, &words);

    let server = TlsServer::start(&authority.issue("server", &["127.0.0.1"], Validity::NotYet), "");
    assert_fails(try_connect(&server.url(), &[trusted], &[]), refused, &["not valid before 2095-04-05 00:00 UTC"]);

    let names = ["broker.example.com", "10.1.2.3", "fe80::1"];
    let server = TlsServer::start(&authority.issue("server", &names, Validity::Now), "");
    let words = ["is not for '127.0.0.1': it is for broker.example.com, 10.1.2.3, fe80::1", "TLS_SERVER_NAME"];
    assert_fails(try_connect(&server.url(), &[trusted], &[]), refused, &words);
    let named = (options::TLS_SERVER_NAME, "broker.example.com");
    assert_eq!(try_connect(&server.url(), &[trusted, named], &[]), None, "the name of the option is what counts");
    let named = (options::TLS_SERVER_NAME, "other.example.com");
    assert_fails(try_connect(&server.url(), &[trusted, named], &[]), refused, &["is not for 'other.example.com'"]);
    assert_eq!(try_connect(&server.url(), &[], &[(IntOption::TlsAcceptAnyCertificate, 1)]), None);

    let good = authority.issue("server", &["127.0.0.1"], Validity::Now);
    let server = TlsServer::start(&good, "");
    let words = ["issued by 'CN=Test CA', which this machine doesn't trust", "TLS_CA", "trusted root certificates"];
    assert_fails(try_connect(&server.url(), &[], &[]), refused, &words);
    // What the machine trusts is of no use to who has named a CA.
    let other = Authority::new("Another CA").certificate;
    let words = ["issued by 'CN=Test CA', which is not in option TLS_CA: "];
    assert_fails(try_connect(&server.url(), &[(options::TLS_CA, &other)], &[]), refused, &words);
    let namesake = Authority::new("Test CA").certificate;
    assert_fails(try_connect(&server.url(), &[(options::TLS_CA, &namesake)], &[]), refused, &["TLS_CA"]);
}

/// What the client makes of a Server with this certificate.
fn shown(certificate: &Certified, texts: &[(i32, &str)]) -> Option<Failure> {
    let mut server = FakeServer::start();
    let program = Program::new(&format!("mqtts://127.0.0.1:{}", server.port()), &[ONCE]);
    texts.iter().for_each(|(option, value)| program.set_text(*option, value));
    program.connect().unwrap();
    assert!(tls_server::accept(server.accept(), certificate, &TlsOptions::default()).is_err());
    let end = program.expect_disconnected();
    end.failure.map(|status| status.because(end.detail))
}

#[test]
fn a_certificate_that_can_be_no_servers_is_explained_so_that_it_can_be_made_anew() {
    let authority = Authority::new("Test CA");
    let trusted = (options::TLS_CA, &*authority.certificate);
    let refused = Status::TlsCertificate;
    let nameless = authority.issue("127.0.0.1", &[], Validity::Now);
    let words = ["is for no host", "'CN=127.0.0.1'", "subjectAltName=IP:127.0.0.1"];
    assert_fails(shown(&nameless, &[trusted]), refused, &words);
    let named = [trusted, (options::TLS_SERVER_NAME, "broker")];
    assert_fails(shown(&nameless, &named), refused, &["subjectAltName=DNS:broker"]);
    let words = ["X.509 version 1", "subjectAltName=IP:127.0.0.1"];
    let old = authority.issue("127.0.0.1", &["127.0.0.1"], Validity::Now).of_version_1();
    assert_fails(shown(&old, &[trusted]), refused, &words);
    let old = Certified::self_signed(&["127.0.0.1"], true).of_version_1();
    for texts in [&[][..], &[(options::TLS_CA, &*old.certificate)]] {
        assert_fails(shown(&old, texts), refused, &words);
    }
    for (validity, words) in [
        (Validity::Expired, "a CA above the Server's certificate expired on 2021-02-03 00:00 UTC"),
        (Validity::NotYet, "a CA above the Server's certificate is not valid before 2095-04-05 00:00 UTC"),
    ] {
        let (between, its_certificate) = authority.subordinate_at("Intermediate CA", &[], validity);
        let mut below = between.issue("server", &["127.0.0.1"], Validity::Now);
        below.certificate += &its_certificate.certificate;
        assert_fails(shown(&below, &[trusted]), refused, &[words, "'CN=Intermediate CA'"]);
    }
    let (_, of_a_ca) = authority.subordinate("127.0.0.1");
    let words = ["marked as a CA's", "basicConstraints=CA:FALSE", "option TLS_CA"];
    assert_fails(shown(&of_a_ca, &[trusted]), refused, &words);
}

#[test]
fn a_self_signed_certificate_is_trusted_once_it_is_named() {
    if mosquitto_is_missing() {
        return;
    }
    for leaf in [true, false] {
        let own = Certified::self_signed(&["127.0.0.1"], leaf);
        let server = TlsServer::start(&own, "");
        let words = ["self-signed (CN=Self Made)", "TLS_CA"];
        assert_fails(try_connect(&server.url(), &[], &[]), Status::TlsCertificate, &words);
        let another = Certified::self_signed(&["127.0.0.1"], leaf).certificate;
        let words = ["self-signed (CN=Self Made)", "not in option TLS_CA"];
        assert_fails(try_connect(&server.url(), &[(options::TLS_CA, &another)], &[]), Status::TlsCertificate, &words);
        assert_eq!(try_connect(&server.url(), &[(options::TLS_CA, &own.certificate)], &[]), None);
    }
    let own = Certified::self_signed(&["localhost"], false);
    let server = TlsServer::start(&own, "");
    let failure = try_connect(&server.url(), &[(options::TLS_CA, &own.certificate)], &[]);
    assert_fails(failure, Status::TlsCertificate, &["is not for '127.0.0.1': it is for localhost"]);
}

#[test]
fn pins_are_checked_in_addition_or_alone() {
    if mosquitto_is_missing() {
        return;
    }
    let authority = Authority::new("Test CA");
    let good = authority.issue("server", &["127.0.0.1"], Validity::Now);
    let server = TlsServer::start(&good, "");
    let wrong = format!("sha256/{}", authority.issue("x", &["x"], Validity::Now).pin);
    let right = format!("{wrong}, sha256/{}", good.pin);
    let trusted: (i32, &str) = (options::TLS_CA, &authority.certificate);
    let any = [(IntOption::TlsAcceptAnyCertificate, 1)];
    let (right, wrong) = ((options::TLS_PINS, right.as_str()), (options::TLS_PINS, wrong.as_str()));
    assert_eq!(try_connect(&server.url(), &[trusted, right], &[]), None);
    assert_eq!(try_connect(&server.url(), &[right], &any), None);
    let found = format!("public key is sha256/{}", good.pin);
    for (texts, ints) in [(&[trusted, wrong][..], &[][..]), (&[wrong], &any)] {
        let failure = try_connect(&server.url(), texts, ints);
        assert_fails(
            failure,
            Status::TlsCertificate,
            &["none of the keys in option TLS_PINS", &found, "ask whoever runs the Server"],
        );
    }
    // A pin is no substitute for the verification.
    assert_fails(try_connect(&server.url(), &[right], &[]), Status::TlsCertificate, &["doesn't trust"]);
}

#[test]
fn a_client_certificate_is_asked_for_in_words_and_accepted() {
    if mosquitto_is_missing() {
        return;
    }
    let authority = Authority::new("Test CA");
    let files = Folder::new();
    let ca = files.write("ca.pem", &authority.certificate);
    let more = format!("cafile {ca}\nrequire_certificate true\nuse_identity_as_username true\n");
    let server = TlsServer::start(&authority.issue("server", &["127.0.0.1"], Validity::Now), &more);
    let trusted: (i32, &str) = (options::TLS_CA, &ca);
    let connect = |client: &Certified, key: &str, more: &[(i32, &str)]| {
        let certificate: (i32, &str) = (options::TLS_CLIENT_CERTIFICATE, &client.certificate);
        let texts = [&[trusted, certificate, (options::TLS_CLIENT_KEY, key)], more].concat();
        try_connect(&server.url(), &texts, &[])
    };
    let refused = Status::TlsClientCertificate;
    let words = ["wants a client certificate", "TLS_CLIENT_CERTIFICATE and TLS_CLIENT_KEY"];
    assert_fails(try_connect(&server.url(), &[trusted], &[]), refused, &words);

    let client = authority.issue("trader", &[], Validity::Now);
    assert_eq!(connect(&client, &client.key, &[]), None);
    let path = files.write("client.key", &client.key);
    assert_eq!(connect(&client, &path, &[]), None, "a file does as well");

    let old = authority.issue_version_1("trader");
    assert_eq!(connect(&old, &old.key, &[]), None, "X.509 version 1");
    assert_fails(connect(&old, &client.key, &[]), Status::TlsSetup, &["is not the key of the first certificate"]);

    let expired = authority.issue("trader", &[], Validity::Expired);
    assert_fails(connect(&expired, &expired.key, &[]), refused, &["refuses our client certificate"]);
    let foreign = Authority::new("Another CA").issue("trader", &[], Validity::Now);
    assert_fails(connect(&foreign, &foreign.key, &[]), refused, &["refuses our client certificate"]);

    // As OpenSSL takes them out of a PFX file, and as a text editor of Windows marks them.
    let with_attributes =
        format!("Bag Attributes\n    friendlyName: trader\nKey Attributes: <No Attributes>\n{}", client.key);
    let marked = format!("\u{feff}{}", client.key);
    let marked_file = files.write("marked.key", &marked);
    for key in [&with_attributes, &marked, &marked_file] {
        assert_eq!(connect(&client, key, &[]), None, "{key}");
    }

    let encrypted = client.encrypted_key("open sesame");
    let password = |password| [(options::TLS_CLIENT_KEY_PASSWORD, password)];
    assert_eq!(connect(&client, &encrypted, &password("open sesame")), None);
    let latin_1 = files.path().join("latin1.key");
    std::fs::write(&latin_1, [b"Gr\xFC\xDFe\r\n", encrypted.as_bytes()].concat()).expect("write a file");
    for key in [&encrypted.replace('\n', " \r\n\n"), latin_1.to_str().expect("a path in UTF-8")] {
        assert_eq!(connect(&client, key, &password("open sesame")), None, "{key}");
    }
    let setup = Status::TlsSetup;
    assert_fails(connect(&client, &encrypted, &[]), setup, &["is encrypted: set option TLS_CLIENT_KEY_PASSWORD"]);
    let failure = connect(&client, &encrypted, &password("close sesame"));
    assert!(!failure.as_ref().unwrap().text.contains("sesame"));
    assert_fails(failure, setup, &["TLS_CLIENT_KEY_PASSWORD is wrong"]);
}

/// A key as OpenSSL 1.0 encrypts it unless it is told otherwise: `openssl pkcs8 -topk8`, PBES1.
const OF_DES: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
    MIGxMBwGCiqGSIb3DQEMAQMwDgQISfskcKqsx4ECAggABIGQk0Gm85fPhRnfGaqr\n\
    CTt/Dcs3bsajYRHJqIDR0Zc8SVIKGI+Fm5qL+EvOsfkzOSQggLrhRtaqDCF5QvR5\n\
    ztpSYYK9PxHF25Ynj4sQpLuxyNDrkVLLarBbNFhu1K7cIeF5WuqZM0+g8+VlfMxs\n\
    nA+tEUlYLWGMSdHBhbzS/bbT2yHWVq+HHnWgZTXPtjFH80It\n\
    -----END ENCRYPTED PRIVATE KEY-----\n";

#[test]
fn options_that_can_not_be_used_are_explained_before_anything_is_sent() {
    let mut server = FakeServer::start();
    let url = format!("mqtts://127.0.0.1:{}", server.port());
    let authority = Authority::new("Test CA");
    let client = authority.issue("trader", &[], Validity::Now);
    let other = authority.issue("trader", &[], Validity::Now);
    let legacy = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE \
                  KEY-----\n";
    let certificate: (i32, &str) = (options::TLS_CLIENT_CERTIFICATE, &client.certificate);
    /// Options, and words of the failure.
    type Case<'a> = (&'a [(i32, &'a str)], &'a [&'a str]);
    let files = Folder::new();
    let folder = files.path().to_str().expect("a path in UTF-8");
    let quoted = format!("\"{}\"", files.write("ca.pem", &authority.certificate));
    let cases: [Case<'_>; 12] = [
        (&[(options::TLS_CA, folder)], &["TLS_CA", folder, "is a folder"]),
        // As a dialog of Windows has a path copied.
        (&[(options::TLS_CA, "\u{202a}/no/such/file.pem")], &[r"'\u{202a}/no/such/file.pem' can't be read"]),
        (&[(options::TLS_CA, &quoted)], &["TLS_CA", "can't be read", "without quotation marks"]),
        (
            &[certificate, (options::TLS_CLIENT_KEY, OF_DES), (options::TLS_CLIENT_KEY_PASSWORD, "x")],
            &["TLS_CLIENT_KEY", "encrypted in another way", "openssl pkcs8 -topk8 -v2 aes256"],
        ),
        (&[(options::TLS_CA, "/no/such/file.pem")], &["TLS_CA", "'/no/such/file.pem' can't be read"]),
        (&[(options::TLS_CA, &client.key)], &["TLS_CA", "the PEM text has no certificate"]),
        (
            &[(options::TLS_CA, "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")],
            &["TLS_CA", "not valid PEM"],
        ),
        (&[certificate], &["TLS_CLIENT_CERTIFICATE needs TLS_CLIENT_KEY"]),
        (&[(options::TLS_CLIENT_KEY, &client.key)], &["TLS_CLIENT_KEY needs TLS_CLIENT_CERTIFICATE"]),
        (&[certificate, (options::TLS_CLIENT_KEY, &other.key)], &["TLS_CLIENT_KEY is not the key of"]),
        (&[certificate, (options::TLS_CLIENT_KEY, &client.certificate)], &["TLS_CLIENT_KEY", "no private key"]),
        (&[certificate, (options::TLS_CLIENT_KEY, legacy)], &["OpenSSL's old way", "openssl pkcs8 -topk8"]),
    ];
    for (texts, words) in cases {
        let failure = try_connect(&url, texts, &[]);
        assert!(!failure.as_ref().unwrap().text.contains("-----BEGIN RSA"), "no content in a text");
        assert_fails(failure, Status::TlsSetup, words);
    }
    if cfg!(unix) {
        let failure = try_connect(&url, &[(options::TLS_CA, "/dev/zero")], &[]);
        assert_fails(failure, Status::TlsSetup, &["'/dev/zero' is larger than any PEM file"]);
    }
    // Nobody would look for the revoked one among certificates that are all accepted.
    let list = authority.revocation_list(&[&client], Validity::Now);
    let any = (IntOption::TlsAcceptAnyCertificate, 1);
    let failure = try_connect(&url, &[(options::TLS_CRL, &list)], &[any]);
    assert_fails(failure, Status::TlsSetup, &["TLS_CRL", "TLS_ACCEPT_ANY_CERTIFICATE"]);
    assert!(server.accept_within(Duration::ZERO).is_none());
}

#[test]
fn a_private_key_is_not_taken_for_a_path_and_repeated() {
    let client = Authority::new("Test CA").issue("trader", &[], Validity::Now);
    let lines: Vec<&str> = client.key.lines().filter(|line| !line.starts_with("-----")).collect();
    let certificate: (i32, &str) = (options::TLS_CLIENT_CERTIFICATE, &client.certificate);
    let begin = "-----BEGIN PRIVATE KEY-----";
    let no_file = "nor the path of a file";
    for (key, words) in [
        (client.key.trim_start_matches('-').to_owned(), no_file),
        (lines.concat(), no_file),
        (lines.join("\r\n"), no_file),
        (lines[0].to_owned(), no_file),
        // As it gets through a field of one line.
        (client.key.trim_end().replace('\n', " "), "-----END"),
        (format!("{begin} {}", lines.concat()), "line breaks"),
        (format!("{begin}\n{}", lines.concat()), "-----END"),
        (format!("{begin}\n{}\n!\n-----END PRIVATE KEY-----", lines.concat()), "Base64"),
    ] {
        let failure = try_connect("mqtts://127.0.0.1:1", &[certificate, (options::TLS_CLIENT_KEY, &key)], &[]);
        let text = &failure.as_ref().unwrap().text;
        let as_numbers = format!("{:?}", &lines[0].as_bytes()[..20]);
        assert!(!text.contains(&lines[0][..20]) && !text.contains(as_numbers.trim_matches(['[', ']'])), "{text}");
        assert_fails(failure, Status::TlsSetup, &["option TLS_CLIENT_KEY", words]);
    }
}

#[test]
fn a_name_that_no_certificate_can_have_is_refused_with_its_option() {
    let server = FakeServer::start();
    let url = format!("mqtts://127.0.0.1:{}", server.port());
    let named = try_connect(&url, &[(options::TLS_SERVER_NAME, "no name")], &[]);
    assert_fails(
        named,
        Status::TlsSetup,
        &["option TLS_SERVER_NAME: 'no name' is no name that a certificate can have"],
    );
    let foreign = try_connect(&url, &[(options::TLS_SERVER_NAME, "bröker.example")], &[]);
    assert_fails(foreign, Status::TlsSetup, &["option TLS_SERVER_NAME: 'bröker.example'", "xn--"]);
}
