//! Where the Server is: the URL option.

use std::fmt;
use std::net::IpAddr;

/// Port of MQTT over plain TCP, if the URL names none.
const DEFAULT_PORT: u16 = 1883;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name, an IPv4 or an IPv6 address, the latter without brackets.
    pub host: String,
    pub port: u16,
}

impl Address {
    /// Parses `mqtt://host:port`; `tcp://` means the same. The error says what is wrong with the URL, in words.
    pub fn parse(url: &str) -> Result<Address, String> {
        let wrong = |why: &str| format!("option URL: '{}' {why}", without_user_info(url));
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(wrong("is no URL: write mqtt://host:port"));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "mqtt" | "tcp" => {}
            "mqtts" | "ssl" | "ws" | "wss" => return Err(wrong("asks for a transport that this version doesn't have")),
            _ => return Err(wrong("has an unknown scheme: write mqtt://host:port")),
        }
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains('@') {
            return Err(wrong("holds a user name: set USER_NAME and PASSWORD instead"));
        }
        if authority.contains(['/', '?', '#']) {
            return Err(wrong("has a path, which MQTT over TCP doesn't know"));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(|| wrong("lacks the ']' of an IPv6 address"))?;
                if !matches!(host.parse(), Ok(IpAddr::V6(_))) {
                    return Err(wrong("has no IPv6 address between its brackets"));
                }
                (host, if port.is_empty() { None } else { Some(port.strip_prefix(':').unwrap_or("")) })
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        if host.is_empty() || host.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return Err(wrong("has no valid host name"));
        }
        let port = match port {
            None => DEFAULT_PORT,
            Some(digits) => match digits.parse::<u16>() {
                Ok(port) if port > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => port,
                _ => return Err(wrong("has no valid port: it is a number from 1 to 65535, and IPv6 needs brackets")),
            },
        };
        Ok(Address { host: host.to_owned(), port })
    }
}

/// A URL fit for an error text: a password in it must not get into a log.
fn without_user_info(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gives_host_and_port() {
        for (url, host, port) in [
            ("mqtt://broker.example.com", "broker.example.com", 1883),
            ("MQTT://127.0.0.1:18830/", "127.0.0.1", 18830),
            ("tcp://[::1]:1", "::1", 1),
            ("mqtt://[fe80::1]", "fe80::1", 1883),
        ] {
            assert_eq!(Address::parse(url), Ok(Address { host: host.to_owned(), port }), "{url}");
        }
    }

    #[test]
    fn a_bad_url_is_refused_with_a_text_that_names_it() {
        for bad in [
            "",
            "localhost",
            "localhost:1883",
            "http://x",
            "mqtts://x",
            "mqtt://",
            "mqtt://:1",
            "mqtt://x:0",
            "mqtt://x:65536",
            "mqtt://x:+1",
            "mqtt://::1",
            "mqtt://[::1",
            "mqtt://[x]",
            "mqtt://[::1]1",
            "mqtt://a b",
            "mqtt://x/path",
            "mqtt://x:",
        ] {
            let text = Address::parse(bad).expect_err(bad);
            assert!(text.contains(bad) && text.contains("URL"), "{text}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_repeated() {
        let text = Address::parse("mqtt://me:secret@host").unwrap_err();
        assert!(!text.contains("secret") && text.contains("PASSWORD"), "{text}");
    }
}
