//! TLS over TCP.

use super::tcp::Tcp;
use super::tls_setup::TlsSetup;
use super::tls_verify::Witness;
use super::{Stage, Transport, failure_of, is_broken_off, other_letters, tls_words};
use crate::types::status::{Failure, Status};
use rustls::ClientConnection;
use rustls::pki_types::ServerName;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// After so much was received without content others have their turn: a Server may send Sessions to resume without a pause.
/// More than one record of the largest size.
const RECEIVED_IN_A_ROW: usize = 16;

pub(super) struct Tls {
    tcp: Tcp,
    tls: ClientConnection,
    /// The name that the certificate should have.
    name: String,
    witness: Arc<Witness>,
    /// Encrypted bytes came in.
    heard: bool,
    /// Decrypted bytes came out.
    used: bool,
    /// `finish` was called.
    finishing: bool,
    /// What the Server sent last is no TLS, or an alert.
    broken: Option<Failure>,
}

impl Tls {
    pub fn new(tcp: Tcp, setup: &TlsSetup, host: &str) -> Result<Tls, Failure> {
        let name = setup.server_name.as_deref().unwrap_or(host);
        let server_name =
            ServerName::try_from(name.to_owned()).map_err(|_| no_server_name(name, setup.server_name.is_some()))?;
        setup.witness.forget();
        let tls = ClientConnection::new(setup.config.clone(), server_name)
            .map_err(|error| Status::Tls.because(format!("TLS can't begin: {error}")))?;
        let (name, witness) = (name.to_owned(), setup.witness.clone());
        Ok(Tls { tcp, tls, name, witness, heard: false, used: false, finishing: false, broken: None })
    }

    /// Goes on with the handshake.
    pub fn handshake(&mut self) -> Result<Stage<()>, Failure> {
        loop {
            // If it fails, the Server is gone, perhaps after an alert that says why: reading shows it.
            let _ = self.send();
            if !self.tls.is_handshaking() {
                return Ok(Stage::Done(()));
            }
            match self.receive() {
                Ok(0) if !self.heard => return Err(tls_words::closed_at_once()),
                Ok(0) => return Err(self.closed("the Server closed the connection during the TLS handshake")),
                Ok(_) => {}
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Ok(Stage::Pending),
                    _ if is_broken_off(&error) && !self.heard => return Err(tls_words::closed_at_once()),
                    _ if is_broken_off(&error) => {
                        return Err(self.closed("the Server broke the connection during the TLS handshake"));
                    }
                    _ => return Err(failure_of(&error, "the TLS handshake")),
                },
            }
        }
    }

    /// Whether the Server has said anything yet.
    pub fn heard(&self) -> bool {
        self.heard
    }

    /// Version, cipher suite and protocol, and the Server's certificates.
    pub fn account(&self) -> (String, Vec<rustls::pki_types::CertificateDer<'static>>) {
        let version = match self.tls.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "1.3".to_owned(),
            Some(rustls::ProtocolVersion::TLSv1_2) => "1.2".to_owned(),
            other => format!("{other:?}"),
        };
        let suite =
            self.tls.negotiated_cipher_suite().map(|suite| format!(", {:?}", suite.suite())).unwrap_or_default();
        let protocol = self.tls.alpn_protocol().map(|name| format!(", ALPN {}", String::from_utf8_lossy(name)));
        let text = format!("TLS {version}{suite}{}", protocol.unwrap_or_default());
        (text, self.tls.peer_certificates().map(<[_]>::to_vec).unwrap_or_default())
    }

    /// The Server has asked for a certificate of ours and got none.
    fn misses_certificate(&self) -> bool {
        self.witness.asked.load(Ordering::Relaxed) && !self.witness.answered.load(Ordering::Relaxed)
    }

    /// The end of a connection during the handshake.
    fn closed(&self, otherwise: &str) -> Failure {
        if self.misses_certificate() {
            return tls_words::client_certificate(&self.witness, "it closed the connection after asking for one");
        }
        Status::Tls.because(otherwise)
    }

    /// Reads encrypted bytes and decrypts them. 0 is the end.
    fn receive(&mut self) -> io::Result<usize> {
        let mut reader = FirstRead { tcp: &mut self.tcp, first: [0; 5], length: 0 };
        let count = loop {
            match self.tls.read_tls(&mut reader) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        // A Server without TLS answers in its own language; that is known by its first bytes, however rustls sees them.
        if count >= 3 && !self.heard && reader.length >= 3 && !super::looks_like_tls(&reader.first) {
            return Err(tls_words::no_tls().into());
        }
        self.heard |= count > 0;
        let begins = self.tls.is_handshaking();
        if let Err(error) = self.tls.process_new_packets() {
            // The Server shall hear why, if the socket takes it.
            let _ = self.send();
            let failure = tls_words::in_words(&error, begins, &self.witness, &self.name);
            self.broken = Some(failure.clone());
            return Err(failure.into());
        }
        Ok(count)
    }

    /// Hands encrypted bytes to the socket. `WouldBlock` when some are left.
    fn send(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            match self.tls.write_tls(&mut self.tcp) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn no_server_name(name: &str, is_option: bool) -> Failure {
    let option = if is_option { "TLS_SERVER_NAME" } else { "URL" };
    let letters = other_letters(name);
    Status::TlsSetup.because(format!("option {option}: '{name}' is no name that a certificate can have{letters}"))
}

/// Remembers the first bytes of a read.
struct FirstRead<'a> {
    tcp: &'a mut Tcp,
    first: [u8; 5],
    length: usize,
}

impl Read for FirstRead<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = Read::read(self.tcp, buffer)?;
        self.length = count.min(self.first.len());
        self.first[..self.length].copy_from_slice(&buffer[..self.length]);
        Ok(count)
    }
}

