//! Where a Server sends us: Server References with 0x9C (Use another server) and 0x9D (Server moved), section 4.11.
//!
//! They are followed only to hosts that the program allows, with the scheme, credentials and options of the URL, and never
//! in a circle. Everything else is only told of.

use super::address::{Address, host_and_port};
use crate::codec::property::PropertyId;
use crate::session::event::Disconnected;
use crate::types::reason::ReasonCode;

/// So many in a row are enough: a Server farm needs one.
const MOST_IN_A_ROW: usize = 5;

#[derive(Default)]
pub(super) struct Redirect {
    /// Connected to instead of the URLs.
    target: Option<Address>,
    /// The Server said "moved": the target outlives its connections, as long as it accepts them.
    moved: bool,
    /// The Servers that have sent us on, one after the other, since a connection held.
    senders: Vec<Address>,
}

impl Redirect {
    pub fn target(&self) -> Option<&Address> {
        self.target.as_ref()
    }

    /// A connection held: whoever sends us on now begins anew.
    pub fn settled(&mut self) {
        self.senders.clear();
    }

    /// A connection to `tried` has ended; `accepted` says whether CONNACK was a success. True if the Server that it was to
    /// names another one which is followed; what becomes of its reference is added to the event's text.
    pub fn follow(&mut self, end: &mut Disconnected, tried: &Address, allowed: &[String], accepted: bool) -> bool {
        let moved = end.reason == Some(ReasonCode::SERVER_MOVED);
        if !moved && end.reason != Some(ReasonCode::USE_ANOTHER_SERVER) {
            // An older version of MQTT is tried with the same Server.
            let stays = end.next_version.is_some() || (self.moved && accepted);
            if !stays {
                self.go_back();
            }
            return false;
        }
        self.target = None;
        let Some(references) = end.properties.as_properties().text(PropertyId::ServerReference) else {
            self.go_back();
            return false;
        };
        self.senders.push(tried.clone());
        let named: Vec<Address> = references.split_whitespace().filter_map(|one| refer(one, tried)).collect();
        let is_allowed = |address: &&Address| allowed.iter().any(|pattern| matches(pattern, &address.host));
        let outcome = if !named.iter().any(|address| is_allowed(&address)) {
            "which option SERVER_REFERENCE_HOSTS doesn't allow"
        } else if self.senders.len() > MOST_IN_A_ROW {
            "which is one too many in a row"
        } else {
            let is_same = |one: &Address, other: &Address| {
                one.host.eq_ignore_ascii_case(&other.host) && (one.scheme, one.port) == (other.scheme, other.port)
            };
            let new = |address: &&Address| !self.senders.iter().any(|sender| is_same(sender, address));
            self.target = named.iter().filter(is_allowed).find(new).cloned();
            self.moved = moved;
            if self.target.is_some() { "which is followed" } else { "from where we have been sent here" }
        };
        end.detail = format!("{}; it names '{references}', {outcome}", end.detail.trim_end_matches('.'));
        let follows = self.target.is_some();
        if !follows {
            self.go_back();
        }
        follows
    }

    /// The URLs have their turn, and whoever sends us on then begins anew: it may be long until a Server comes back to which
    /// the first one sends all its clients.
    fn go_back(&mut self) {
        self.target = None;
        self.senders.clear();
    }
}

/// The Server that a reference names, as a URL's host and port do.
fn refer(reference: &str, sender: &Address) -> Option<Address> {
    let (host, port) = host_and_port(reference).ok()?;
    // No name has them, and what a proxy or a URL takes for the host might end there: it isn't the one that was allowed.
    if host.contains(['/', '?', '#', '@', '\\']) {
        return None;
    }
    let port = port.unwrap_or(sender.scheme.default_port());
    Some(Address { host, port, ..sender.clone() })
}

/// Whether a host is what the program allows: the same name, or one below `*.name`.
fn matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(below) => {
            let start = host.len().checked_sub(below.len()).filter(|start| *start > 0);
            start.and_then(|start| host.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(below))
        }
        None => pattern.eq_ignore_ascii_case(host),
    }
}

