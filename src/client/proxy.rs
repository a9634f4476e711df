//! The PROXY option: a proxy between this machine and the Server.

use super::address::{authority, host_and_port, visible, without_third_part};
use std::fmt;
use zeroize::Zeroizing;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    Socks5,
    HttpConnect,
}

/// What a proxy is told about its user.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub user_name: Zeroizing<String>,
    pub password: Zeroizing<String>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    pub kind: ProxyKind,
    pub host: String,
    pub port: u16,
    pub credentials: Option<Credentials>,
}

impl Proxy {
    /// Parses `socks5://user:password@host:port` or `http://user:password@host:port`; user and password may be left out and
    /// are percent-decoded. Default ports are 1080 and 8080. No error repeats what stands before the `@`.
    pub fn parse(url: &str) -> Result<Proxy, String> {
        let url = url.trim();
        let wrong = |why: &str| {
            let shown = match (url.split_once("://"), url.rsplit_once('@')) {
                (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
                (None, Some((_, host))) => format!("…@{host}"),
                _ => without_third_part(url),
            };
            format!("option PROXY: '{}' {why}", visible(&shown))
        };
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(wrong("is no URL: write socks5://user:password@host:port, or http:// so"));
        };
        let (kind, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "socks5" | "socks5h" => (ProxyKind::Socks5, 1080),
            "http" => (ProxyKind::HttpConnect, 8080),
            "https" => return Err(wrong("asks for TLS to the proxy, which isn't supported: write http://")),
            "socks" | "socks4" | "socks4a" => {
                return Err(wrong("asks for SOCKS4, which isn't supported: write socks5://"));
            }
            _ => return Err(wrong("has an unknown scheme: it is socks5 or http")),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user_info, host) = match rest.rsplit_once('@') {
            Some((user_info, host)) => (Some(user_info), host),
            None => (None, rest),
        };
        if host.contains(['/', '?', '#']) {
            return Err(wrong("has a path, which a proxy doesn't know"));
        }
        let (host, port) = host_and_port(host).map_err(wrong)?;
        let credentials = match user_info {
            None => None,
            Some(user_info) => {
                let (user_name, password) = user_info.split_once(':').unwrap_or((user_info, ""));
                let decode = |text, what| percent_decoded(text).ok_or_else(|| wrong(what));
                Some(Credentials {
                    user_name: decode(user_name, "has a user name that isn't valid percent-encoded UTF-8")?,
                    password: decode(password, "has a password that isn't valid percent-encoded UTF-8")?,
                })
            }
        };
        if let Some(credentials) = &credentials {
            // RFC 1929 section 2; Basic authentication ends the user name at its colon (RFC 7617 section 2).
            let fits = |text: &str| (1..=255).contains(&text.len());
            match kind {
                ProxyKind::Socks5 if !fits(&credentials.user_name) || !fits(&credentials.password) => {
                    return Err(wrong("needs a user name and a password of 1 to 255 bytes each: SOCKS5 has no others"));
                }
                ProxyKind::HttpConnect if credentials.user_name.contains(':') => {
                    return Err(wrong("has a colon in its user name, which HTTP can't transmit"));
                }
                _ => {}
            }
        }
        Ok(Proxy { kind, host, port: port.unwrap_or(default_port), credentials })
    }
}

fn percent_decoded(text: &str) -> Option<Zeroizing<String>> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digit = |index: usize| rest.get(index).and_then(|byte| char::from(*byte).to_digit(16));
        decoded.push((digit(0)? * 16 + digit(1)?) as u8);
        rest = &rest[2..];
    }
    let text = Zeroizing::new(std::str::from_utf8(&decoded).ok()?.to_owned());
    text.chars().all(|character| !character.is_control()).then_some(text)
}

/// Without user name and password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            ProxyKind::Socks5 => "socks5",
            ProxyKind::HttpConnect => "http",
        };
        write!(f, "{scheme}://{}", authority(&self.host, self.port))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_url_gives_kind_host_port_and_credentials() {
        for (url, kind, host, port, credentials) in [
            (" socks5://proxy\n", ProxyKind::Socks5, "proxy", 1080, None),
            ("SOCKS5h://[::1]:9/", ProxyKind::Socks5, "::1", 9, None),
            ("http://proxy", ProxyKind::HttpConnect, "proxy", 8080, None),
            ("http://u:p@proxy:3128", ProxyKind::HttpConnect, "proxy", 3128, Some(("u", "p"))),
            ("http://u@proxy", ProxyKind::HttpConnect, "proxy", 8080, Some(("u", ""))),
            ("socks5://u%40x:p%3a@:@proxy:1", ProxyKind::Socks5, "proxy", 1, Some(("u@x", "p:@:"))),
        ] {
            let credentials = credentials.map(|(user_name, password)| Credentials {
                user_name: Zeroizing::new(user_name.to_owned()),
                password: Zeroizing::new(password.to_owned()),
            });
            let expected = Proxy { kind, host: host.to_owned(), port, credentials };
            assert!(Proxy::parse(url) == Ok(expected), "{url}");
        }
    }

    #[test]
    fn a_bad_proxy_url_is_refused_without_its_secret() {
        for (bad, why) in [
            ("proxy:1080", "is no URL"),
            ("secret@proxy", "is no URL"),
            ("proxy:1080:me:secret", "socks5://user:password@host:port"),
            ("socks5://proxy:1080:me:secret", "port"),
            ("proxy:1080:me:secret/", "is no URL"),
            ("https://u:secret@proxy", "TLS to the proxy"),
            ("socks4://u:secret@proxy", "SOCKS4"),
            ("ftp://u:secret@proxy", "unknown scheme"),
            ("http://u:secret@", "host name"),
            ("http://u:secret@proxy:0", "port"),
            ("http://u:secret@proxy/path", "path"),
            ("http://u:secret@proxy:1/path", "path"),
            ("http://u:secret@\u{200b}proxy", r"@\u{200b}proxy' has no valid host name"),
            ("http://u:secret%zz@proxy", "percent"),
            ("http://u:secret%0a@proxy", "percent"),
            ("http://u%3a:secret@proxy", "colon"),
            ("socks5://secret@proxy", "1 to 255 bytes"),
        ] {
            let text = Proxy::parse(bad).expect_err(bad);
            assert!(text.contains("option PROXY") && text.contains(why) && !text.contains("secret"), "{bad}: {text}");
        }
        // RFC 1929 section 2: the lengths are one byte each.
        for (user_name, password, fits) in [(255, 255, true), (256, 1, false), (1, 256, false), (1, 0, false)] {
            let url = format!("socks5://{}:{}@proxy", "u".repeat(user_name), "p".repeat(password));
            assert_eq!(Proxy::parse(&url).is_ok(), fits, "{user_name} and {password} bytes");
        }
        let good = Proxy::parse("http://u:secret@proxy").unwrap();
        assert_eq!(format!("{good} {good:?}"), "http://proxy:8080 http://proxy:8080");
    }
}
