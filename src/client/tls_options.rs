//! What the TLS options say, before files are read and certificates parsed: `transport::tls_setup` does that when a
//! connection is made.

use super::options;
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use std::path::Path;
use zeroize::Zeroizing;

/// The SHA-256 of a certificate's SubjectPublicKeyInfo.
pub type Pin = [u8; 32];

#[derive(Clone, Default)]
pub struct TlsOptions {
    /// PEM text, or the path of a PEM file. `None`: the machine's certificate store and Mozilla's list.
    pub ca: Option<String>,
    /// Certificate Revocation Lists: PEM text, or the path of a PEM or DER file. `None`: nobody asks for revocation.
    pub crl: Option<String>,
    pub client_certificate: Option<String>,
    pub client_key: Option<Zeroizing<String>>,
    pub client_key_password: Option<Zeroizing<String>>,
    pub alpn: Vec<String>,
    /// The name that the certificate must have and that SNI says, if not the URL's host.
    pub server_name: Option<String>,
    pub pins: Vec<Pin>,
    pub accept_any_certificate: bool,
    /// 12 or 13.
    pub minimum_version: i64,
}

impl TlsOptions {
    /// Sets the text option of this id, which is one of TLS; `None` puts it back to its default.
    pub fn set(&mut self, id: i32, value: Option<&str>) -> Result<(), String> {
        let owned = || value.map(str::to_owned);
        let secret = || value.map(|value| Zeroizing::new(value.to_owned()));
        let source = || value.map(pem_or_whole_path);
        match id {
            options::TLS_CA => self.ca = source(),
            options::TLS_CRL => self.crl = source(),
            options::TLS_CLIENT_CERTIFICATE => self.client_certificate = source(),
            options::TLS_CLIENT_KEY => self.client_key = source().map(Zeroizing::new),
            options::TLS_CLIENT_KEY_PASSWORD => self.client_key_password = secret(),
            options::TLS_ALPN => self.alpn = value.map_or(Ok(Vec::new()), parse_alpn)?,
            options::TLS_SERVER_NAME => self.server_name = owned(),
            options::TLS_PINS => self.pins = value.map_or(Ok(Vec::new()), parse_pins)?,
            _ => return Err(format!("option {id} is none of TLS")),
        }
        Ok(())
    }
}

/// Files are read anew at later attempts to connect. What names none is left as it is, to be shown so; and a whole path isn't looked
/// at, as its drive may be one of the network.
fn pem_or_whole_path(text: &str) -> String {
    let path = Path::new(text);
    if !is_pem(text) && path.is_relative() && path.is_file() { options::whole_path(text) } else { text.to_owned() }
}

/// Whether an option's text is PEM itself and not a path. Programs write something before it: OpenSSL the attributes of a key,
/// editors a mark of UTF-8.
pub fn is_pem(text: &str) -> bool {
    text.contains("-----BEGIN")
}

/// Whether a text that is no PEM is what is left of one, and must not be shown as if it were a path: it may be a key.
pub fn may_be_content(text: &str) -> bool {
    // Keys and certificates begin with a SEQUENCE of DER, of which this is the first byte in Base64.
    const SEQUENCE: char = 'M';
    let is_base64 = |character: char| character.is_ascii_alphanumeric() || "+/= ".contains(character);
    text.contains("-----")
        || text.chars().any(char::is_control)
        || (text.len() > 40 && text.starts_with(SEQUENCE) && text.chars().all(is_base64))
}

/// Parses pins that commas or white space separate: 64 hexadecimal digits or 44 characters of Base64 each, with or without
/// `sha256/` or `sha256//` before them.
fn parse_pins(text: &str) -> Result<Vec<Pin>, String> {
    let separator = |character: char| character == ',' || character == ';' || character.is_whitespace();
    let pins: Result<Vec<Pin>, String> = text.split(separator).filter(|pin| !pin.is_empty()).map(parse_pin).collect();
    match pins {
        Ok(pins) if pins.is_empty() => Err("option TLS_PINS: there is no pin in it".to_owned()),
        pins => pins,
    }
}

fn parse_pin(text: &str) -> Result<Pin, String> {
    let digits = text.strip_prefix("sha256/").unwrap_or(text);
    // curl writes two slashes; a single one may be followed by a digit of Base64 that is a slash.
    let digits =
        if digits.len() == 45 || digits.len() == 65 { digits.strip_prefix('/').unwrap_or(digits) } else { digits };
    let decoded = match digits.len() {
        64 => HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok(),
        _ => BASE64.decode(digits.as_bytes()).ok(),
    };
    decoded.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        format!("option TLS_PINS: '{text}' is no SHA-256: write 64 hexadecimal digits, or sha256/ and 44 characters of Base64")
    })
}

/// Parses protocol names for ALPN that commas separate.
fn parse_alpn(text: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    // RFC 7301 section 3.1
    if names.iter().any(|name| name.is_empty() || name.len() > 255) {
        return Err("option TLS_ALPN takes names of 1 to 255 bytes with commas between them, such as mqtt".to_owned());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_read_in_hexadecimal_and_base64() {
        let hex = "00ff".repeat(16);
        let base64 = BASE64.encode(&[0, 0xFF].repeat(16));
        let text = format!("{hex}, sha256/{base64}\nsha256//{base64} {}", hex.to_uppercase());
        let pins = parse_pins(&text).unwrap();
        assert_eq!(pins.len(), 4);
        let slash = BASE64.encode(&[0xFF; 32]);
        assert!(slash.starts_with('/'));
        let text = format!("{slash} sha256/{slash} sha256//{slash}");
        assert_eq!(parse_pins(&text).unwrap(), [[0xFF; 32]; 3]);
        assert!(pins.iter().all(|pin| pin[..4] == [0, 0xFF, 0, 0xFF]));
        for bad in ["", " ,", "abc", &hex[..62], &base64[1..]] {
            assert!(parse_pins(bad).unwrap_err().contains("TLS_PINS"), "{bad}");
        }
    }

    #[test]
    fn protocol_names_are_read() {
        assert_eq!(parse_alpn("mqtt, x-amzn-mqtt-ca").unwrap(), ["mqtt", "x-amzn-mqtt-ca"]);
        for bad in ["", "mqtt,", &"x".repeat(256)] {
            assert!(parse_alpn(bad).unwrap_err().contains("TLS_ALPN"));
        }
    }
}
