//! Where the Server is: the URL option, one URL or several in the order of preference.

use std::fmt;
use std::net::IpAddr;
use zeroize::Zeroizing;

/// More URLs than anybody has Servers.
const MOST_ADDRESSES: usize = 16;

/// How MQTT's bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `mqtt://` or `tcp://`: plain TCP.
    Mqtt,
    /// `mqtts://` or `ssl://`: TLS.
    Mqtts,
    /// `ws://`: WebSocket.
    Ws,
    /// `wss://`: WebSocket over TLS.
    Wss,
}

impl Scheme {
    pub fn is_tls(self) -> bool {
        matches!(self, Scheme::Mqtts | Scheme::Wss)
    }

    pub fn is_websocket(self) -> bool {
        matches!(self, Scheme::Ws | Scheme::Wss)
    }

    pub(super) fn default_port(self) -> u16 {
        match self {
            Scheme::Mqtt => 1883,
            Scheme::Mqtts => 8883,
            Scheme::Ws => 80,
            Scheme::Wss => 443,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Scheme::Mqtt => "mqtt",
            Scheme::Mqtts => "mqtts",
            Scheme::Ws => "ws",
            Scheme::Wss => "wss",
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    pub scheme: Scheme,
    /// A name, an IPv4 or an IPv6 address, the latter without brackets.
    pub host: String,
    pub port: u16,
    /// Of a WebSocket URL: path and query, from the `/` on, in which a token may stand. Empty otherwise.
    pub path: Zeroizing<String>,
}

impl Address {
    /// Parses a list of URLs that commas or white space separate. The error says what is wrong with which one, in words.
    pub fn parse_list(urls: &str) -> Result<Vec<Address>, String> {
        let separator = |character: char| character == ',' || character.is_whitespace();
        let urls: Vec<&str> = urls.split(separator).filter(|url| !url.is_empty()).collect();
        if urls.is_empty() {
            return Err("option URL: it is empty: write mqtt://host:port".to_owned());
        }
        if urls.len() > MOST_ADDRESSES {
            return Err(format!("option URL: {} URLs are too many: {MOST_ADDRESSES} are the most", urls.len()));
        }
        if urls.len() > 1 && urls.iter().any(|url| !url.contains("://")) {
            // It may be what follows a comma in a password or a token: neither part is shown.
            let text = "option URL: a part of it is no URL: write mqtt://host:port, and %2C for a comma within a URL";
            return Err(text.to_owned());
        }
        urls.into_iter().map(Address::parse).collect()
    }

    fn parse(url: &str) -> Result<Address, String> {
        let wrong = |why: &str| format!("option URL: '{}' {why}", without_secrets(url));
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(wrong("is no URL: write mqtt://host:port"));
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "mqtt" | "tcp" => Scheme::Mqtt,
            "mqtts" | "ssl" => Scheme::Mqtts,
            "ws" => Scheme::Ws,
            "wss" => Scheme::Wss,
            _ => {
                return Err(wrong(
                    "has an unknown scheme: it is mqtt, mqtts, ws or wss (tcp and ssl are the first two)",
                ));
            }
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(wrong("holds a user name: set USER_NAME and PASSWORD instead"));
        }
        let path = match path {
            "" | "/" if !scheme.is_websocket() => String::new(),
            _ if !scheme.is_websocket() => {
                return Err(wrong("has a path or a query, which only ws:// and wss:// know"));
            }
            _ if path.contains('#') => return Err(wrong("has a fragment ('#'), which no Server gets to see")),
            _ if !path.bytes().all(|byte| byte.is_ascii_graphic()) => {
                return Err(wrong("has a path with characters that need percent-encoding"));
            }
            _ if path.starts_with('/') => path.to_owned(),
            _ => format!("/{path}"),
        };
        let (host, port) = host_and_port(authority).map_err(wrong)?;
        Ok(Address { scheme, host, port: port.unwrap_or(scheme.default_port()), path: path.into() })
    }

    /// Host and port as a URL has them.
    pub fn authority(&self) -> String {
        authority(&self.host, self.port)
    }
}

/// Host and port as a URL has them: an IPv6 address in brackets.
pub(super) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Takes host and port of a URL apart. The error goes on after the URL.
pub(super) fn host_and_port(authority: &str) -> Result<(String, Option<u16>), &'static str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or("lacks the ']' of an IPv6 address")?;
            if host.contains('%') {
                return Err(
                    "has an IPv6 address with a zone (after the '%'), which isn't supported: write the name of the host",
                );
            }
            if !matches!(host.parse(), Ok(IpAddr::V6(_))) {
                return Err("has no IPv6 address between its brackets");
            }
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':').unwrap_or("")) })
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = match port {
        None => None,
        Some(digits) => match digits.parse::<u16>() {
            Ok(port) if port > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(port),
            _ => return Err("has no valid port: it is a number from 1 to 65535, and IPv6 needs brackets"),
        },
    };
    // What a text brings along that was copied from a page: marks that nobody sees, brackets, quotes.
    let is_of_name = |character: char| character.is_alphanumeric() || "-._:".contains(character);
    if host.is_empty() || !host.chars().all(is_of_name) {
        return Err("has no valid host name");
    }
    Ok((host.to_owned(), port))
}

