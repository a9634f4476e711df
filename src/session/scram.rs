//! SCRAM-SHA-256 (RFC 5802, RFC 7677), the client's side, without channel binding: both sides prove that they know the
//! password, and it never travels.
//!
//! The three messages of it are the Authentication Data of CONNECT, AUTH and CONNACK, or of three AUTH packets.

use data_encoding::BASE64;
use ring::{digest, hmac, pbkdf2};
use std::fmt;
use std::num::NonZeroU32;
use zeroize::Zeroizing;

pub const METHOD: &str = "SCRAM-SHA-256";

/// No channel binding, and no other identity than the user's.
const GS2_HEADER: &str = "n,,";
/// What RFC 7677 section 4 asks for at least: a Server that asks for less makes the password easier to guess.
const FEWEST_ITERATIONS: u32 = 4096;
/// A Server must not keep the thread busy for more than a moment.
const MOST_ITERATIONS: u32 = 1_000_000;
const NONCE_SIZE: usize = 18;

/// User name and password, prepared as RFC 4013 asks for.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user_name: String,
    password: Zeroizing<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Secrets stay out of every log.
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// The error says what is wrong with them, in words.
    pub fn new(user_name: &str, password: &[u8]) -> Result<Self, String> {
        let password = std::str::from_utf8(password).map_err(|_| "the password is not UTF-8".to_owned())?;
        let prepare = |what, text| {
            stringprep::saslprep(text).map_err(|_| format!("the {what} holds a character that SCRAM doesn't allow"))
        };
        let user_name = prepare("user name", user_name)?.replace('=', "=3D").replace(',', "=2C");
        Ok(Credentials { user_name, password: Zeroizing::new(prepare("password", password)?.into_owned()) })
    }
}

/// One run of the mechanism.
pub(super) struct Scram {
    password: Zeroizing<String>,
    nonce: String,
    /// `client-first-message-bare` of RFC 5802 section 7.
    first_bare: String,
    stage: Stage,
}

enum Stage {
    /// The Server's first message is to come.
    First,
    /// The Server's last message is to come: it has to prove that it knows the password, too.
    Final {
        server_key: hmac::Key,
        auth_message: String,
    },
    Done,
}

impl fmt::Debug for Scram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scram").finish_non_exhaustive()
    }
}

impl Scram {
    /// `number` makes the nonce another one for each run with the same seed.
    pub fn new(credentials: &Credentials, seed: &[u8; 32], number: u64) -> Self {
        let random = sign(seed, &number.to_be_bytes());
        Self::with_nonce(credentials, BASE64.encode(&random.as_ref()[..NONCE_SIZE]))
    }

    fn with_nonce(credentials: &Credentials, nonce: String) -> Self {
        let first_bare = format!("n={},r={nonce}", credentials.user_name);
        Scram { password: credentials.password.clone(), nonce, first_bare, stage: Stage::First }
    }

    /// Our first message.
    pub fn first(&self) -> Vec<u8> {
        format!("{GS2_HEADER}{}", self.first_bare).into_bytes()
    }

    /// Our answer to the Server's first message. The error says what is wrong with that, in words.
    pub fn answer(&mut self, data: Option<&[u8]>) -> Result<Vec<u8>, String> {
        if !matches!(self.stage, Stage::First) {
            return Err("the Server asks for a step that SCRAM doesn't have".to_owned());
        }
        let message = text(data)?;
        let mut attributes = message.split(',');
        let nonce = attribute(attributes.next(), "r=")?;
        let salt = BASE64.decode(attribute(attributes.next(), "s=")?.as_bytes()).map_err(|_| invalid("salt"))?;
        let iterations: NonZeroU32 =
            attribute(attributes.next(), "i=")?.parse().map_err(|_| invalid("iteration count"))?;
        if nonce.len() <= self.nonce.len() || !nonce.starts_with(&self.nonce) {
            return Err("the Server's nonce doesn't continue ours".to_owned());
        }
        if !(FEWEST_ITERATIONS..=MOST_ITERATIONS).contains(&iterations.get()) {
            return Err(format!("the Server asks for {iterations} iterations, which is out of bounds"));
        }
        // The names are those of RFC 5802 section 3.
        let mut salted_password = Zeroizing::new([0; digest::SHA256_OUTPUT_LEN]);
        let password = self.password.as_bytes();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &salt, password, salted_password.as_mut_slice());
        let client_key = sign(salted_password.as_slice(), b"Client Key");
        let server_key = sign(salted_password.as_slice(), b"Server Key");
        let without_proof = format!("c={},r={nonce}", BASE64.encode(GS2_HEADER.as_bytes()));
        let auth_message = format!("{},{message},{without_proof}", self.first_bare);
        let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
        let client_signature = sign(stored_key.as_ref(), auth_message.as_bytes());
        let halves = client_key.as_ref().iter().zip(client_signature.as_ref());
        let proof: Vec<u8> = halves.map(|(key, signature)| key ^ signature).collect();
        let server_key = hmac::Key::new(hmac::HMAC_SHA256, server_key.as_ref());
        self.stage = Stage::Final { server_key, auth_message };
        Ok(format!("{without_proof},p={}", BASE64.encode(&proof)).into_bytes())
    }

    /// Checks the Server's last message. The error says in words why the Server isn't to be trusted.
    pub fn verify(&mut self, data: Option<&[u8]>) -> Result<(), String> {
        let Stage::Final { server_key, auth_message } = std::mem::replace(&mut self.stage, Stage::Done) else {
            return Err("the Server accepts before SCRAM is complete".to_owned());
        };
        let message = text(data)?;
        let mut attributes = message.split(',');
        let proof = BASE64.decode(attribute(attributes.next(), "v=")?.as_bytes()).map_err(|_| invalid("signature"))?;
        let verified = hmac::verify(&server_key, auth_message.as_bytes(), &proof);
        verified.map_err(|_| "the Server doesn't know the password".to_owned())
    }
}

