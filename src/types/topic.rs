//! Topic Names and Topic Filters, validated when made (section 4.7), and Shared Subscriptions (section 4.8.2).

use super::text::{self, TextError};
use std::fmt;

/// Why a text can't be a Topic Name or a Topic Filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicError {
    /// No characters at all \[MQTT-4.7.3-1\].
    Empty,
    /// Not a UTF-8 Encoded String \[MQTT-4.7.3-2\] \[MQTT-4.7.3-3\].
    Text(TextError),
    /// A Topic Name with `+` or `#` in it \[MQTT-3.3.2-2\] \[MQTT-4.7.0-1\].
    WildcardInName,
    /// `#` anywhere but alone in the last level \[MQTT-4.7.1-1\].
    MultiLevelWildcard,
    /// `+` that doesn't fill its level \[MQTT-4.7.1-2\].
    SingleLevelWildcard,
    /// `$share/` without a ShareName or without a Topic Filter after it \[MQTT-4.8.2-1\] \[MQTT-4.8.2-2\].
    SharedSubscription,
}

impl fmt::Display for TopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TopicError::Empty => f.write_str("it is empty"),
            TopicError::Text(error) => error.fmt(f),
            TopicError::WildcardInName => f.write_str("a Topic Name can't hold the wildcards '+' and '#'"),
            TopicError::MultiLevelWildcard => f.write_str("'#' must stand alone in the last level"),
            TopicError::SingleLevelWildcard => f.write_str("'+' must fill a whole level"),
            TopicError::SharedSubscription => f.write_str(
                "a Shared Subscription must read $share/ShareName/filter, without wildcards in the ShareName",
            ),
        }
    }
}

impl From<TextError> for TopicError {
    fn from(error: TextError) -> Self {
        TopicError::Text(error)
    }
}

/// A Topic Name: at least one character, no wildcards.
// Bytes, so that a message that keeps its Topic Name among others needn't have it checked again to send it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TopicName<'a>(&'a [u8]);

impl<'a> TopicName<'a> {
    pub fn new(name: &'a str) -> Result<Self, TopicError> {
        if name.is_empty() {
            return Err(TopicError::Empty);
        }
        // What keeps a text from being one is looked for once: that is most of the work of a publish's check.
        if name.len() > text::MAX_LENGTH || name.bytes().any(|byte| matches!(byte, 0 | b'+' | b'#')) {
            text::check(name)?;
            return Err(TopicError::WildcardInName);
        }
        Ok(TopicName(name.as_bytes()))
    }

    /// The Topic Name in `bytes`, which were taken from another by [`TopicName::as_bytes`].
    pub(crate) fn from_checked(bytes: &'a [u8]) -> Self {
        TopicName(bytes)
    }

    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    pub fn as_str(self) -> &'a str {
        std::str::from_utf8(self.0).expect("a Topic Name is UTF-8")
    }
}

impl fmt::Debug for TopicName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TopicName").field(&self.as_str()).finish()
    }
}

/// A Topic Filter, shared or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TopicFilter<'a>(&'a str);

impl<'a> TopicFilter<'a> {
    pub fn new(filter: &'a str) -> Result<Self, TopicError> {
        if filter.is_empty() {
            return Err(TopicError::Empty);
        }
        text::check(filter)?;
        let plain = match filter.strip_prefix("$share/") {
            Some(rest) => {
                let (share_name, plain) = rest.split_once('/').ok_or(TopicError::SharedSubscription)?;
                let wild = share_name.bytes().any(|byte| byte == b'+' || byte == b'#');
                if share_name.is_empty() || plain.is_empty() || wild {
                    return Err(TopicError::SharedSubscription);
                }
                plain
            }
            None => filter,
        };
        let mut levels = plain.split('/').peekable();
        while let Some(level) = levels.next() {
            if level.contains('#') && (level != "#" || levels.peek().is_some()) {
                return Err(TopicError::MultiLevelWildcard);
            }
            if level.contains('+') && level != "+" {
                return Err(TopicError::SingleLevelWildcard);
            }
        }
        Ok(TopicFilter(filter))
    }

    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether this asks for a Shared Subscription.
    pub fn is_shared(self) -> bool {
        self.0.starts_with("$share/")
    }