/// A URL fit for an error text: neither the password nor the token that it may hold must get into a log.
fn without_secrets(url: &str) -> String {
    let (front, query) = url.split_at(url.find(['?', '#']).unwrap_or(url.len()));
    let scheme = front.split_once("://").map_or(String::new(), |(scheme, _)| format!("{scheme}://"));
    visible(&match front.rsplit_once('@') {
        // The '?' or '#' may be one of a password.
        _ if query.contains('@') => format!("{scheme}…"),
        Some((_, host)) => format!("{scheme}…@{host}"),
        None => without_third_part(front),
    })
}

/// A text with nothing that may be a password in it: proxies are sold as host:port:user:password.
pub(super) fn without_third_part(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + "://".len());
    let rest = &url[start..];
    // Brackets or a pair of colons are those of an IPv6 address.
    match rest.match_indices(':').nth(1) {
        Some((second, _)) if !rest.starts_with('[') && !rest.contains("::") => format!("{}…", &url[..=start + second]),
        _ => url.to_owned(),
    }
}

/// The text with what nobody sees in it as `\u{…}`.
pub(super) fn visible(text: &str) -> String {
    let is_seen =
        |character: char| character.is_ascii_graphic() || character.is_alphanumeric() || " …".contains(character);
    text.chars().fold(String::with_capacity(text.len()), |mut shown, character| {
        if is_seen(character) {
            shown.push(character)
        } else {
            shown.extend(character.escape_unicode())
        }
        shown
    })
}

