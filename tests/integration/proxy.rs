//! A proxy in front of an emulator that writes down what is asked: one request a connection, each in
//! a thread of its own.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One request that has passed.
#[derive(Clone)]
struct Passed {
    operation: String,
    region: String,
}

/// A running proxy; its thread ends with the process.
pub(crate) struct Proxy {
    url: String,
    passed: Arc<Mutex<Vec<Passed>>>,
}

impl Proxy {
    /// A proxy on a free port before this endpoint (`http://HOST:PORT`).
    pub(crate) fn before(endpoint: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let upstream = endpoint.trim_start_matches("http://").to_owned();
        let passed = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&passed);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (upstream, log) = (upstream.clone(), Arc::clone(&log));
                std::thread::spawn(move || pass(client, &upstream, &log));
            }
        });
        Self { url, passed }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Begins to count anew.
    pub(crate) fn forget(&self) {
        self.passed.lock().unwrap().clear();
    }

    /// The operations asked, in the order in which they came.
    pub(crate) fn operations(&self) -> Vec<String> {
        let passed = self.passed.lock().unwrap();
        passed.iter().map(|one| one.operation.clone()).collect()
    }

    /// The regions that the requests were signed for.
    pub(crate) fn regions(&self) -> Vec<String> {
        let passed = self.passed.lock().unwrap();
        passed.iter().map(|one| one.region.clone()).collect()
    }
}

/// Reads one request, asks upstream, gives the answer back. A client that goes away is none of ours.
fn pass(mut client: TcpStream, upstream: &str, log: &Mutex<Vec<Passed>>) {
    let Some((head, body)) = read(&mut client) else {
        return;
    };
    log.lock().unwrap().push(note(&head, &body));
    let mut server = TcpStream::connect(upstream).unwrap();
    // With this the end of the connection is the end of the answer, however long it is.
    let kept = head
        .split("\r\n")
        .filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let head = kept.collect::<Vec<_>>().join("\r\n");
    server
        .write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    server.write_all(&body).unwrap();
    let mut answer = Vec::new();
    let _ = server.read_to_end(&mut answer);
    let _ = client.write_all(&answer);
}

/// The head without its empty line, and the body.
fn read(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let (mut received, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = client.read(&mut buffer).ok().filter(|count| *count > 0)?;
        received.extend_from_slice(&buffer[..count]);
        let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&received[..end]).into_owned();
        let length = header(&head, "content-length").and_then(|length| length.parse().ok());
        if received.len() >= end + 4 + length.unwrap_or(0) {
            return Some((head, received.split_off(end + 4)));
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let mut found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.trim())
}

fn note(head: &str, body: &[u8]) -> Passed {
    let body = String::from_utf8_lossy(body);
    let target = header(head, "x-amz-target").and_then(|target| target.rsplit('.').next());
    let action = || {
        body.split('&')
            .find_map(|pair| pair.strip_prefix("Action="))
    };
    let operation = target.or_else(action).unwrap_or_default().to_owned();
    let scope = header(head, "authorization").unwrap_or_default();
    let region = scope.split('/').nth(2).unwrap_or_default().to_owned();
    Passed { operation, region }
}
