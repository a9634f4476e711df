//! Certificates made at test time: good ones, and every kind of bad one.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod, KeyPair,
    RevokedCertParams, SerialNumber, SigningKey, date_time_ymd,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use x509_cert::der::asn1::BitString;
use x509_cert::der::{Decode, Encode};

/// A certificate with its key, both in PEM.
pub struct Certified {
    pub certificate: String,
    pub key: String,
    /// SHA-256 of the public key's SubjectPublicKeyInfo, in Base64.
    pub pin: String,
    serial: Option<SerialNumber>,
}

impl Certified {
    fn new(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        let spki = pem_content(&key.public_key_pem());
        let pin = data_encoding::BASE64.encode(ring::digest::digest(&ring::digest::SHA256, &spki).as_ref());
        Certified { certificate: certificate.pem(), key: key.serialize_pem(), pin, serial: None }
    }

    /// Its own issuer, as `openssl req -x509` makes one: marked as a CA's unless `leaf`.
    pub fn self_signed(names: &[&str], leaf: bool) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = params("Self Made", names);
        if !leaf {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        Certified::new(&params.self_signed(&key).expect("a certificate"), &key)
    }
}

impl Certified {
    /// As `openssl x509 -req` makes one without a file of extensions: of X.509 version 1. The signature no longer fits.
    pub fn of_version_1(self) -> Self {
        self.changed(|certificate| {
            certificate.tbs_certificate.version = x509_cert::Version::V1;
            certificate.tbs_certificate.extensions = None;
        })
    }

    fn changed(self, change: impl FnOnce(&mut x509_cert::Certificate)) -> Self {
        let mut certificate = x509_cert::Certificate::from_der(&pem_content(&self.certificate)).expect("a certificate");
        change(&mut certificate);
        let content = data_encoding::BASE64.encode(&certificate.to_der().expect("DER"));
        let certificate = format!("-----BEGIN CERTIFICATE-----\n{content}\n-----END CERTIFICATE-----\n");
        Certified { certificate, ..self }
    }

    /// The key as encrypted PKCS#8, as `openssl pkcs8 -topk8 -v2 aes256` makes it.
    pub fn encrypted_key(&self, password: &str) -> String {
        use pkcs8::pkcs5::pbes2::Parameters;
        let (_, document) = pkcs8::Document::from_pem(&self.key).expect("a key in PKCS#8");
        let parameters = Parameters::pbkdf2_sha256_aes256cbc(2048, &[7; 16], &[9; 16]).expect("parameters");
        let info = pkcs8::PrivateKeyInfo::try_from(document.as_bytes()).expect("a key in PKCS#8");
        let encrypted = info.encrypt_with_params(parameters, password).expect("an encrypted key");
        encrypted.to_pem("ENCRYPTED PRIVATE KEY", pkcs8::LineEnding::LF).expect("PEM").to_string()
    }
}

/// The bytes that a PEM text stands for.
pub fn pem_content(pem: &str) -> Vec<u8> {
    let lines: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    data_encoding::BASE64.decode(lines.as_bytes()).expect("PEM")
}

fn params(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

/// When a certificate is valid.
#[derive(Clone, Copy)]
pub enum Validity {
    Now,
    /// Until 2021-02-03.
    Expired,
    /// From 2095-04-05 on.
    NotYet,
    /// Until this time, in UNIX seconds.
    Until(u64),
}

impl Validity {
    fn set(self, params: &mut CertificateParams) {
        match self {
            Validity::Now => {}
            Validity::Expired => {
                params.not_before = date_time_ymd(2020, 1, 2);
                params.not_after = date_time_ymd(2021, 2, 3);
            }
            Validity::NotYet => {
                params.not_before = date_time_ymd(2095, 4, 5);
                params.not_after = date_time_ymd(2096, 1, 1);
            }
            Validity::Until(end) => params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(end),
        }
    }
}

/// A certification authority.
pub struct Authority {
    pub certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new(common_name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(common_name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate").pem();
        Authority { certificate, issuer: Issuer::new(params, key) }
    }

    /// A certificate for these DNS names and IP addresses.
    pub fn issue(&self, common_name: &str, names: &[&str], validity: Validity) -> Certified {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(common_name, names);
        let serial = next_serial();
        params.serial_number = Some(serial.clone());
        validity.set(&mut params);
        let certified = Certified::new(&params.signed_by(&key, &self.issuer).expect("a certificate"), &key);
        Certified { serial: Some(serial), ..certified }
    }

    /// One of X.509 version 1, with a signature that fits.
    pub fn issue_version_1(&self, common_name: &str) -> Certified {
        let certified = self.issue(common_name, &[], Validity::Now).of_version_1();
        certified.changed(|certificate| {
            let content = certificate.tbs_certificate.to_der().expect("DER");
            let signature = self.issuer.key().sign(&content).expect("a signature");
            certificate.signature = BitString::from_bytes(&signature).expect("bits");
        })
    }

    /// A CA below this one, and its certificate by this one.
    pub fn subordinate(&self, common_name: &str) -> (Authority, Certified) {
        self.subordinate_at(common_name, &[], Validity::Now)
    }

    /// The same, for these DNS names and IP addresses.
    pub fn subordinate_at(&self, common_name: &str, names: &[&str], validity: Validity) -> (Authority, Certified) {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(common_name, names);
        validity.set(&mut params);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let serial = next_serial();
        params.serial_number = Some(serial.clone());
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let certified = Certified { serial: Some(serial), ..Certified::new(&certificate, &key) };
        (Authority { certificate: certificate.pem(), issuer: Issuer::new(params, key) }, certified)
    }

    /// A Certificate Revocation List with these certificates of this CA, in PEM: `Expired` since 2021-02-03, or of now.
    pub fn revocation_list(&self, revoked: &[&Certified], validity: Validity) -> String {
        let revoked = revoked.iter().map(|certified| RevokedCertParams {
            serial_number: certified.serial.clone().expect("a certificate of a CA"),
            revocation_time: date_time_ymd(2020, 3, 4),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 2),
            next_update: match validity {
                Validity::Expired => date_time_ymd(2021, 2, 3),
                _ => date_time_ymd(2095, 4, 5),
            },
            crl_number: next_serial(),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).expect("a list").pem().expect("PEM")
    }
}

fn next_serial() -> SerialNumber {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    SerialNumber::from(u64::from(NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// A folder for certificates, which goes with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("mt5mqtt-files-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("create a folder");
        Folder(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, content: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).expect("write a file");
        path.to_str().expect("a path in UTF-8").to_owned()
    }

    /// Lines of mosquitto.conf for a listener with this certificate.
    pub fn listener(&self, server: &Certified) -> String {
        let certificate = self.write("server.pem", &server.certificate);
        let key = self.write("server.key", &server.key);
        format!("certfile {certificate}\nkeyfile {key}\n")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
