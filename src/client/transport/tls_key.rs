//! Certificates, revocation lists and keys from PEM text or files, with errors that name the option and say what is wrong.

use crate::client::address::visible;
use crate::client::tls_options::{is_pem, may_be_content};
use crate::types::status::{Failure, Status};
use pkcs8::EncryptedPrivateKeyInfo;
use pkcs8::der::SecretDocument;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fs::{self, File};
use std::io::{self, Read};
use zeroize::Zeroizing;

/// Larger files are no certificates; the longest revocation lists of public CAs have some MiB.
const LARGEST_FILE: u64 = 32 * 1024 * 1024;

const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

/// A private key that leaves no copy of itself in memory.
pub(super) type SecretKey = Zeroizing<PrivateKeyDer<'static>>;

/// The PEM text of an option, from a file if it names one.
fn read(option: &str, value: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if is_pem(value) {
        return Ok(without_mark(value.as_bytes().to_vec()));
    }
    let shown = visible(value);
    let unreadable = |error: io::Error| {
        let text = match may_be_content(value) {
            true => format!(
                "option {option}: its text is neither PEM, as it has no line -----BEGIN …-----, nor the path of a file"
            ),
            // As Windows copies a path.
            false if value.trim_start().starts_with('"') => {
                format!("option {option}: the file {shown} can't be read: write its path without quotation marks")
            }
            false => format!("option {option}: the file '{shown}' can't be read: {error}"),
        };
        Status::TlsSetup.because(text)
    };
    let metadata = fs::metadata(value).map_err(unreadable)?;
    if metadata.is_dir() {
        // Windows only says that access is denied.
        return Err(Status::TlsSetup.because(format!("option {option}: '{value}' is a folder: name the file in it")));
    }
    // One byte more, so that the buffer, which may hold a key, doesn't grow to see the end.
    let mut content = Vec::with_capacity(metadata.len().min(LARGEST_FILE) as usize + 1);
    let read = File::open(value).and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut content));
    let content = without_mark(content);
    match read.map_err(unreadable)? as u64 {
        0..=LARGEST_FILE => Ok(content),
        // A device may have no end.
        _ => Err(Status::TlsSetup.because(format!("option {option}: the file '{value}' is larger than any PEM file"))),
    }
}

/// The text without the mark of UTF-8 that editors of Windows write before it, in whose line no PEM is found.
fn without_mark(mut text: Vec<u8>) -> Zeroizing<Vec<u8>> {
    if let Some(mark) = text.get_mut(..3).filter(|mark| **mark == *b"\xEF\xBB\xBF") {
        mark.fill(b'\n');
    }
    Zeroizing::new(text)
}

/// What is wrong with a PEM text. The error itself repeats what it has found, which may be a key.
fn pem_words(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => {
            "an -----END line is missing, or it has lost its line breaks (give the path of its file then)"
        }
        pem::Error::IllegalSectionStart { .. } => {
            "there is something else in a -----BEGIN line: perhaps it has lost its line breaks (give the path of its file then)"
        }
        pem::Error::Base64Decode(_) => "what is between its lines -----BEGIN and -----END is no Base64",
        pem::Error::SectionTooLarge => "it is too large",
        _ => "it can't be read",
    }
}

/// For an error: what the option holds, without its content.
fn source(value: &str) -> String {
    if is_pem(value) { "the PEM text".to_owned() } else { format!("the file '{value}'") }
}

fn invalid(option: &str, value: &str, error: &pem::Error) -> Failure {
    Status::TlsSetup.because(format!("option {option}: {} is not valid PEM: {}", source(value), pem_words(error)))
}

/// All certificates of an option, at least one.
pub(super) fn certificates(option: &str, value: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let pem = read(option, value)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.map_err(|error| invalid(option, value, &error))?;
    if certificates.is_empty() {
        let source = source(value);
        let advice = "a file of another format (DER, PFX) has to be converted to PEM";
        let text = format!("option {option}: {source} has no certificate (-----BEGIN CERTIFICATE-----); {advice}");
        return Err(Status::TlsSetup.because(text));
    }
    Ok(certificates)
}

/// All Certificate Revocation Lists of an option, at least one. CAs publish them as DER, one in a file.
pub(super) fn revocation_lists(
    option: &str,
    value: &str,
) -> Result<Vec<CertificateRevocationListDer<'static>>, Failure> {
    /// A SEQUENCE, as which every list begins.
    const DER: u8 = 0x30;
    let bytes = read(option, value)?;
    if bytes.first() == Some(&DER) {
        return Ok(vec![bytes.to_vec().into()]);
    }
    let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&bytes).collect();
    let lists = lists.map_err(|error| invalid(option, value, &error))?;
    if lists.is_empty() {
        let text =
            format!("option {option}: {} has no revocation list (-----BEGIN X509 CRL-----, or DER)", source(value));
        return Err(Status::TlsSetup.because(text));
    }
    Ok(lists)
}

/// The private key of an option; decrypts a PKCS#8 one with `password`.
pub(super) fn private_key(option: &str, value: &str, password: Option<&str>) -> Result<SecretKey, Failure> {
    let pem = read(option, value)?;
    let wrong = |why: &str| Status::TlsSetup.because(format!("option {option}: {} {why}", source(value)));
    let has = |text: &[u8]| pem.windows(text.len()).any(|window| window == text);
    if has(ENCRYPTED.as_bytes()) {
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
    PrivateKeyDer::from_pem_slice(&pem).map(Zeroizing::new).map_err(|error| match error {
        pem::Error::NoItemsFound => wrong("has no private key in PEM (-----BEGIN PRIVATE KEY-----)"),
        error => invalid(option, value, &error),
    })
}

/// The first encrypted key of a PEM text. The error goes on after the name of the option.
fn decrypt(pem: &[u8], password: &str) -> Result<SecretKey, &'static str> {
    const BAD: &str = "holds an encrypted key that is damaged";
    const OTHER: &str = "is damaged, or encrypted in another way than PBES2 with AES: convert it with 'openssl pkcs8 -topk8 -v2 aes256 -in \
                         old.key -out new.key'";
    let document = encrypted_document(pem).ok_or(BAD)?;
    let encrypted = EncryptedPrivateKeyInfo::try_from(document.as_bytes()).map_err(|_| OTHER)?;
    let key = encrypted.decrypt(password).map_err(|_| {
        "can't be decrypted: TLS_CLIENT_KEY_PASSWORD is wrong, or the key is encrypted in another way than PBES2 with AES \
         (convert it with 'openssl pkcs8 -topk8 -v2 aes256')"
    })?;
    Ok(Zeroizing::new(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into()))
}

/// What is between the lines of the first encrypted key. Something else may stand before it, in any encoding.
fn encrypted_document(pem: &[u8]) -> Option<SecretDocument> {
    const END: &str = "-----END ENCRYPTED PRIVATE KEY-----";
    let start = pem.windows(ENCRYPTED.len()).position(|window| window == ENCRYPTED.as_bytes())?;
    let size = pem[start..].windows(END.len()).position(|window| window == END.as_bytes())? + END.len();
    let text = std::str::from_utf8(&pem[start..start + size]).ok()?;
    // The parser takes neither blank lines nor blanks at the ends of lines.
    let mut clean = Zeroizing::new(String::with_capacity(size + 1));
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        clean.push_str(line);
        clean.push('\n');
    }
    SecretDocument::from_pem(&clean).ok().map(|(_, document)| document)
}
