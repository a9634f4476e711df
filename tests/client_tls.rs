//! TLS with a real Server, Mosquitto, whose certificates are made here; and what makes it fail, each with its words.

mod common;

use common::attempt::{ONCE, TlsServer, assert_fails, try_connect};
use common::certificates::{Authority, Certified, Folder, Validity};
use common::fake_server::FakeServer;
use common::mosquitto::Mosquitto;
use common::program::{Program, within};
use common::tls_server::{self, TlsOptions, TlsStream};
use common::tools;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::session::event::Event;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::{Failure, Status};
use rustls::HandshakeKind;
use std::io::{Read, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whether Mosquitto is there; says so if not.
fn mosquitto_is_missing() -> bool {
    tools::lacks("TLS with a real Server", "mosquitto")
}

#[test]
fn messages_of_every_size_and_qos_come_back_over_tls_1_2_and_1_3() {
    if mosquitto_is_missing() {
        return;
    }
    let authority = Authority::new("Test CA");
    let server = TlsServer::start(&authority.issue("server", &["127.0.0.1"], Validity::Now), "");
    for (version, minimum) in [(4, 12), (5, 13)] {
        let program = Program::new(&server.url(), &[(IntOption::TlsVersionMinimum, minimum)]);
        program.set_int(IntOption::ProtocolVersion, version);
        program.set_text(options::TLS_CA, &authority.certificate);
        program.set_text(options::CLIENT_ID, "echo");
        program.connect().unwrap();
        program.expect_connected();
        assert_eq!(program.server().unwrap(), server.url());
        let token = program.subscribe_to("t", QoS::ExactlyOnce);
        program.expect_subscribed(token);
        // Far more than a socket takes at once, so that encrypted bytes are held back.
        let mut sent = Vec::new();
        for (number, size) in (0u8..).zip([0, 1, 1000, 16_384, 70_000, 1_000_000, 5_000_000, 3, 200_000, 9]) {
            let payload = vec![number; size];
            let qos = QoS::from_u8(number % 3).unwrap();
            program.try_send(&payload, qos).expect("an accepted publish");
            sent.push((qos, payload));
        }
        let mut received = Vec::new();
        let mut published = 0;
        while received.len() < sent.len() || published < 6 {
            match program.event("the messages that come back") {
                Event::Message { message, .. } => received.push((message.qos, message.payload().to_vec())),
                Event::Published { outcome, .. } => {
                    assert_eq!(outcome.failure, None);
                    published += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        // The order holds within a QoS.
        sent.sort_by_key(|message| message.0 as u8);
        received.sort_by_key(|message| message.0 as u8);
        assert!(sent == received);
        program.disconnect_now(Duration::from_secs(2));
        assert_eq!(program.expect_disconnected().failure, None);
    }
}

#[test]
fn ten_thousand_small_messages_keep_their_order_over_tls() {
    if mosquitto_is_missing() {
        return;
    }
    let authority = Authority::new("Test CA");
    let server = TlsServer::start(&authority.issue("server", &["127.0.0.1"], Validity::Now), "");
    let program = Program::new(&server.url(), &[]);
    program.set_text(options::TLS_CA, &authority.certificate);
    program.connect().unwrap();
    program.expect_connected();
    let token = program.subscribe_to("t", QoS::AtLeastOnce);
    program.expect_subscribed(token);
    program.set_int(IntOption::PublishEvents, 0);
    for number in 0..10_000 {
        program.send(&number.to_string(), QoS::AtLeastOnce);
    }
    for number in 0..10_000 {
        program.expect_payload(&number.to_string());
    }
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

/// Does a handshake with a scripted Server; what the client makes of it.
fn against(options: &TlsOptions<'_>, texts: &[(i32, &str)], ints: &[(IntOption, i64)]) -> Option<Failure> {
    let authority = Authority::new("Test CA");
    let certificate = authority.issue("server", &["127.0.0.1"], Validity::Now);
    let mut server = FakeServer::start();
    let program = Program::new(&format!("mqtts://127.0.0.1:{}", server.port()), &[ONCE]);
    program.set_text(options::TLS_CA, &authority.certificate);
    program.set_text(options::CLIENT_ID, "trader");
    for (option, value) in texts {
        program.set_text(*option, value);
    }
    for (option, value) in ints {
        program.set_int(*option, *value);
    }
    program.connect().unwrap();
    if let Ok(mut stream) = tls_server::accept(server.accept(), &certificate, options) {
        let mut head = [0; 1];
        if stream.read_exact(&mut head).is_ok() {
            assert_eq!(head, [0x10], "CONNECT");
            stream.write_all(&[0x20, 3, 0, 0, 0]).expect("the client takes CONNACK");
            stream.flush().expect("the client takes CONNACK");
            program.expect_connected();
            return None;
        }
    }
    let end = program.expect_disconnected();
    Some(end.failure.expect("a failure").because(end.detail))
}

#[test]
fn a_server_of_tls_1_2_says_little_but_the_client_says_what_it_wants() {
    let ca = Authority::new("Test CA");
    let only_1_2 = TlsOptions { versions: &[&rustls::version::TLS12], ..TlsOptions::default() };
    assert_eq!(against(&only_1_2, &[], &[]), None);
    let failure = against(&only_1_2, &[], &[(IntOption::TlsVersionMinimum, 13)]);
    assert_fails(failure, Status::Tls, &["no common version of TLS", "TLS_VERSION_MINIMUM"]);
    for versions in [&[&rustls::version::TLS12], &[&rustls::version::TLS13]] {
        let wants = TlsOptions { client_ca: Some(&ca.certificate), versions, ..TlsOptions::default() };
        assert_fails(against(&wants, &[], &[]), Status::TlsClientCertificate, &["wants a client certificate"]);
        let foreign = Authority::new("Another CA").issue("trader", &[], Validity::Now);
        let texts =
            [(options::TLS_CLIENT_CERTIFICATE, &*foreign.certificate), (options::TLS_CLIENT_KEY, &*foreign.key)];
        assert_fails(against(&wants, &texts, &[]), Status::TlsClientCertificate, &["refuses our client certificate"]);
    }
}

#[test]
fn a_client_certificate_that_a_server_can_do_without_is_not_held_to_be_what_is_wrong() {
    let ca = Authority::new("Test CA");
    let (tls_1_2, tls_1_3) = (&[&rustls::version::TLS12], &[&rustls::version::TLS13]);
    for (versions, tickets, status, words) in [
        (tls_1_2, 0, Status::ConnectionClosed, ""),
        (tls_1_3, 2, Status::ConnectionClosed, ""),
        // Here nothing tells whether the Server has accepted it.
        (tls_1_3, 0, Status::TlsClientCertificate, "if it needs one"),
    ] {
        let asks =
            TlsOptions { client_ca: Some(&ca.certificate), optional: true, versions, tickets, ..TlsOptions::default() };
        let authority = Authority::new("Test CA");
        let (program, mut stream) = begun(&authority, &asks);
        let mut packet = [0; 1];
        stream.read_exact(&mut packet).expect("CONNECT");
        // Refused without a word, as Servers of MQTT 3.1.1 do.
        stream.sock.shutdown(std::net::Shutdown::Write).unwrap();
        let end = program.expect_disconnected();
        assert_fails(end.failure.map(|status| status.because(end.detail)), status, &[words]);
    }
}

#[test]
fn a_server_of_old_versions_only_is_told_from_other_failures() {
    // A ServerHello of TLS 1.1 with TLS_RSA_WITH_AES_128_CBC_SHA, and the alert protocol_version.
    let hello = [&[0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2][..], &[7; 32], &[0, 0, 0x2F, 0]].concat();
    for says in [&hello[..], &[0x15, 3, 2, 0, 2, 2, 70]] {
        let mut server = FakeServer::start();
        let program = Program::connecting(&format!("mqtts://127.0.0.1:{}", server.port()), &[ONCE]);
        let mut peer = server.accept();
        peer.send_bytes(says);
        let end = program.expect_disconnected();
        let words = ["no common version of TLS", "1.2 and 1.3"];
        assert_fails(end.failure.map(|status| status.because(end.detail)), Status::Tls, &words);
    }
}

#[test]
fn an_address_of_ipv6_is_a_name_that_a_certificate_can_have() {
    if mosquitto_is_missing() {
        return;
    }
    let authority = Authority::new("Test CA");
    let trusted = (options::TLS_CA, &*authority.certificate);
    for (protocol, scheme) in [("", "mqtts"), ("protocol websockets\n", "wss")] {
        let folder = Folder::new();
        let tls = folder.listener(&authority.issue("server", &["::1"], Validity::Now));
        let server = Mosquitto::start_with_listener_at("::1", &format!("{protocol}{tls}")).expect("mosquitto");
        assert_eq!(try_connect(&format!("{scheme}://[::1]:{}", server.second_port()), &[trusted], &[]), None);
    }
}

/// A program and the scripted Server that it speaks TLS with.
fn begun(authority: &Authority, options: &TlsOptions<'_>) -> (Program, TlsStream) {
    let certificate = authority.issue("server", &["127.0.0.1"], Validity::Now);
    let mut server = FakeServer::start();
    let program = Program::new(&format!("mqtts://127.0.0.1:{}", server.port()), &[ONCE]);
    program.set_text(options::TLS_CA, &authority.certificate);
    program.set_text(options::CLIENT_ID, "trader");
    program.connect().unwrap();
    let stream = tls_server::accept(server.accept(), &certificate, options).expect("a handshake");
    (program, stream)
}

/// A program and the scripted Server that has accepted it.
fn connected(authority: &Authority, options: &TlsOptions<'_>) -> (Program, TlsStream) {
    let (program, mut stream) = begun(authority, options);
    accept_connect(&mut stream);
    program.expect_connected();
    (program, stream)
}

fn accept_connect(stream: &mut TlsStream) {
    stream.read_exact(&mut [0]).expect("CONNECT");
    stream.write_all(&[0x20, 3, 0, 0, 0]).expect("the client takes CONNACK");
    stream.flush().expect("the client takes CONNACK");
}

#[test]
fn what_the_server_said_last_is_heard_though_tls_fails_right_behind_it() {
    let authority = Authority::new("Test CA");
    for versions in [&[&rustls::version::TLS12], &[&rustls::version::TLS13]] {
        let (program, mut stream) = connected(&authority, &TlsOptions { versions, ..TlsOptions::default() });
        // DISCONNECT (Session taken over), and a record that nobody can decrypt, in one go.
        stream.conn.writer().write_all(&[0xE0, 2, 0x8E, 0]).expect("room");
        let mut records = Vec::new();
        stream.conn.write_tls(&mut records).expect("room");
        records.extend([&[0x17, 3, 3, 0, 40][..], &[7; 40]].concat());
        stream.sock.write_all(&records).expect("the client takes it");
        let end = program.expect_disconnected();
        assert_eq!(end.reason, Some(ReasonCode::SESSION_TAKEN_OVER), "{}", end.detail);
    }
}

#[test]
fn a_session_of_tls_does_not_outlive_the_certificate() {
    let authority = Authority::new("Test CA");
    let unix = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    let end = unix() + 6;
    let certificate = authority.issue("server", &["127.0.0.1"], Validity::Until(end));
    let config = tls_server::config(&certificate, &TlsOptions::default());
    let mut server = FakeServer::start();
    let url = format!("mqtts://127.0.0.1:{}", server.port());
    let program = Program::new(&url, &[(IntOption::ReconnectMaximum, 20)]);
    program.set_text(options::TLS_CA, &authority.certificate);
    program.set_text(options::CLIENT_ID, "trader");
    program.connect().unwrap();
    for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let mut stream = tls_server::accept_with(server.accept(), config.clone()).expect("a handshake");
        assert_eq!(stream.conn.handshake_kind(), Some(kind));
        accept_connect(&mut stream);
        program.expect_connected();
        while kind == HandshakeKind::Resumed && unix() <= end {
            std::thread::sleep(Duration::from_millis(50));
        }
        drop(stream);
        assert_ne!(program.expect_disconnected().failure, Some(Status::TlsCertificate));
    }
    assert!(tls_server::accept_with(server.accept(), config).is_err());
    let end = program.expect_disconnected();
    assert_fails(end.failure.map(|status| status.because(end.detail)), Status::TlsCertificate, &["expired on"]);
}

#[test]
fn a_server_that_has_spoken_tls_is_not_held_for_one_that_cant() {
    let authority = Authority::new("Test CA");
    let (program, mut stream) = connected(&authority, &TlsOptions::default());
    // Something on the way has answered in the Server's place.
    stream.sock.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n").expect("the client takes it");
    let end = program.expect_disconnected();
    assert!(!end.detail.contains("mqtt://"), "{}", end.detail);
    assert_eq!(end.failure, Some(Status::Tls), "{}", end.detail);
}

#[test]
fn application_protocols_are_negotiated() {
    let knows_mqtt = TlsOptions { alpn: &["http/1.1", "mqtt"], ..TlsOptions::default() };
    assert_eq!(against(&knows_mqtt, &[(options::TLS_ALPN, "x-amzn-mqtt-ca, mqtt")], &[]), None);
    let failure = against(&knows_mqtt, &[(options::TLS_ALPN, "x-amzn-mqtt-ca")], &[]);
    assert_fails(failure, Status::Tls, &["TLS_ALPN"]);
}

#[test]
fn the_wrong_scheme_is_recognised_by_what_answers() {
    let wrong = Status::WrongProtocol;
    if !mosquitto_is_missing() {
        let authority = Authority::new("Test CA");
        let server = TlsServer::start(&authority.issue("server", &["127.0.0.1"], Validity::Now), "");
        let (plain, tls) = (server.mosquitto.port(), server.mosquitto.second_port());
        let failure = try_connect(&format!("mqtts://127.0.0.1:{plain}"), &[], &[]);
        assert_fails(failure, wrong, &["doesn't speak TLS", "use mqtt://"]);
        // What Mosquitto says to CONNECT on its TLS port depends on its OpenSSL: an alert, or nothing.
        let Failure { status, text } = try_connect(&format!("mqtt://127.0.0.1:{tls}"), &[], &[]).expect("a failure");
        assert!(matches!(status, Status::WrongProtocol | Status::ConnectionClosed), "{text}");
        assert!(text.contains("use mqtts://"), "{text}");
        assert_fails(try_connect(&format!("ws://127.0.0.1:{tls}"), &[], &[]), wrong, &["wss://"]);
        assert_fails(try_connect(&format!("wss://127.0.0.1:{plain}"), &[], &[]), wrong, &["doesn't speak TLS"]);
    }
    // What a Server of another protocol says at first.
    let cases: [(&str, &[u8], &[&str]); 7] = [
        ("mqtts", b"HTTP/1.1 400 Bad Request\r\n\r\n", &["doesn't speak TLS"]),
        ("mqtts", b"220 mail.example.com ESMTP\r\n", &["doesn't speak TLS"]),
        ("mqtt", b"HTTP/1.1 400 Bad Request\r\n\r\n", &["speaks HTTP: use ws://"]),
        ("mqtt", &[0x15, 3, 1, 0, 2, 2, 70], &["answers, but the Server on it speaks TLS: use mqtts://"]),
        ("mqtt", b"SSH-2.0-OpenSSH_9.2\r\n", &["speaks no MQTT: it says 'SSH-2.0-OpenSSH_9.2'", "port"]),
        ("mqtt", b"220 mail.example.com ESMTP\r\n", &["it says '220 mail.example.com ESMTP'"]),
        ("mqtt", &[b"+OK ".as_slice(), &[b'x'; 9000]].concat(), &["it says '+OK xxx", "xxx…'"]),
    ];
    for (scheme, says, words) in cases {
        let mut server = FakeServer::start();
        let program = Program::connecting(&format!("{scheme}://127.0.0.1:{}", server.port()), &[ONCE]);
        let mut peer = server.accept();
        peer.send_bytes(says);
        let end = program.expect_disconnected();
        assert_fails(end.failure.map(|status| status.because(end.detail)), wrong, words);
    }
    let mut server = FakeServer::start();
    let program = Program::connecting(&format!("mqtt://127.0.0.1:{}", server.port()), &[ONCE]);
    server.accept().close();
    let end = program.expect_disconnected();
    assert_fails(end.failure.map(|status| status.because(end.detail)), Status::ConnectionClosed, &["use mqtts://"]);
}

#[test]
fn a_server_that_is_silent_in_the_handshake_is_given_up_in_time() {
    let mut server = FakeServer::start();
    let url = format!("mqtts://127.0.0.1:{}", server.port());
    let program = Program::connecting(&url, &[ONCE, (IntOption::ConnectTimeout, 300)]);
    let peer = server.accept();
    program.assert_no_call_waits();
    let end = within(Duration::from_secs(3), "the connect timeout", || {
        loop {
            match program.event("Disconnected") {
                Event::Disconnected(end) => break end,
                _ => continue,
            }
        }
    });
    let words = ["no answer from", &url, "TLS isn't answered"];
    assert_fails(end.failure.map(|status| status.because(end.detail)), Status::ConnectTimeout, &words);
    peer.close();
}

#[test]
fn a_renewed_file_is_read_at_the_next_attempt() {
    if mosquitto_is_missing() {
        return;
    }
    let authority = Authority::new("Test CA");
    let server = TlsServer::start(&authority.issue("server", &["127.0.0.1"], Validity::Now), "");
    let files = Folder::new();
    let path = files.write("ca.pem", &Authority::new("Another CA").certificate);
    let program = Program::new(&server.url(), &[(IntOption::ReconnectMaximum, 20)]);
    program.set_text(options::TLS_CA, &path);
    program.connect().unwrap();
    assert_eq!(program.expect_disconnected().failure, Some(Status::TlsCertificate));
    files.write("ca.pem", &authority.certificate);
    while let Event::Disconnected(end) = program.event("Connected") {
        assert!(matches!(end.failure, Some(Status::TlsCertificate | Status::TlsSetup)), "{}", end.detail);
    }
}