/// Without the query, which may hold a token.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.split_once('?').map_or(self.path.as_str(), |(path, _)| path);
        write!(f, "{}://{}{path}", self.scheme.name(), self.authority())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(url: &str) -> Result<Address, String> {
        let mut addresses = Address::parse_list(url)?;
        assert_eq!(addresses.len(), 1);
        Ok(addresses.remove(0))
    }

    #[test]
    fn a_url_gives_scheme_host_port_and_path() {
        for (url, scheme, host, port, path) in [
            ("mqtt://broker.example.com", Scheme::Mqtt, "broker.example.com", 1883, ""),
            ("MQTT://127.0.0.1:18830/", Scheme::Mqtt, "127.0.0.1", 18830, ""),
            ("tcp://[::1]:1", Scheme::Mqtt, "::1", 1, ""),
            ("mqtt://[fe80::1]", Scheme::Mqtt, "fe80::1", 1883, ""),
            ("mqtts://x", Scheme::Mqtts, "x", 8883, ""),
            ("ssl://[::1]/", Scheme::Mqtts, "::1", 8883, ""),
            ("ws://x", Scheme::Ws, "x", 80, "/"),
            ("ws://x/", Scheme::Ws, "x", 80, "/"),
            ("wss://x:8084/mqtt?token=a%20b&c=/@:", Scheme::Wss, "x", 8084, "/mqtt?token=a%20b&c=/@:"),
            ("wss://x?a", Scheme::Wss, "x", 443, "/?a"),
        ] {
            let address = Address { scheme, host: host.to_owned(), port, path: path.to_owned().into() };
            assert_eq!(one(url), Ok(address), "{url}");
        }
    }

    #[test]
    fn a_list_keeps_its_order() {
        let addresses = Address::parse_list(" mqtts://a:1, mqtt://b\n\twss://c/x,").unwrap();
        let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["mqtts://a:1", "mqtt://b:1883", "wss://c:443/x"]);
        let many = "mqtt://x ".repeat(MOST_ADDRESSES + 1);
        assert!(Address::parse_list(&many).unwrap_err().contains("17 URLs are too many"));
        assert!(Address::parse_list(" , ").unwrap_err().contains("empty"));
        assert!(Address::parse_list("mqtt://a, http://b").unwrap_err().contains("'http://b'"));
    }

    #[test]
    fn a_bad_url_is_refused_with_a_text_that_names_it() {
        for bad in [
            "",
            "localhost",
            "localhost:1883",
            "http://x",
            "mqtt://",
            "mqtts://",
            "mqtt://:1",
            "mqtt://x:0",
            "mqtt://x:65536",
            "mqtt://x:+1",
            "mqtt://::1",
            "mqtt://[::1",
            "mqtt://[x]",
            "mqtt://[::1]1",
            "mqtt://x/path",
            "mqtts://x/path",
            "mqtt://x:",
            "wss://x/миру",
        ] {
            let text = Address::parse_list(bad).expect_err(bad);
            assert!(text.contains(bad) && text.contains("option URL"), "{text}");
        }
    }

    #[test]
    fn what_nobody_sees_in_a_url_is_shown() {
        for (bad, why) in [
            ("\u{feff}mqtt://host", r"'\u{feff}mqtt://host' has an unknown scheme"),
            ("mqtt://\u{200b}host", r"'mqtt://\u{200b}host' has no valid host name"),
            ("mqtt://ho\u{ad}st:1", r"'mqtt://ho\u{ad}st:1' has no valid host name"),
            ("mqtt://h%6Fst", "no valid host name"),
            ("mqtt://<host>", "no valid host name"),
            ("mqtt://host?a", "'mqtt://host' has a path or a query"),
            ("wss://x/mqtt#there", "'wss://x/mqtt' has a fragment"),
            ("mqtt://::1:1883", "IPv6 needs brackets"),
        ] {
            let text = one(bad).expect_err(bad);
            assert!(text.contains(why), "{text}");
        }
        for good in ["mqtt://b\u{fc}cher.example", "mqtt://a_b-c.1."] {
            assert!(one(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_zone_is_named_as_what_is_wrong() {
        // RFC 6874
        for zone in ["mqtt://[fe80::1%25eth0]:1", "mqtt://[fe80::1%3]"] {
            assert!(one(zone).unwrap_err().contains("zone"), "{zone}");
        }
    }

    #[test]
    fn a_secret_in_a_url_is_not_repeated() {
        let text = one("mqtt://me:secret@host").unwrap_err();
        assert!(!text.contains("secret") && text.contains("PASSWORD"), "{text}");
        for bad in [
            "ws://host:x/?token=secret",
            "me:secret@host",
            "me:secret@host?secret",
            "mqtt://me:secret?x@host",
            "mqtt://me:secret#x@host",
            "wss://host/mqtt#token=secret",
            "ws://host:x/?mail=me@secret",
            "ws://host/?token=a,secret",
            "mqtt://me:secret,word@host",
            "mqtt://me:word secret@host",
            "mqtt://host:1883:me:secret",
            "host:1883:me:secret",
        ] {
            assert!(!one(bad).unwrap_err().contains("secret"), "{bad}");
        }
        let good = one("wss://host/mqtt?token=secret").unwrap();
        assert_eq!(format!("{good} {good:?}"), "wss://host:443/mqtt wss://host:443/mqtt");
    }
}