    /// Whether a wildcard stands in it.
    pub fn has_wildcard(self) -> bool {
        self.0.bytes().any(|byte| byte == b'+' || byte == b'#')
    }

    /// Without the name of the share.
    fn plain(self) -> &'a str {
        match self.0.strip_prefix("$share/") {
            Some(rest) => rest.split_once('/').map_or("", |(_, plain)| plain),
            None => self.0,
        }
    }

    /// Whether there are Topic Names that belong to both.
    pub fn overlaps(self, other: TopicFilter<'_>) -> bool {
        let (one, other) = (self.plain(), other.plain());
        if one.starts_with('$') && starts_wild(other) || other.starts_with('$') && starts_wild(one) {
            return false;
        }
        let (mut one, mut other) = (one.split('/'), other.split('/'));
        loop {
            match (one.next(), other.next()) {
                (Some("#"), _) | (_, Some("#")) | (None, None) => return true,
                (Some("+"), Some(_)) | (Some(_), Some("+")) => {}
                (Some(level), Some(same)) if level == same => {}
                _ => return false,
            }
        }
    }

    /// Whether a message on `name` belongs to this subscription (section 4.7.1; names that start with `$` match no
    /// leading wildcard \[MQTT-4.7.2-1\]).
    pub fn matches(self, name: TopicName<'_>) -> bool {
        let (plain, name) = (self.plain(), name.as_str());
        if name.starts_with('$') && starts_wild(plain) {
            return false;
        }
        let mut levels = name.split('/');
        let mut filters = plain.split('/');
        loop {
            match (filters.next(), levels.next()) {
                (Some("#"), _) => return true,
                (Some("+"), Some(_)) => {}
                (Some(filter), Some(level)) if filter == level => {}
                (None, None) => return true,
                // "sport/#" covers "sport" itself: the name is at its end and only "#" may follow.
                (Some(_), None) | (None, Some(_)) | (Some(_), Some(_)) => return false,
            }
        }
    }
}

