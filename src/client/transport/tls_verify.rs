//! Whether a Server's certificate is accepted: the chain by rustls' own verifier, then the pins.

use super::certificate::Described;
use crate::client::tls_options::Pin;
use data_encoding::BASE64;
use parking_lot::Mutex;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What was seen during a handshake, for the words about its failure.
#[derive(Debug, Default)]
pub(super) struct Witness {
    /// The Server's certificates as they came, its own first.
    pub shown: Mutex<Vec<CertificateDer<'static>>>,
    /// Option TLS_CA says what is trusted, and the machine's store doesn't count.
    pub named: bool,
    /// The Server wanted a certificate of ours.
    pub asked: AtomicBool,
    /// It got one.
    pub answered: AtomicBool,
    /// Until when what was verified is valid, in UNIX seconds; [`u64::MAX`] if nothing was. Outlives the handshake.
    pub valid_until: AtomicU64,
}

impl Witness {
    /// Another handshake begins.
    pub fn forget(&self) {
        self.shown.lock().clear();
        self.asked.store(false, Ordering::Relaxed);
        self.answered.store(false, Ordering::Relaxed);
    }
}

/// No pin is that of the Server's certificate.
#[derive(Debug)]
pub(super) struct PinMismatch {
    /// The pin that would fit, for the error's text.
    pub found: String,
}

impl fmt::Display for PinMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate's public key is sha256/{}", self.found)
    }
}

impl std::error::Error for PinMismatch {}

/// A certificate that is trusted itself, but can't be looked for in its issuer's list.
#[derive(Debug)]
pub(super) struct RevocationHidden;

impl fmt::Display for RevocationHidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "whether the Server's certificate has been revoked can't be found out, as it is marked as a CA's or not as one for \
             Servers: the Server needs a new one (basicConstraints=CA:FALSE), or option TLS_CRL has to be left out",
        )
    }
}

impl std::error::Error for RevocationHidden {}

#[derive(Debug)]
pub(super) struct Verifier {
    /// `None` accepts every chain.
    pub chain: Option<Arc<WebPkiServerVerifier>>,
    /// Certificates that the program itself named as trusted.
    pub trusted: Vec<CertificateDer<'static>>,
    /// The chain's verifier has revocation lists.
    pub asks_for_revocation: bool,
    pub pins: Vec<Pin>,
    pub provider: Arc<CryptoProvider>,
    pub witness: Arc<Witness>,
}

impl Verifier {
    /// By its chain, or as one that the program has named itself.
    fn verify_chain(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<(), Error> {
        let Some(chain) = &self.chain else { return Ok(()) };
        let by_chain = || chain.verify_server_cert(leaf, intermediates, name, ocsp_response, now).map(|_| ());
        if !self.trusted.contains(leaf) {
            return by_chain();
        }
        check_trusted_itself(leaf, name, now)?;
        // What the program has named may have been revoked since.
        match by_chain() {
            Err(why) if self.asks_for_revocation && is_of_revocation(&why) => Err(why),
            // It was refused before anybody has looked into the lists.
            Err(_) if self.asks_for_revocation && self.trusts_issuer_of(leaf, intermediates) => {
                Err(CertificateError::Other(OtherError(Arc::new(RevocationHidden))).into())
            }
            _ => Ok(()),
        }
    }

    /// Whether a CA above it is trusted by itself, so that there may be a list that counts.
    fn trusts_issuer_of(&self, leaf: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>]) -> bool {
        let trusted: Vec<Described> = self.trusted.iter().filter_map(Described::new).collect();
        let between: Vec<Described> = intermediates.iter().filter_map(Described::new).collect();
        let mut issuer = Described::new(leaf).map(|leaf| leaf.issuer);
        for _ in 0..=between.len() {
            let Some(name) = issuer else { return false };
            if trusted.iter().any(|trusted| trusted.subject == name) {
                return true;
            }
            issuer = between.iter().find(|between| between.subject == name).map(|between| between.issuer.clone());
        }
        false
    }

    fn check_pins(&self, leaf: &CertificateDer<'_>) -> Result<(), Error> {
        if self.pins.is_empty() {
            return Ok(());
        }
        let described = Described::new(leaf).ok_or(CertificateError::BadEncoding)?;
        if self.pins.contains(&described.pin) {
            return Ok(());
        }
        let mismatch = PinMismatch { found: BASE64.encode(&described.pin) };
        Err(CertificateError::Other(OtherError(Arc::new(mismatch))).into())
    }
}

/// Whether a certificate wasn't accepted for what a revocation list says, or doesn't say.
fn is_of_revocation(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertRevocationList(_)
            | Error::InvalidCertificate(
                CertificateError::Revoked
                    | CertificateError::UnknownRevocationStatus
                    | CertificateError::ExpiredRevocationList
                    | CertificateError::ExpiredRevocationListContext { .. }
            )
    )
}

/// A certificate that the program has named itself needs no issuer: people make one with `openssl req -x509`, which marks it
/// as a CA's, and rustls takes none of those from a Server. Name and dates are checked all the same.
fn check_trusted_itself(leaf: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<(), Error> {
    verify_server_name(&ParsedCertificate::try_from(leaf)?, name)?;
    let described = Described::new(leaf).ok_or(CertificateError::BadEncoding)?;
    if now.as_secs() > described.not_after {
        return Err(CertificateError::Expired.into());
    }
    if now.as_secs() < described.not_before {
        return Err(CertificateError::NotValidYet.into());
    }
    Ok(())
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.witness.shown.lock() =
            [leaf].into_iter().chain(intermediates).map(|shown| shown.clone().into_owned()).collect();
        self.verify_chain(leaf, intermediates, name, ocsp_response, now)?;
        self.check_pins(leaf)?;
        if self.chain.is_some() {
            let all = [leaf].into_iter().chain(intermediates).filter_map(Described::new);
            let first = all.map(|described| described.not_after).min().unwrap_or(0);
            self.witness.valid_until.fetch_min(first, Ordering::Relaxed);
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Hands out our certificate, if there is one, and notes that the Server wanted it.
#[derive(Debug)]
pub(super) struct OwnCertificate {
    pub key: Option<Arc<CertifiedKey>>,
    pub witness: Arc<Witness>,
}

impl ResolvesClientCert for OwnCertificate {
    fn resolve(&self, _root_hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.witness.asked.store(true, Ordering::Relaxed);
        let key = self.key.clone().filter(|key| key.key.choose_scheme(schemes).is_some())?;
        self.witness.answered.store(true, Ordering::Relaxed);
        Some(key)
    }

    fn has_certs(&self) -> bool {
        // Also without one: `resolve` is to hear that the Server asks.
        true
    }
}
