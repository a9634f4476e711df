//! The Server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), which knows that the password of `user` is `pencil`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(data).finalize().into_bytes().to_vec()
}

/// Its first message; with the client's last one its own last.
pub struct ScramServer {
    first_bare: String,
    pub first: String,
}

impl ScramServer {
    pub fn new(client_first: &[u8]) -> Self {
        let client_first = std::str::from_utf8(client_first).unwrap();
        let first_bare = client_first.strip_prefix("n,,").expect("no channel binding").to_owned();
        let nonce = first_bare.strip_prefix("n=user,r=").expect("the user and a nonce");
        assert!(nonce.len() >= 18 && !nonce.contains(','));
        let first = format!("r={nonce}server,s={},i=4096", BASE64.encode(b"salt"));
        ScramServer { first_bare, first }
    }

    pub fn last(&self, client_last: &[u8]) -> String {
        let client_last = std::str::from_utf8(client_last).unwrap();
        let (without_proof, proof) = client_last.rsplit_once(",p=").expect("a proof");
        let salted = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(b"pencil", b"salt", 4096);
        let message = format!("{},{},{without_proof}", self.first_bare, self.first);
        let stored_key = Sha256::digest(hmac(&salted, b"Client Key"));
        let signature = hmac(&stored_key, message.as_bytes());
        let client_key: Vec<u8> =
            BASE64.decode(proof).unwrap().iter().zip(signature).map(|(proof, signature)| proof ^ signature).collect();
        assert_eq!(Sha256::digest(client_key), stored_key, "the client knows the password");
        format!("v={}", BASE64.encode(hmac(&hmac(&salted, b"Server Key"), message.as_bytes())))
    }
}
