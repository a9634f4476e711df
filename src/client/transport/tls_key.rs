//! Certificates, revocation lists and keys from PEM text or files, with errors that name the option and say what is wrong.

use super::Fault;
use crate::client::tls_options::is_pem;
use crate::types::status::Status;
use pkcs8::EncryptedPrivateKeyInfo;
use pkcs8::der::SecretDocument;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fs;
use zeroize::Zeroizing;

/// Larger files are no certificates; the longest revocation lists of public CAs have some MiB.
const LARGEST_FILE: u64 = 32 * 1024 * 1024;

/// A private key that leaves no copy of itself in memory.
pub(super) type SecretKey = Zeroizing<PrivateKeyDer<'static>>;

pub(super) fn setup_fault(text: impl Into<String>) -> Fault {
    Fault::new(Status::TlsSetup, text)
}

/// The PEM text of an option, from a file if it names one.
fn read(option: &str, value: &str) -> Result<Zeroizing<Vec<u8>>, Fault> {
    if is_pem(value) {
        return Ok(Zeroizing::new(value.as_bytes().to_vec()));
    }
    let wrong = |why: String| setup_fault(format!("option {option}: the file '{value}' {why}"));
    let size = fs::metadata(value).map_err(|error| wrong(format!("can't be read: {error}")))?.len();
    if size > LARGEST_FILE {
        return Err(wrong(format!("has {size} bytes, which no PEM file has")));
    }
    fs::read(value).map(Zeroizing::new).map_err(|error| wrong(format!("can't be read: {error}")))
}

/// For an error: what the option holds, without its content.
fn source(value: &str) -> String {
    if is_pem(value) { "the PEM text".to_owned() } else { format!("the file '{value}'") }
}

/// All certificates of an option, at least one.
pub(super) fn certificates(option: &str, value: &str) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let pem = read(option, value)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates
        .map_err(|error| setup_fault(format!("option {option}: {} is not valid PEM: {error}", source(value))))?;
    if certificates.is_empty() {
        return Err(setup_fault(format!(
            "option {option}: {} has no certificate (-----BEGIN CERTIFICATE-----); a file of another format (DER, PFX) has to \
             be converted to PEM",
            source(value)
        )));
    }
    Ok(certificates)
}

/// All Certificate Revocation Lists of an option, at least one. CAs publish them as DER, one in a file.
pub(super) fn revocation_lists(option: &str, value: &str) -> Result<Vec<CertificateRevocationListDer<'static>>, Fault> {
    /// A SEQUENCE, as which every list begins.
    const DER: u8 = 0x30;
    let bytes = read(option, value)?;
    if bytes.first() == Some(&DER) {
        return Ok(vec![bytes.to_vec().into()]);
    }
    let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&bytes).collect();
    let lists =
        lists.map_err(|error| setup_fault(format!("option {option}: {} is not valid PEM: {error}", source(value))))?;
    if lists.is_empty() {
        let text =
            format!("option {option}: {} has no revocation list (-----BEGIN X509 CRL-----, or DER)", source(value));
        return Err(setup_fault(text));
    }
    Ok(lists)
}

/// The private key of an option; decrypts a PKCS#8 one with `password`.
pub(super) fn private_key(option: &str, value: &str, password: Option<&str>) -> Result<SecretKey, Fault> {
    let pem = read(option, value)?;
    let wrong = |why: &str| setup_fault(format!("option {option}: {} {why}", source(value)));
    let has = |text: &[u8]| pem.windows(text.len()).any(|window| window == text);
    if has(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        let Some(password) = password else {
            return Err(wrong("is encrypted: set option TLS_CLIENT_KEY_PASSWORD"));
        };
        return decrypt(&pem, password).map_err(wrong);
    }
    if has(b"Proc-Type: 4,ENCRYPTED") {
        return Err(wrong(
            "is encrypted in OpenSSL's old way, which isn't supported: convert it with 'openssl pkcs8 -topk8 -v2 aes256 -in \
             old.key -out new.key'",
        ));
    }
    PrivateKeyDer::from_pem_slice(&pem)
        .map(Zeroizing::new)
        .map_err(|error| wrong(&format!("has no private key in PEM (-----BEGIN PRIVATE KEY-----): {error}")))
}

/// The first encrypted key of a PEM text. The error goes on after the name of the option.
fn decrypt(pem: &[u8], password: &str) -> Result<SecretKey, &'static str> {
    const BAD: &str = "holds an encrypted key that is damaged";
    let text = std::str::from_utf8(pem).map_err(|_| BAD)?;
    // Something else may stand before it.
    let start = text.find("-----BEGIN ENCRYPTED PRIVATE KEY-----").ok_or(BAD)?;
    const END: &str = "-----END ENCRYPTED PRIVATE KEY-----";
    let end = text[start..].find(END).ok_or(BAD)? + END.len();
    let (_, document) = SecretDocument::from_pem(&text[start..start + end]).map_err(|_| BAD)?;
    let encrypted = EncryptedPrivateKeyInfo::try_from(document.as_bytes()).map_err(|_| BAD)?;
    let key = encrypted.decrypt(password).map_err(|_| {
        "can't be decrypted: TLS_CLIENT_KEY_PASSWORD is wrong, or the key is encrypted in another way than PBES2 with AES \
         (convert it with 'openssl pkcs8 -topk8 -v2 aes256')"
    })?;
    Ok(Zeroizing::new(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into()))
}
