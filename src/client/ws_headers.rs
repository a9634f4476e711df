//! The WS_HEADERS option: more headers for the request of a WebSocket, a token for a gateway as a rule.

use tungstenite::Bytes;
use tungstenite::http::{HeaderName, HeaderValue};
use zeroize::Zeroizing;

/// Parses lines of `Name: value`. No error repeats a value.
pub fn parse(text: &str) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(parse_line).collect()
}

fn parse_line(line: &str) -> Result<(HeaderName, HeaderValue), String> {
    let wrong = |why: &str| format!("option WS_HEADERS: {why}");
    let (name, value) = line.split_once(':').ok_or_else(|| wrong("a line is not 'Name: value'"))?;
    let name = name.trim();
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("a header has no valid name"))?;
    let reserved = ["host", "connection", "upgrade"];
    if reserved.contains(&parsed.as_str()) || parsed.as_str().starts_with("sec-websocket-") {
        return Err(wrong(&format!("the header {name} is the WebSocket's own")));
    }
    let invalid = || wrong(&format!("the header {name} has no valid value"));
    let value = value.trim();
    if !value.is_ascii() {
        return Err(invalid());
    }
    // All clones of the value share these bytes, which are zeroized with the last one.
    let bytes = Bytes::from_owner(Zeroizing::new(value.as_bytes().to_vec()));
    let mut value = HeaderValue::from_maybe_shared(bytes).map_err(|_| invalid())?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_line_by_line() {
        let headers = parse("Authorization: Bearer a:b\r\n\n X-Tag:  1 ").unwrap();
        let texts: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(texts, [("authorization", b"Bearer a:b".as_slice()), ("x-tag", b"1")]);
        assert!(!format!("{headers:?}").contains("Bearer"));
    }

    #[test]
    fn a_bad_header_is_refused_without_its_value() {
        for bad in [
            "secret",
            "X Y: secret",
            "Host: secret",
            "Sec-WebSocket-Protocol: secret",
            "X: secret\u{1}",
            "X: secret\u{e9}",
            ": secret",
        ] {
            let text = parse(bad).expect_err(bad);
            assert!(text.contains("WS_HEADERS") && !text.contains("secret"), "{text}");
        }
    }
}
