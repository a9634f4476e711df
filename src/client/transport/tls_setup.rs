//! From the TLS options to what rustls needs. Reads files and, once per process, the machine's certificate store: for the
//! background thread only.

use super::certificate::Described;
use super::tls_key::{certificates, private_key, revocation_lists};
use super::tls_verify::{OwnCertificate, Verifier, Witness};
use crate::client::clock;
use crate::client::tls_options::TlsOptions;
use crate::types::status::{Failure, Status};
use once_cell::sync::OnceCell;
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// TLS as one client's options ask for it. Lives from one connect to the next, for one attempt if there are revocation lists, and
/// no longer than the certificates that it has accepted: what its files say is read anew then.
#[derive(Clone)]
pub(in crate::client) struct TlsSetup {
    pub(super) config: Arc<ClientConfig>,
    pub(super) server_name: Option<String>,
    pub(super) witness: Arc<Witness>,
}

impl TlsSetup {
    pub fn new(options: &TlsOptions) -> Result<TlsSetup, Failure> {
        let provider = Arc::new(ring::default_provider());
        let versions: &[&SupportedProtocolVersion] =
            if options.minimum_version >= 13 { &[&TLS13] } else { &[&TLS13, &TLS12] };
        let trusted = options.ca.as_deref().map_or(Ok(Vec::new()), |ca| certificates("TLS_CA", ca))?;
        let revoked = options.crl.as_deref().map_or(Ok(Vec::new()), |crl| revocation_lists("TLS_CRL", crl))?;
        let asks_for_revocation = !revoked.is_empty();
        if asks_for_revocation && options.accept_any_certificate {
            let text = "option TLS_CRL would say nothing, as TLS_ACCEPT_ANY_CERTIFICATE accepts what is revoked, too: set one \
                        of them";
            return Err(Status::TlsSetup.because(text));
        }
        let named = !trusted.is_empty();
        let witness = Arc::new(Witness { named, valid_until: AtomicU64::new(u64::MAX), ..Witness::default() });
        let chain = match options.accept_any_certificate {
            true => None,
            false => Some(chain_verifier(&trusted, revoked, &provider)?),
        };
        let verifier = Verifier {
            chain,
            trusted,
            asks_for_revocation,
            pins: options.pins.clone(),
            provider: provider.clone(),
            witness: witness.clone(),
        };
        let own = OwnCertificate { key: own_certificate(options)?, witness: witness.clone() };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(|error| Status::TlsSetup.because(format!("TLS can't be set up: {error}")))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(own));
        config.alpn_protocols = options.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(TlsSetup { config: Arc::new(config), server_name: options.server_name.clone(), witness })
    }

    /// Whether a Session of TLS that is resumed might be one whose certificates have expired since: nobody verifies them again.
    pub fn is_outlived(&self) -> bool {
        clock::unix_us() / 1_000_000 > self.witness.valid_until.load(Ordering::Relaxed).try_into().unwrap_or(i64::MAX)
    }
}

fn chain_verifier(
    trusted: &[CertificateDer<'static>],
    revoked: Vec<CertificateRevocationListDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, Failure> {
    let roots = if trusted.is_empty() {
        machine_roots()
    } else {
        let mut roots = RootCertStore::empty();
        let (_, refused) = roots.add_parsable_certificates(trusted.iter().cloned());
        if roots.is_empty() {
            return Err(
                Status::TlsSetup.because(format!("option TLS_CA: none of its {refused} certificates can be parsed"))
            );
        }
        Arc::new(roots)
    };
    // Of each certificate of the chain it must be known that it isn't revoked, from a list that isn't out of date.
    WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
        .with_crls(revoked)
        .enforce_revocation_expiration()
        .build()
        .map_err(|error| match error {
            VerifierBuilderError::InvalidCrl(error) => {
                Status::TlsSetup.because(format!("option TLS_CRL: a revocation list can't be used: {error:?}"))
            }
            _ => Status::TlsSetup.because(format!("TLS can't be set up: {error}")),
        })
}

/// The machine's certificate store and Mozilla's list: a company's own CA is in the first, and the second is there on machines
/// whose store is out of date or empty. Loaded once per process, which takes up to some tenths of a second.
fn machine_roots() -> Arc<RootCertStore> {
    static ROOTS: OnceCell<Arc<RootCertStore>> = OnceCell::new();
    ROOTS
        .get_or_init(|| {
            let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            // What can't be read or parsed can't be trusted; the rest can.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            Arc::new(roots)
        })
        .clone()
}

fn own_certificate(options: &TlsOptions) -> Result<Option<Arc<CertifiedKey>>, Failure> {
    let (certificate, key) = match (&options.client_certificate, &options.client_key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => {
            return Err(Status::TlsSetup.because("option TLS_CLIENT_CERTIFICATE needs TLS_CLIENT_KEY beside it"));
        }
        (None, Some(_)) => {
            return Err(Status::TlsSetup.because("option TLS_CLIENT_KEY needs TLS_CLIENT_CERTIFICATE beside it"));
        }
    };
    let chain = certificates("TLS_CLIENT_CERTIFICATE", certificate)?;
    let password = options.client_key_password.as_ref().map(|password| password.as_str());
    let key = private_key("TLS_CLIENT_KEY", key, password)?;
    // As the provider does it, but for a copy that nobody would zeroize.
    let key = ring::sign::any_supported_type(&key).map_err(|_| {
        let text = "option TLS_CLIENT_KEY: this key can't be used: RSA keys of 2048 to 4096 bits can, ECDSA keys of the \
                    curves P-256 and P-384, and Ed25519 keys";
        Status::TlsSetup.because(text)
    })?;
    // Not by rustls, which takes no certificate of X.509 version 1: `openssl x509 -req` makes such ones.
    let Some(described) = chain.first().and_then(Described::new) else {
        return Err(Status::TlsSetup.because("option TLS_CLIENT_CERTIFICATE: its first certificate can't be parsed"));
    };
    if key.public_key().is_some_and(|public| !described.is_for(&public)) {
        let text = "option TLS_CLIENT_KEY is not the key of the first certificate in TLS_CLIENT_CERTIFICATE";
        return Err(Status::TlsSetup.because(text));
    }
    Ok(Some(Arc::new(CertifiedKey::new(chain, key))))
}
