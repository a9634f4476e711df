//! The command line.

use std::path::PathBuf;

use crate::source::Source;

/// The hidden first argument of the processes that this program starts.
pub const ROLE: &str = "--role";

pub const HELP: &str = "\
Copies trades from a master to two followers through an MQTT Server, each in a process of its own, kills the Server and a
follower in mid-run, and checks at the end that no trade was missed or doubled.

cargo run --release --example copy_trades -- [OPTIONS]
cargo run --release --example copy_trades -- check FOLDER    checks the journals of a run again

  --prices FILE       price bars to trade on (CSV: Time, Open, High, Low, Close); default: examples/data/EURUSD_H1.csv
  --symbol NAME       what the prices are of (default EURUSD)
  --history FILE      replay a MetaTrader 5 history (CSV) instead: deals or positions; columns are found by name
  --strict            stop at the first bad row of the file (default: name it, leave it out and go on)
  --bars N            at most N price bars
  --trades N          at most N trades
  --seed N            for the volumes of the trades (default 1)
  --speed N           price bars, or deals, per second (default: so that it takes about 25 s)
  --quick             a short run of a few seconds
  --server HOST:PORT  use this Server instead of starting one (it will not be killed, a follower will)
  --user NAME         user name for that Server; the password is taken from the variable MT5MQTT_PASSWORD
  --port N            port of the Server that is started (default: a free one)
  --library FILE      the built library (default: beside this program, or where Cargo puts it)
  --folder FOLDER     keep all journals and books there (must be new or empty)
";

#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Run(Box<Options>),
    Check(PathBuf),
    Help,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    prices: Option<PathBuf>,
    symbol: Option<String>,
    history: Option<PathBuf>,
    strict: bool,
    bars: Option<usize>,
    trades: Option<usize>,
    seed: Option<u64>,
    pub speed: Option<f64>,
    pub quick: bool,
    pub server: Option<String>,
    pub user: Option<String>,
    pub port: Option<u16>,
    pub library: Option<PathBuf>,
    pub folder: Option<PathBuf>,
}

const QUICK_BARS: usize = 500;

impl Options {
    pub fn source(&self) -> Source {
        let trades = self.trades.unwrap_or(usize::MAX);
        if let Some(path) = &self.history {
            return Source::History { path: path.clone(), trades, strict: self.strict };
        }
        let own = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/data/EURUSD_H1.csv");
        Source::Prices {
            path: self.prices.clone().unwrap_or_else(own),
            symbol: self.symbol.clone().unwrap_or_else(|| "EURUSD".to_owned()),
            bars: self.bars.unwrap_or(if self.quick { QUICK_BARS } else { usize::MAX }),
            trades,
            seed: self.seed.unwrap_or(1),
            strict: self.strict,
        }
    }

    pub fn is_history(&self) -> bool {
        self.history.is_some()
    }
}

pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut arguments = arguments.into_iter();
    let mut options = Options::default();
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{name} needs a value"));
        match name.as_str() {
            "-h" | "--help" => return Ok(Command::Help),
            "check" => return Ok(Command::Check(value()?.into())),
            "--prices" => options.prices = Some(value()?.into()),
            "--symbol" => options.symbol = Some(value()?),
            "--history" => options.history = Some(value()?.into()),
            "--strict" => options.strict = true,
            "--bars" => options.bars = Some(number(&name, &value()?)?),
            "--trades" => options.trades = Some(number(&name, &value()?)?),
            "--seed" => options.seed = Some(number(&name, &value()?)?),
            "--speed" => options.speed = Some(speed(&name, &value()?)?),
            "--quick" => options.quick = true,
            "--server" => options.server = Some(server(&value()?)?),
            "--user" => options.user = Some(value()?),
            "--port" => options.port = Some(number(&name, &value()?)?),
            "--library" => options.library = Some(value()?.into()),
            "--folder" => options.folder = Some(value()?.into()),
            _ => return Err(format!("{name:?} is not known; --help names the options")),
        }
    }
    if options.history.is_some() && (options.prices.is_some() || options.bars.is_some() || options.seed.is_some()) {
        return Err("--history can't be combined with --prices, --bars or --seed".into());
    }
    if options.server.is_some() && options.port.is_some() {
        return Err("--port is of the Server that is started; --server names one that isn't".into());
    }
    Ok(Command::Run(Box::new(options)))
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{name}: {text:?} is not a number in its range"))
}

fn speed(name: &str, text: &str) -> Result<f64, String> {
    let speed: f64 = number(name, text)?;
    if speed.is_finite() && speed > 0.0 { Ok(speed) } else { Err(format!("{name}: {text:?} is not above 0")) }
}

fn server(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(text.to_owned()),
        _ => Err(format!("--server: {text:?} is not HOST:PORT")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn good_lines() {
        let Ok(Command::Run(options)) = parsed("--quick --speed 50.5 --bars 100 --server 127.0.0.1:1883 --strict")
        else {
            panic!()
        };
        assert!(options.quick && options.strict && !options.is_history());
        assert_eq!((options.speed, options.bars), (Some(50.5), Some(100)));
        assert_eq!(options.server.as_deref(), Some("127.0.0.1:1883"));
        assert_eq!(parsed("check there"), Ok(Command::Check("there".into())));
        assert_eq!(parsed("--quick --help"), Ok(Command::Help));
    }

    #[test]
    fn bad_lines_are_named() {
        for (line, named) in [
            ("--fast", "--fast"),
            ("--bars", "--bars needs a value"),
            ("--bars many", "\"many\""),
            ("--port 70000", "\"70000\""),
            ("--speed 0", "not above 0"),
            ("--speed inf", "not above 0"),
            ("--server localhost", "HOST:PORT"),
            ("--server a:1 --port 2", "--port"),
            ("--history a --bars 1", "--history"),
        ] {
            let error = parsed(line).unwrap_err();
            assert!(error.contains(named), "{line}: {error}");
        }
    }
}
