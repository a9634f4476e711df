//! What a program's user gives as its Server: the inputs of `Server.mqh`, as each program takes them to the client.

use crate::common::certificates::{Authority, Folder, Validity};
use crate::common::mosquitto::Mosquitto;
use crate::common::proxy::{Answer, ProxyOptions, TestProxy};
use crate::common::tools::leave_out;
use crate::compile::{compiler, program};
use crate::host::Terminal;

#[test]
fn every_program_reaches_a_server_with_its_own_ca_and_client_certificates_behind_a_proxy() {
    let leg = "inputs for TLS and a proxy";
    let Some(_) = compiler(leg) else { return };
    let (authority, files) = (Authority::new("Own CA"), Folder::new());
    let ca = files.write("ca.pem", &authority.certificate);
    let listener = files.listener(&authority.issue("server", &["127.0.0.1"], Validity::Now));
    let more = format!("{listener}cafile {ca}\nrequire_certificate true\nuse_identity_as_username true\n");
    let Some(server) = Mosquitto::start_with(&more) else { return leave_out(leg, "mosquitto") };
    let url = server.url().replace("mqtt://", "mqtts://");
    let proxy = TestProxy::start(ProxyOptions { socks: true, credentials: None, answer: Answer::Connect });
    let mut terminal = Terminal::start();
    terminal.command(&["symbol", "EURUSD", "digits=5"]);
    for (kind, path) in [
        ("expert", "Experts/Mt5Mqtt/LowLatencyEA.mq5"),
        ("expert", "Experts/Mt5Mqtt/MarketFeed.mq5"),
        ("expert", "Experts/Mt5Mqtt/RemoteControl.mq5"),
        ("expert", "Experts/Mt5Mqtt/Telemetry.mq5"),
        ("expert", "Experts/Mt5Mqtt/TradeCopierFollower.mq5"),
        ("expert", "Experts/Mt5Mqtt/TradeCopierMaster.mq5"),
        ("indicator", "Indicators/Mt5Mqtt/RemoteValue.mq5"),
        ("service", "Services/Mt5Mqtt/CustomSymbolFeed.mq5"),
        ("script", "Scripts/Mt5Mqtt/Doctor.mq5"),
        ("script", "Scripts/Mt5Mqtt/SelfTest.mq5"),
    ] {
        // The Server tells who has connected by the name in the certificate, which is the program's.
        let name = path.rsplit('/').next().and_then(|file| file.strip_suffix(".mq5")).expect("a program's name");
        let client = authority.issue(name, &[], Validity::Now);
        let inputs = [
            ("InpUrl", url.clone()),
            ("InpTlsCa", ca.clone()),
            ("InpTlsCertificate", files.write("client.pem", &client.certificate)),
            ("InpTlsKey", files.write("client.key", &client.encrypted_key("open sesame"))),
            ("InpTlsKeyPassword", "open sesame".to_owned()),
            ("InpProxy", format!("socks5://127.0.0.1:{}", proxy.port())),
        ];
        let inputs = inputs.each_ref().map(|(input, value)| (*input, value.as_str()));
        terminal.load(kind, name, &program(&format!("mql5/{path}")), ("1", "EURUSD"), &inputs);
        server.wait_for_log(&format!("u'{name}'"));
        assert_eq!(proxy.target(), url.trim_start_matches("mqtts://"), "{name}");
        terminal.command(&["remove", name]);
        terminal.expect(name, "ended", "");
    }
    terminal.close();
}
