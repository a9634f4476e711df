//! The Server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), which knows that the password of `user` is `pencil`.

use data_encoding::BASE64;
use ring::{digest, hmac, pbkdf2};

fn sign(key: &[u8], data: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data).as_ref().to_vec()
}

fn sha256(data: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, data).as_ref().to_vec()
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
        let mut salted = [0; 32];
        let iterations = 4096.try_into().unwrap();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, b"salt", b"pencil", &mut salted);
        let message = format!("{},{},{without_proof}", self.first_bare, self.first);
        let stored_key = sha256(&sign(&salted, b"Client Key"));
        let signature = sign(&stored_key, message.as_bytes());
        let client_key: Vec<u8> = BASE64
            .decode(proof.as_bytes())
            .unwrap()
            .iter()
            .zip(signature)
            .map(|(proof, signature)| proof ^ signature)
            .collect();
        assert_eq!(sha256(&client_key), stored_key, "the client knows the password");
        format!("v={}", BASE64.encode(&sign(&sign(&salted, b"Server Key"), message.as_bytes())))
    }
}