/// The hosts in an option's text, with commas or white space between them. The error says what is wrong, in words.
pub(super) fn parse_hosts(text: &str) -> Result<Vec<String>, String> {
    let separator = |character: char| character == ',' || character.is_whitespace();
    let hosts: Vec<String> = text.split(separator).filter(|host| !host.is_empty()).map(str::to_owned).collect();
    if hosts.is_empty() {
        return Err("option SERVER_REFERENCE_HOSTS: it names no host".to_owned());
    }
    for host in &hosts {
        let name = host.strip_prefix("*.").unwrap_or(host);
        if name.is_empty()
            || name.contains(['*', '/', '[', ']'])
            || (name.contains(':') && name.parse::<std::net::Ipv6Addr>().is_err())
        {
            let why = "is no host: write name, *.domain or an IP address, without port and brackets";
            return Err(format!("option SERVER_REFERENCE_HOSTS: '{host}' {why}"));
        }
    }
    Ok(hosts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::property::Value;

    fn address(url: &str) -> Address {
        Address::parse_list(url).unwrap().remove(0)
    }

    fn sent_on(reason: ReasonCode, references: Option<&str>) -> Disconnected {
        let mut end = Disconnected::new(None, "sent on");
        end.reason = Some(reason);
        if let Some(references) = references {
            end.properties.set(PropertyId::ServerReference, Value::Text(references)).unwrap();
        }
        end
    }

    fn follow(redirect: &mut Redirect, tried: &str, references: &str) -> Option<String> {
        let allowed = ["*.farm".to_owned(), "fe80::1".to_owned()];
        let mut end = sent_on(ReasonCode::USE_ANOTHER_SERVER, Some(references));
        let followed = redirect.follow(&mut end, &address(tried), &allowed, false);
        assert!(end.detail.contains(references), "{}", end.detail);
        assert_eq!(followed, redirect.target().is_some());
        redirect.target().map(ToString::to_string)
    }

    #[test]
    fn the_first_allowed_server_is_followed_with_the_scheme_of_the_url() {
        // Section 4.11
        for (references, target) in [
            ("a.farm", Some("mqtts://a.farm:8883")),
            ("A.FARM:99", Some("mqtts://A.FARM:99")),
            ("evil.com evil.com:8883 b.farm:1", Some("mqtts://b.farm:1")),
            ("[fe80::1]:7", Some("mqtts://[fe80::1]:7")),
            ("farm", None),
            (".farm", None),
            ("afarm", None),
            ("a.farm.evil.com", None),
            ("a.farm:x", None),
            ("evil.com/.farm", None),
            ("evil.com?.farm", None),
            ("evil.com#.farm", None),
            ("evil.com\\.farm", None),
            ("evil@a.farm", None),
            ("mqtt://a.farm", None),
            (" ", None),
        ] {
            let mut redirect = Redirect::default();
            assert_eq!(follow(&mut redirect, "mqtts://start:8883", references).as_deref(), target, "{references}");
        }
    }

    #[test]
    fn nobody_is_sent_in_a_circle() {
        let mut redirect = Redirect::default();
        assert!(follow(&mut redirect, "mqtt://a.farm", "b.farm").is_some());
        assert!(follow(&mut redirect, "mqtt://b.farm", "c.farm").is_some());
        assert_eq!(follow(&mut redirect, "mqtt://c.farm", "a.farm"), None);
        for itself in ["a.farm", "A.Farm"] {
            assert_eq!(follow(&mut Redirect::default(), "mqtt://a.farm", itself), None);
        }
        for hop in 0..MOST_IN_A_ROW {
            let (tried, reference) = (format!("mqtt://{hop}.farm"), format!("{}.farm", hop + 1));
            assert!(follow(&mut redirect, &tried, &reference).is_some(), "{hop}");
        }
        assert_eq!(follow(&mut redirect, "mqtt://5.farm", "6.farm"), None);
    }

    #[test]
    fn a_server_that_was_away_is_followed_to_again_however_long_it_took() {
        // Section 4.11
        let mut redirect = Redirect::default();
        for attempt in 0..3 * MOST_IN_A_ROW {
            assert!(follow(&mut redirect, "mqtt://a.farm", "b.farm").is_some(), "{attempt}");
            match attempt % 3 {
                // Nobody is there; or it has no room at the moment, and knows of the first one only.
                0 => redirect.follow(&mut Disconnected::new(None, "refused"), &address("mqtt://b.farm"), &[], false),
                1 => redirect.follow(
                    &mut sent_on(ReasonCode::USE_ANOTHER_SERVER, None),
                    &address("mqtt://b.farm"),
                    &[],
                    false,
                ),
                _ => follow(&mut redirect, "mqtt://b.farm", "a.farm").is_some(),
            };
            assert_eq!(redirect.target(), None, "the URL's turn");
        }
    }

    #[test]
    fn a_server_whose_connection_held_may_send_back() {
        // Section 4.11
        let mut redirect = Redirect::default();
        assert!(follow(&mut redirect, "mqtt://a.farm", "b.farm").is_some());
        redirect.settled();
        assert!(follow(&mut redirect, "mqtt://b.farm", "a.farm").is_some());
    }

    #[test]
    fn only_a_server_that_moved_is_gone_for_longer_than_a_connection() {
        // 5-4.11-a; section 4.11: temporarily with 0x9C, permanently with 0x9D.
        let lost = || Disconnected::new(None, "lost");
        let allowed = ["b".to_owned()];
        for (reason, stays) in [(ReasonCode::USE_ANOTHER_SERVER, false), (ReasonCode::SERVER_MOVED, true)] {
            let (from, to) = (address("mqtt://a"), address("mqtt://b"));
            let mut redirect = Redirect::default();
            assert!(redirect.follow(&mut sent_on(reason, Some("b")), &from, &allowed, true));
            redirect.follow(&mut lost(), &to, &allowed, true);
            assert_eq!(redirect.target().is_some(), stays);
            // One that doesn't accept us is given up: the first one will say where it is.
            redirect.follow(&mut lost(), &to, &allowed, false);
            assert_eq!(redirect.target(), None);
        }
    }

    #[test]
    fn without_a_reference_there_is_nothing_to_follow() {
        let mut redirect = Redirect::default();
        let mut end = sent_on(ReasonCode::SERVER_MOVED, None);
        assert!(!redirect.follow(&mut end, &address("mqtt://a"), &["b".to_owned()], true));
        assert_eq!(end.detail, "sent on");
    }

    #[test]
    fn a_list_of_hosts_is_checked() {
        assert_eq!(parse_hosts("a, *.b.c\n10.0.0.1 fe80::1").unwrap(), ["a", "*.b.c", "10.0.0.1", "fe80::1"]);
        for wrong in ["", " , ", "*", "a*", "*.*.a", "a:1883", "[fe80::1]", "mqtt://a"] {
            assert!(parse_hosts(wrong).is_err(), "{wrong}");
        }
    }
}