fn sign(key: &[u8], text: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text)
}

fn text(data: Option<&[u8]>) -> Result<&str, String> {
    let data = data.ok_or_else(|| "the Server sent no Authentication Data".to_owned())?;
    std::str::from_utf8(data).map_err(|_| invalid("message"))
}

fn attribute<'a>(part: Option<&'a str>, name: &str) -> Result<&'a str, String> {
    part.and_then(|part| part.strip_prefix(name)).ok_or_else(|| invalid("message"))
}

fn invalid(what: &str) -> String {
    format!("the Server's SCRAM {what} is not valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Scram {
        let credentials = Credentials::new("user", b"pencil").unwrap();
        Scram::with_nonce(&credentials, "rOprNGfwEbeRWgbNEkqO".to_owned())
    }

    const SERVER_FIRST: &[u8] =
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    #[test]
    fn the_example_of_rfc_7677_comes_out() {
        // RFC 7677 section 3
        let mut scram = example();
        assert_eq!(scram.first(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let last = scram.answer(Some(SERVER_FIRST)).unwrap();
        assert_eq!(
            String::from_utf8(last).unwrap(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert_eq!(scram.verify(Some(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")), Ok(()));
    }

    #[test]
    fn a_server_that_doesnt_know_the_password_is_found_out() {
        for wrong in [
            Some(&b"v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="[..]),
            Some(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G"),
            Some(b"v="),
            Some(b"e=other-error"),
            Some(b""),
            None,
        ] {
            let mut scram = example();
            scram.answer(Some(SERVER_FIRST)).unwrap();
            assert!(scram.verify(wrong).is_err(), "{wrong:?}");
        }
        // Success before the proof was asked for, and a second proof for one answer.
        assert!(example().verify(Some(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")).is_err());
    }

    #[test]
    fn a_first_message_that_breaks_the_rules_is_refused() {
        for wrong in [
            "",
            "x",
            "m=extension,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            // A nonce that isn't ours, or adds nothing of the Server's.
            "r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=anotherThatIsLongerThanOurs,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=!,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1000001",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==",
        ] {
            assert!(example().answer(Some(wrong.as_bytes())).is_err(), "{wrong}");
        }
        assert!(example().answer(None).is_err());
        let mut twice = example();
        twice.answer(Some(SERVER_FIRST)).unwrap();
        assert!(twice.answer(Some(SERVER_FIRST)).is_err());
    }

    #[test]
    fn names_are_prepared_and_escaped() {
        // RFC 5802 section 5.1, RFC 4013 section 3: a soft hyphen is mapped to nothing.
        let credentials = Credentials::new("I\u{AD}X=a,b", "\u{2168}".as_bytes()).unwrap();
        assert_eq!((credentials.user_name.as_str(), credentials.password.as_str()), ("IX=3Da=2Cb", "IX"));
        assert!(Credentials::new("a\u{7}", b"x").is_err());
        assert!(Credentials::new("a", &[0xFF]).is_err());
    }

    #[test]
    fn every_run_has_a_nonce_of_its_own() {
        let credentials = Credentials::new("user", b"pencil").unwrap();
        let first = |seed, number| Scram::new(&credentials, seed, number).first();
        assert_ne!(first(&[1; 32], 1), first(&[1; 32], 2));
        assert_ne!(first(&[1; 32], 1), first(&[2; 32], 1));
    }
}
