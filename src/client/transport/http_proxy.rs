//! A connection through an HTTP proxy: the CONNECT method (RFC 9110 section 9.3.6), with Basic authentication if need be.

use super::socks::proxy_error;
use super::tcp::Tcp;
use super::{Stage, Transport};
use crate::client::address::Address;
use crate::client::proxy::Credentials;
use crate::types::status::{Failure, Status};
use data_encoding::BASE64;
use std::io;
use zeroize::Zeroizing;

/// Longer answers than any proxy gives.
const LARGEST_RESPONSE: usize = 16 * 1024;
const MOST_HEADERS: usize = 64;

pub(super) struct HttpConnect {
    request: Zeroizing<Vec<u8>>,
    written: usize,
    has_credentials: bool,
    response: Vec<u8>,
    /// Bytes of answers before it.
    interim: usize,
}

impl HttpConnect {
    pub fn new(server: &Address, credentials: Option<Credentials>) -> Self {
        let target = server.authority();
        let mut request = Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes());
        if let Some(Credentials { user_name, password }) = &credentials {
            // No reallocation may leave a copy behind.
            let mut pair = Zeroizing::new(String::with_capacity(user_name.len() + 1 + password.len()));
            for part in [user_name.as_str(), ":", password.as_str()] {
                pair.push_str(part);
            }
            let encoded = Zeroizing::new(BASE64.encode(pair.as_bytes()));
            request.reserve_exact(encoded.len() + 64);
            request.extend(b"Proxy-Authorization: Basic ");
            request.extend(encoded.as_bytes());
            request.extend(b"\r\n");
        }
        request.extend(b"\r\n");
        HttpConnect { request, written: 0, has_credentials: credentials.is_some(), response: Vec::new(), interim: 0 }
    }

    pub fn advance(&mut self, tcp: &mut Tcp) -> Result<Stage<()>, Failure> {
        match self.exchange(tcp) {
            Ok(code) => self.judge(code).map(Stage::Done),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Stage::Pending),
            Err(error) => Err(proxy_error(&error)),
        }
    }

    /// Writes the request and reads the whole head of the response; returns its code.
    fn exchange(&mut self, tcp: &mut Tcp) -> io::Result<u16> {
        tcp.write_rest(&self.request, &mut self.written)?;
        loop {
            // Byte for byte: what follows the head is the Server's. It is a few hundred bytes, once.
            let mut byte = [0];
            match Transport::read(tcp, &mut byte) {
                Ok(0) => return Err(Status::Proxy.because("it closed the connection").into()),
                Ok(_) => self.response.extend(byte),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if self.response[0] == 5 {
                return Err(Status::Proxy.because("what answers there is a SOCKS5 proxy: write socks5://").into());
            }
            if self.interim + self.response.len() > LARGEST_RESPONSE {
                return Err(Status::Proxy.because("its answer is too long for one to CONNECT").into());
            }
            if byte == *b"\n"
                && let Some(code) = parse(&self.response)?
            {
                // Those are not the answer yet (RFC 9110 section 15.2).
                if (100..200).contains(&code) {
                    self.interim += self.response.len();
                    self.response.clear();
                    continue;
                }
                return Ok(code);
            }
        }
    }

    fn judge(&self, code: u16) -> Result<(), Failure> {
        Err(Status::Proxy.because(match code {
            200..=299 => return Ok(()),
            407 if self.has_credentials => {
                "it refuses the user name and password that option PROXY has, or wants another authentication than \
                 Basic (code 407)"
                    .to_owned()
            }
            407 => "it wants a user name and password: write them into option PROXY, http://user:password@host:port \
                    (code 407)"
                .to_owned(),
            403 | 405 => {
                format!("its rules don't allow this connection (code {code}): many proxies allow port 443 only")
            }
            301..=303 | 307 | 308 | 511 => {
                format!(
                    "it wants something of a person first (code {code}): open a web page on this machine, perhaps to log in"
                )
            }
            502..=504 => format!("it could not connect to the Server (code {code})"),
            _ => format!("it refused to connect (code {code})"),
        }))
    }
}

/// The code of the response, if its head is complete.
fn parse(response: &[u8]) -> Result<Option<u16>, Failure> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    match parsed.parse(response) {
        Ok(httparse::Status::Complete(_)) => Ok(parsed.code),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(error) => Err(Status::Proxy.because(format!("what answers there is no HTTP proxy: {error}"))),
    }
}