impl Transport for Tls {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for _ in 0..RECEIVED_IN_A_ROW {
            match self.tls.reader().read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // The Server closed TCP without close_notify. MQTT packets have lengths: nothing can be cut off unseen.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return self.end(),
                Ok(0) => return self.end(),
                Ok(count) => {
                    self.used = true;
                    return Ok(count);
                }
                Err(error) => return Err(error),
            }
            if let Some(failure) = &self.broken {
                return Err(failure.clone().into());
            }
            match self.receive() {
                // The reader knows that there will be no more.
                Ok(_) => {}
                // What was decrypted before it comes first: it may say why.
                Err(_) if self.broken.is_some() => {}
                Err(error) if is_broken_off(&error) && !self.used => return self.end(),
                Err(error) => return Err(error),
            }
            // What arrived may ask for an answer of TLS itself. If the socket doesn't take it, it is pending; if the line is
            // gone, reading says so.
            let _ = self.send();
        }
        Err(io::ErrorKind::Interrupted.into())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // One write's worth is pending at most.
        self.send()?;
        let count = self.tls.writer().write(bytes)?;
        match self.send() {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(count),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }

    fn has_pending(&self) -> bool {
        self.tls.wants_write()
    }

    fn finish(&mut self) -> io::Result<()> {
        if !self.finishing {
            self.finishing = true;
            self.tls.send_close_notify();
        }
        self.send()?;
        self.tcp.finish()
    }

    fn may_hold_input(&self) -> bool {
        true
    }

    fn register(&mut self, registry: &mio::Registry, token: mio::Token, writing: bool) -> io::Result<()> {
        self.tcp.register(registry, token, writing)
    }

    fn deregister(&mut self, registry: &mio::Registry) {
        self.tcp.deregister(registry);
    }
}

impl Tls {
    /// The Server's side is closed.
    fn end(&self) -> io::Result<usize> {
        if self.used || self.finishing || !self.misses_certificate() || self.is_let_in() {
            return Ok(0);
        }
        Err(tls_words::perhaps_client_certificate().into())
    }

    /// Whether the Server has shown that it does without a certificate of ours, if it got none: in TLS 1.2 by its Finished,
    /// in TLS 1.3 by what it sends after ours (RFC 8446 section 4.6.1).
    fn is_let_in(&self) -> bool {
        let is_1_2 = self.tls.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_2);
        is_1_2 || self.tls.tls13_tickets_received() > 0
    }
}

#[cfg(test)]
mod tests {
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
}
