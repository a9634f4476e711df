//! A price or a volume as a count of 10⁻⁸ units.
//!
//! Two books are compared for equality and volumes are cut to a broker's step; with binary fractions either would be wrong now
//! and then (0.29 / 0.01 is 28.999…). On the wire it is an ordinary JSON number, so that any program can read a state.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const DIGITS: usize = 8;
const UNIT: i64 = 100_000_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(i64);

impl Decimal {
    pub const ZERO: Decimal = Decimal(0);

    pub const fn from_units(units: i64) -> Decimal {
        Decimal(units)
    }

    pub const fn units(self) -> i64 {
        self.0
    }

    pub fn is_positive(self) -> bool {
        self.0 > 0
    }

    pub fn minus(self, other: Decimal) -> Decimal {
        Decimal(self.0 - other.0)
    }

    pub fn plus(self, other: Decimal) -> Decimal {
        Decimal(self.0 + other.0)
    }

    pub fn times(self, factor: Decimal) -> Decimal {
        let product = i128::from(self.0) * i128::from(factor.0) / i128::from(UNIT);
        Decimal(i64::try_from(product).unwrap_or(i64::MAX))
    }

    /// The greatest multiple of `step` that is not above this value.
    pub fn down_to_step(self, step: Decimal) -> Decimal {
        Decimal(self.0.div_euclid(step.0) * step.0)
    }
}

impl FromStr for Decimal {
    type Err = String;

    fn from_str(text: &str) -> Result<Decimal, String> {
        let wrong = || format!("{text:?} is not a number");
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.len() > DIGITS {
            return Err(wrong());
        }
        if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let padded = format!("{whole}{fraction:0<DIGITS$}");
        let units: i64 = padded.parse().map_err(|_| wrong())?;
        Ok(Decimal(if negative { -units } else { units }))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let units = self.0.unsigned_abs();
        let unit = UNIT.unsigned_abs();
        let text = format!("{sign}{}.{:08}", units / unit, units % unit);
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / UNIT as f64)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        let number = f64::deserialize(deserializer)?;
        let units = (number * UNIT as f64).round();
        // Above 2^53 units a JSON number no longer holds every unit.
        if units.abs() > 9_007_199_254_740_992.0 {
            return Err(serde::de::Error::custom(format!("{number} is too large for a price or a volume")));
        }
        Ok(Decimal(units as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn text_and_back() {
        for text in ["0", "1", "0.01", "1.07219", "-3.5", "20123.75", "0.00000001"] {
            assert_eq!(dec(text).to_string(), text);
        }
        assert_eq!(dec("1.50").to_string(), "1.5");
        for text in ["", ".", "-", "1,5", "1.2.3", "0.123456789", "1e5", "x", "99999999999999"] {
            assert!(text.parse::<Decimal>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn json_keeps_every_digit() {
        for text in ["1.07219", "0.29", "0.1", "0.00000001", "67890123.12345678"] {
            let json = serde_json::to_string(&dec(text)).unwrap();
            assert_eq!(serde_json::from_str::<Decimal>(&json).unwrap(), dec(text), "{json}");
        }
        assert!(serde_json::from_str::<Decimal>("1e30").is_err());
    }

    #[test]
    fn volumes_are_cut_down_to_the_step() {
        assert_eq!(dec("0.29").down_to_step(dec("0.01")), dec("0.29"));
        assert_eq!(dec("0.295").down_to_step(dec("0.01")), dec("0.29"));
        assert_eq!(dec("0.35").times(dec("2")).down_to_step(dec("0.1")), dec("0.7"));
        assert_eq!(dec("0.09").down_to_step(dec("0.1")), Decimal::ZERO);
    }
}