fn starts_wild(plain: &str) -> bool {
    plain.starts_with('+') || plain.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_name_has_no_wildcards_and_is_never_empty() {
        // MQTT-3.3.2-2, MQTT-4.7.0-1, MQTT-4.7.3-1, MQTT-4.7.3-2, MQTT-4.7.3-3, MQTT311-3.1.3-10, MQTT311-3.3.2-2,
        // MQTT311-4.7.1-1, MQTT311-4.7.3-1, MQTT311-4.7.3-2, MQTT311-4.7.3-3, MQTT-3.1.3-11, MQTT-3.3.2-1
        assert_eq!(TopicName::new("a+b").unwrap_err(), TopicError::WildcardInName);
        assert_eq!(TopicName::new("a/#").unwrap_err(), TopicError::WildcardInName);
        assert_eq!(TopicName::new("").unwrap_err(), TopicError::Empty);
        assert_eq!(TopicName::new("a\0b").unwrap_err(), TopicError::Text(TextError::Null));
        let long = "x".repeat(65_536);
        assert_eq!(TopicName::new(&long).unwrap_err(), TopicError::Text(TextError::TooLong));
        assert!(TopicName::new(&long[1..]).is_ok());
        assert!(TopicName::new("/").is_ok());
        assert!(TopicName::new("Счёт/ценa 价格").is_ok());
    }

    #[test]
    fn a_topic_filter_is_a_text_and_never_empty() {
        // MQTT311-3.8.3-1, MQTT311-3.10.3-1, MQTT311-4.7.3-1, MQTT311-4.7.3-2, MQTT311-4.7.3-3, MQTT-3.8.3-1,
        // MQTT-3.10.3-1, MQTT-4.7.3-1, MQTT-4.7.3-2, MQTT-4.7.3-3
        assert_eq!(TopicFilter::new("").unwrap_err(), TopicError::Empty);
        assert_eq!(TopicFilter::new("a\0b").unwrap_err(), TopicError::Text(TextError::Null));
        let long = "x".repeat(65_536);
        assert_eq!(TopicFilter::new(&long).unwrap_err(), TopicError::Text(TextError::TooLong));
        assert!(TopicFilter::new(&long[1..]).is_ok());
    }

    #[test]
    fn wildcards_in_a_filter_fill_whole_levels() {
        // MQTT-4.7.1-1, MQTT-4.7.1-2, MQTT311-4.7.1-2, MQTT311-4.7.1-3
        for good in ["#", "+", "a/#", "+/a", "a/+/b", "/+", "+/+", "/", "a//b", "$SYS/#"] {
            assert!(TopicFilter::new(good).is_ok(), "{good}");
        }
        for bad in ["a#", "#/a", "a/#/b", "##", "#+"] {
            assert_eq!(TopicFilter::new(bad).unwrap_err(), TopicError::MultiLevelWildcard, "{bad}");
        }
        for bad in ["a+", "+a/b", "++"] {
            assert_eq!(TopicFilter::new(bad).unwrap_err(), TopicError::SingleLevelWildcard, "{bad}");
        }
    }

    #[test]
    fn a_shared_subscription_names_its_share_and_its_filter() {
        // MQTT-4.8.2-1, MQTT-4.8.2-2
        assert!(TopicFilter::new("$share/group/a/#").unwrap().is_shared());
        for bad in ["$share/", "$share//a", "$share/group", "$share/group/", "$share/g+/a", "$share/#/a"] {
            assert_eq!(TopicFilter::new(bad).unwrap_err(), TopicError::SharedSubscription, "{bad}");
        }
        for plain in ["$share", "$shared/x"] {
            assert!(!TopicFilter::new(plain).unwrap().is_shared(), "{plain}");
        }
    }

    #[test]
    fn filters_overlap_if_a_name_can_match_both() {
        // Section 4.7
        let overlap = |one, other| {
            let (one, other) = (TopicFilter::new(one).unwrap(), TopicFilter::new(other).unwrap());
            assert_eq!(one.overlaps(other), other.overlaps(one));
            one.overlaps(other)
        };
        for (one, other) in [
            ("a", "a"),
            ("a/#", "a"),
            ("#", "a/b"),
            ("+/b", "a/+"),
            ("a/+/c", "a/#"),
            ("$share/g/a/+", "a/b"),
            ("$share/g/a", "$share/h/+"),
            ("$SYS/+", "$SYS/#"),
        ] {
            assert!(overlap(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("a", "b"),
            ("a", "a/b"),
            ("a/+", "a"),
            ("+", "a/b"),
            ("a/+/c", "+/b/d"),
            ("$SYS/x", "#"),
            ("+/x", "$share/g/$SYS/x"),
            ("a/#", "b/#"),
        ] {
            assert!(!overlap(one, other), "{one} {other}");
        }
    }

    #[test]
    fn matching_follows_the_levels() {
        // MQTT-4.7.2-1 and section 4.7.1
        let matches = |filter, name| TopicFilter::new(filter).unwrap().matches(TopicName::new(name).unwrap());
        assert!(matches("sport/#", "sport"));
        assert!(matches("sport/#", "sport/tennis/player1"));
        assert!(matches("sport/+/player1", "sport/tennis/player1"));
        assert!(!matches("sport/+", "sport"));
        assert!(matches("sport/+", "sport/"));
        assert!(matches("+/+", "/finance"));
        assert!(!matches("+", "/finance"));
        assert!(!matches("#", "$SYS/x"));
        assert!(!matches("+/x", "$SYS/x"));
        assert!(matches("$SYS/#", "$SYS/x"));
        assert!(matches("$share/g/a/+", "a/b"));
        assert!(!matches("a/b", "a/b/c"));
        assert!(!matches("a/b/c", "a/b"));
    }
}
