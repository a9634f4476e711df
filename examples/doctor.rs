//! Examines the connection to an MQTT Server and prints what it finds, step by step.
//!
//!     cargo run --example doctor -- URL [OPTION=VALUE...]
//!
//! OPTION is the name of an option as in `MT5MQTT_OPT_…`: `USER_NAME=me PASSWORD=secret TLS_CA=ca.pem PROXY=socks5://host`.

use mt5mqtt::client::Client;
use mt5mqtt::client::events::NoticeKind;
use mt5mqtt::client::options::{self, Options};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(url) = arguments.next().filter(|url| !url.starts_with('-')) else {
        eprintln!("usage: doctor URL [OPTION=VALUE...]");
        return ExitCode::from(2);
    };
    let client = Client::new();
    let settings = [("URL".to_owned(), url)].into_iter().chain(arguments.map(|argument| {
        let (name, value) = argument.split_once('=').unwrap_or((&argument, ""));
        (name.to_owned(), value.to_owned())
    }));
    for (name, value) in settings {
        if let Err(why) = set(&client, &name, &value) {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    }
    if let Err(why) = client.start_doctor() {
        eprintln!("{why}");
        return ExitCode::from(2);
    }
    loop {
        let found = client.poll(|notice| match &notice.kind {
            NoticeKind::Doctor { line, end } => {
                println!("{line}");
                *end
            }
            _ => None,
        });
        match found {
            Ok(Some(Some(Ok(())))) => return ExitCode::SUCCESS,
            Ok(Some(Some(Err(_)))) => return ExitCode::FAILURE,
            Ok(Some(None)) => {}
            Ok(None) => _ = client.wait(Duration::from_millis(250)),
            Err(why) => {
                eprintln!("{why}");
                return ExitCode::FAILURE;
            }
        }
    }
}

/// Sets an option by its name: a number if it takes one, a text otherwise.
fn set(client: &Client, name: &str, value: &str) -> Result<(), String> {
    let id = options::id_of(name).ok_or_else(|| format!("there is no option {name}"))?;
    let put = |options: &mut Options, idle| match value.parse() {
        Ok(number) if options::takes_integer(id) => options.set_int(id, number, idle),
        _ => options.set_text(id, Some(value), idle),
    };
    client.set_option(put).map_err(|failure| failure.text)
}
