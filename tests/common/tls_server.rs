//! A Server's end of TLS, scripted: for what no real Server can be made to do. rustls does the work.

use super::certificates::Certified;
use super::fake_server::Peer;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};
use std::io;
use std::net::TcpStream;
use std::sync::Arc;

pub type TlsStream = StreamOwned<ServerConnection, TcpStream>;

pub struct TlsOptions<'a> {
    pub versions: &'a [&'static SupportedProtocolVersion],
    pub alpn: &'a [&'a str],
    /// Clients need a certificate of this CA.
    pub client_ca: Option<&'a str>,
    /// They are asked for one, and may have none.
    pub optional: bool,
    /// How many Sessions of TLS 1.3 are offered to a client that is let in.
    pub tickets: usize,
}

impl Default for TlsOptions<'_> {
    fn default() -> Self {
        TlsOptions { versions: rustls::ALL_VERSIONS, alpn: &[], client_ca: None, optional: false, tickets: 2 }
    }
}

/// Does the handshake on an accepted connection.
pub fn accept(peer: Peer, server: &Certified, options: &TlsOptions<'_>) -> io::Result<TlsStream> {
    accept_with(peer, config(server, options))
}

/// What a Server is; one that stays the same resumes Sessions of TLS.
pub fn config(server: &Certified, options: &TlsOptions<'_>) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let chain = CertificateDer::pem_slice_iter(server.certificate.as_bytes());
    let chain = chain.map(|certificate| certificate.expect("a certificate")).collect();
    let key = PrivateKeyDer::from_pem_slice(server.key.as_bytes()).expect("a key");
    let provider_key = provider.key_provider;
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(options.versions);
    let builder = builder.expect("versions");
    let builder = match options.client_ca {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).expect("a CA")).expect("a CA");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = if options.optional { verifier.allow_unauthenticated() } else { verifier };
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        }
    };
    let key = provider_key.load_private_key(key).expect("a key that can sign");
    // As it is, for bad ones too.
    let certified = CertifiedKey::new(chain, key);
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.send_tls13_tickets = options.tickets;
    config.alpn_protocols = options.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

pub fn accept_with(peer: Peer, config: Arc<ServerConfig>) -> io::Result<TlsStream> {
    let mut tls = ServerConnection::new(config).expect("a TLS connection");
    let mut stream = peer.into_stream();
    while tls.is_handshaking() {
        let done = tls.complete_io(&mut stream);
        if done.is_err() {
            // The alert that says why.
            let _ = tls.write_tls(&mut stream);
        }
        done?;
    }
    Ok(StreamOwned::new(tls, stream))
}
