//! What a Server can do to a reader by records of TLS that hold nothing to be read.

use super::*;
use crate::client::tls_options::TlsOptions;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ConnectionTrafficSecrets, ServerConfig, ServerConnection};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// A Server of TLS 1.3 with a certificate of its own making, which offers no Session to resume by itself.
fn server_config() -> Arc<ServerConfig> {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()).into();
    let chain = vec![CertificateDer::from(own.cert.der().to_vec())];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13]);
    let mut config = config.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
    config.send_tls13_tickets = 0;
    config.enable_secret_extraction = true;
    Arc::new(config)
}

/// So many records with a NewSessionTicket each (RFC 8446 sections 4.6.1 and 5.2), as rustls sends none by themselves.
fn tickets(tls: ServerConnection, count: u64) -> Vec<u8> {
    let (first, secrets) = tls.dangerous_extract_secrets().unwrap().tx;
    let ConnectionTrafficSecrets::Aes256Gcm { key, iv } = secrets else { panic!("another cipher suite") };
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_ref()).unwrap());
    let mut records = Vec::new();
    for number in first..first + count {
        // Of no use after 0 seconds: type and size; lifetime, age, nonce, ticket, extensions; the type of the record.
        let mut record = [&[4, 0, 0, 14][..], &[0; 8], &[0], &[0, 1, 7], &[0, 0], &[0x16]].concat();
        let head = [0x17, 3, 3, 0, (record.len() + AES_256_GCM.tag_len()) as u8];
        let mut nonce: [u8; 12] = iv.as_ref().try_into().unwrap();
        nonce[4..].iter_mut().zip(number.to_be_bytes()).for_each(|(one, other)| *one ^= other);
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(head), &mut record).unwrap();
        records.extend(head);
        records.extend(record);
    }
    records
}

#[test]
fn records_without_content_do_not_keep_a_reader_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        socket2::SockRef::from(&stream).set_send_buffer_size(1 << 20).unwrap();
        let mut tls = ServerConnection::new(server_config()).unwrap();
        while tls.is_handshaking() || tls.wants_write() {
            tls.complete_io(&mut stream).unwrap();
        }
        stream.write_all(&tickets(tls, 5000)).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        stream
    });
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nonblocking(true).unwrap();
    let tcp = Tcp::new(mio::net::TcpStream::from_std(stream)).unwrap();
    let options = TlsOptions { accept_any_certificate: true, minimum_version: 13, ..TlsOptions::default() };
    let setup = TlsSetup::new(&options).ok().unwrap();
    let mut tls = Tls::new(tcp, &setup, "localhost").ok().unwrap();
    let deadline = Instant::now() + Duration::from_secs(15);
    while matches!(tls.handshake().ok().unwrap(), Stage::Pending) {
        assert!(Instant::now() < deadline, "no handshake");
        thread::yield_now();
    }
    // All of it lies in the sockets now.
    let _stream = server.join().unwrap();
    let mut turns = 0;
    loop {
        match tls.read(&mut [0; 16]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => turns += 1,
            Ok(0) => break,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::yield_now(),
            other => panic!("{other:?}"),
        }
        assert!(Instant::now() < deadline, "no end");
    }
    assert!(turns > 1, "others had their turn {turns} times");
}
