//! A small SOCKS5 and HTTP CONNECT proxy on a thread of its own, which serves one connection after the other and notes what
//! it was asked for.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

/// What the proxy says instead of connecting.
#[derive(Clone, Copy)]
pub enum Answer {
    Connect,
    /// A SOCKS5 reply code, or an HTTP status.
    Refuse(u16),
    Bytes(&'static [u8]),
    Close,
}

#[derive(Clone)]
pub struct ProxyOptions {
    pub socks: bool,
    pub credentials: Option<(&'static str, &'static str)>,
    /// Names that the proxy alone knows: all of them are 127.0.0.1.
    pub answer: Answer,
}

pub struct TestProxy {
    port: u16,
    targets: Receiver<String>,
    stop: Arc<AtomicBool>,
}

impl TestProxy {
    pub fn start(options: ProxyOptions) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind a free port");
        let port = listener.local_addr().expect("its address").port();
        let (sender, targets) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Acquire) {
                    return;
                }
                let (options, sender) = (options.clone(), sender.clone());
                let Ok(stream) = stream else { continue };
                // What the client breaks off is the client's affair; its test sees it.
                thread::spawn(move || serve(stream, &options, &sender));
            }
        });
        TestProxy { port, targets, stop }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the proxy was asked to connect to next, as `host:port`.
    #[track_caller]
    pub fn target(&self) -> String {
        self.targets.recv_timeout(Duration::from_secs(15)).expect("a request to the proxy")
    }
}

impl Drop for TestProxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // It waits for a connection.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn serve(mut client: TcpStream, options: &ProxyOptions, targets: &Sender<String>) -> Option<()> {
    client.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    match options.answer {
        Answer::Bytes(bytes) => {
            exactly(&mut client, 1)?;
            client.write_all(bytes).ok()?;
            // Until the client has had enough.
            let _ = client.read(&mut [0; 512]);
            return Some(());
        }
        Answer::Close => {
            exactly(&mut client, 1)?;
            return Some(());
        }
        _ => {}
    }
    let target = if options.socks { socks(&mut client, options)? } else { http(&mut client, options)? };
    let port: u16 = target.rsplit_once(':')?.1.parse().ok()?;
    let ipv6 = target.starts_with('[');
    // Each type of address has another length: a name here if it was asked for by a name.
    let bound: &[u8] = match target.rsplit_once(':')?.0 {
        _ if ipv6 => &[4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        host if host.parse::<Ipv4Addr>().is_ok() => &[1, 127, 0, 0, 1],
        _ => &[3, 4, b'a', b'.', b'b', b'c'],
    };
    targets.send(target).ok()?;
    let server = if ipv6 { TcpStream::connect(("::1", port)) } else { TcpStream::connect((Ipv4Addr::LOCALHOST, port)) };
    let (connected, code) = match options.answer {
        Answer::Refuse(code) => (None, code),
        _ if options.socks => (server.ok(), 0),
        _ => (server.ok(), 200),
    };
    if options.socks {
        let code = if connected.is_some() || code != 0 { code as u8 } else { 5 };
        client.write_all(&[&[5, code, 0], bound, &[0, 1]].concat()).ok()?;
    } else {
        let code = if connected.is_some() || code != 200 { code } else { 502 };
        let more = if code == 407 { "Proxy-Authenticate: Basic realm=\"x\"\r\n" } else { "" };
        client.write_all(format!("HTTP/1.1 {code} Whatever\r\nX-Proxy: test\r\n{more}\r\n").as_bytes()).ok()?;
    }
    relay(client, connected?);
    Some(())
}

fn socks(client: &mut TcpStream, options: &ProxyOptions) -> Option<String> {
    let methods = exactly(client, 2)?;
    assert_eq!(methods[0], 5);
    let methods = exactly(client, methods[1].into())?;
    match options.credentials {
        Some((user_name, password)) => {
            if !methods.contains(&2) {
                client.write_all(&[5, 0xFF]).ok()?;
                return None;
            }
            client.write_all(&[5, 2]).ok()?;
            let length = exactly(client, 2)?[1];
            let user = exactly(client, length.into())?;
            let length = exactly(client, 1)?[0];
            let pass = exactly(client, length.into())?;
            let good = user == user_name.as_bytes() && pass == password.as_bytes();
            client.write_all(&[1, u8::from(!good)]).ok()?;
            if !good {
                return None;
            }
        }
        None => {
            assert!(methods.contains(&0));
            client.write_all(&[5, 0]).ok()?;
        }
    }
    let request = exactly(client, 4)?;
    assert_eq!(request[..3], [5, 1, 0]);
    let host = match request[3] {
        1 => Ipv4Addr::from(<[u8; 4]>::try_from(exactly(client, 4)?).ok()?).to_string(),
        3 => {
            let length = exactly(client, 1)?[0];
            String::from_utf8(exactly(client, length.into())?).ok()?
        }
        _ => format!("[{}]", std::net::Ipv6Addr::from(<[u8; 16]>::try_from(exactly(client, 16)?).ok()?)),
    };
    let port = exactly(client, 2)?;
    Some(format!("{host}:{}", u16::from_be_bytes([port[0], port[1]])))
}

fn http(client: &mut TcpStream, options: &ProxyOptions) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(exactly(client, 1)?);
    }
    let head = String::from_utf8(head).ok()?;
    let target = head.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
    assert!(head.contains(&format!("\r\nHost: {target}\r\n")), "{head}");
    if let Some((user_name, password)) = options.credentials {
        let wanted = data_encoding::BASE64.encode(format!("{user_name}:{password}").as_bytes());
        if !head.contains(&format!("\r\nProxy-Authorization: Basic {wanted}\r\n")) {
            client.write_all(b"HTTP/1.1 407 Who are you\r\nContent-Length: 2\r\n\r\nno").ok()?;
            return None;
        }
    }
    Some(target)
}

fn exactly(stream: &mut TcpStream, count: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn relay(client: TcpStream, server: TcpStream) {
    let copy = |from: &TcpStream, to: &TcpStream| -> Option<(TcpStream, TcpStream)> {
        Some((from.try_clone().ok()?, to.try_clone().ok()?))
    };
    let Some((mut from, mut to)) = copy(&server, &client) else { return };
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let (mut from, mut to) = (client, server);
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}
