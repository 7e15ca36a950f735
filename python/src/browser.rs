//! `webbrowser`: a browser that tells the address, and fetches what the program itself serves.
//!
//! Libraries show a page by a server for one request: they open its address and wait for the
//! browser. A thread fetches it in the browser's place, so they go on, and the page is a document.

use std::{
    fs,
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    sync::{Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use pyo3::{
    prelude::*,
    types::{PyDict, PyString},
};

use crate::{
    pictures,
    system::{fork, signals},
};

/// How long a server may take to answer, and how long the end of a cell waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// When the fetches that go on began.
static FETCHES: Mutex<Vec<Instant>> = Mutex::new(Vec::new());
static FETCHED: Condvar = Condvar::new();

/// Makes ours the preferred browser. Called when `webbrowser` was imported.
pub(crate) fn register(webbrowser: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = webbrowser.py();
    let options = PyDict::new(py);
    options.set_item("preferred", true)?;
    let browser = Bound::new(py, Browser)?;
    webbrowser.getattr("register")?.call(("mcp-repl", py.None(), browser), Some(&options))?;
    Ok(())
}

/// Waits for pages that are on their way.
pub(crate) fn wait_for_pages(py: Python<'_>) {
    let last = FETCHES.lock().unwrap_or_else(PoisonError::into_inner).last().copied();
    let Some(last) = last else { return };
    py.detach(|| {
        let fetches = FETCHES.lock().unwrap_or_else(PoisonError::into_inner);
        let left = PATIENCE.saturating_sub(last.elapsed());
        let _ = FETCHED.wait_timeout_while(fetches, left, |fetches| !fetches.is_empty());
    });
}

/// What `webbrowser.get()` gives.
#[pyclass(frozen, module = "_mcp_repl")]
struct Browser;

#[pymethods]
impl Browser {
    #[getter]
    fn name(&self) -> &'static str {
        "mcp-repl"
    }

    #[getter]
    fn basename(&self) -> &'static str {
        "mcp-repl"
    }

    #[pyo3(signature = (url, new = 0, autoraise = true))]
    fn open(
        &self,
        url: &Bound<'_, PyString>,
        #[expect(unused)] new: i32,
        #[expect(unused)] autoraise: bool,
    ) -> PyResult<bool> {
        let py = url.py();
        let line = format!("No browser is opened here: {url}\n");
        py.import("sys")?.getattr("stdout")?.call_method1("write", (line,))?;
        let address = url.to_string_lossy().into_owned();
        py.detach(|| {
            if let Some(page) = Page::parse(&address)
                && !fork::is_child()
                && is_served_here(page.port)
            {
                fetch_in_background(page);
            }
        });
        Ok(true)
    }

    fn open_new(&self, url: &Bound<'_, PyString>) -> PyResult<bool> {
        self.open(url, 1, true)
    }

    fn open_new_tab(&self, url: &Bound<'_, PyString>) -> PyResult<bool> {
        self.open(url, 2, true)
    }
}

/// An address on this machine.
#[derive(Debug)]
struct Page {
    /// As the server is to see it.
    host: String,
    port: u16,
    path: String,
}

impl Page {
    /// Reads `http://127.0.0.1:8000/path`; `None` for what is not on this machine.
    fn parse(url: &str) -> Option<Page> {
        let rest = url.strip_prefix("http://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        let (name, port) = host.rsplit_once(':')?;
        if !["127.0.0.1", "localhost", "[::1]", "0.0.0.0"].contains(&name) {
            return None;
        }
        let path = path.split('#').next().unwrap_or_default();
        let slash = if path.starts_with('/') { "" } else { "/" };
        let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic());
        is_plain.then_some(Page {
            host: host.to_owned(),
            port: port.parse().ok()?,
            path: format!("{slash}{path}"),
        })
    }

    /// Fetches it, if it is an HTML page.
    fn fetch(&self) -> io::Result<Option<Vec<u8>>> {
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        let connect = |ip| TcpStream::connect_timeout(&SocketAddr::new(ip, self.port), PATIENCE);
        let mut stream = connect(loopback[0]).or_else(|_| connect(loopback[1]))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let Page { host, path, .. } = self;
        // The server's answer ends with the connection, and comes in one piece.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept: text/html\r\n\r\n")?;
        let mut answer = Vec::new();
        // One byte too many is told as too large.
        stream.take(pictures::LARGEST as u64 + (1 << 16)).read_to_end(&mut answer)?;
        Ok(page_in(&answer))
    }
}

/// The page in a server's answer (RFC 9112), if there is one.
fn page_in(answer: &[u8]) -> Option<Vec<u8>> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let mut lines = head.lines();
    let is_good = lines.next()?.split(' ').nth(1) == Some("200");
    let is_html = lines.any(|line| {
        let field = line.split_once(':').filter(|(name, _)| *name == "content-type");
        field.is_some_and(|(_, value)| value.trim().starts_with("text/html"))
    });
    (is_good && is_html).then(|| answer[end + 4..].to_vec())
}

/// Fetches a page and sends it as a document.
fn fetch_in_background(page: Page) {
    let began = Instant::now();
    FETCHES.lock().unwrap_or_else(PoisonError::into_inner).push(began);
    let done = move || {
        let mut fetches = FETCHES.lock().unwrap_or_else(PoisonError::into_inner);
        fetches.retain(|other| *other != began);
        FETCHED.notify_all();
    };
    let fetch = move || {
        if let Ok(Some(html)) = page.fetch() {
            pictures::send_document_detached("text/html", &html);
        }
        done();
    };
    let thread = thread::Builder::new().name("mcp-repl page".into());
    // Signals are for Python's threads.
    if signals::with_all_blocked(|| thread.spawn(fetch)).is_err() {
        done();
    }
}

/// Whether this process listens on a port: a page of somebody else's is not ours to fetch. Not
/// where there is no /proc.
fn is_served_here(port: u16) -> bool {
    let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
    let text = tables.map(|table| fs::read_to_string(table).unwrap_or_default()).concat();
    let sockets: Vec<String> = text.lines().filter_map(|line| listener(line, port)).collect();
    let Ok(descriptors) = fs::read_dir("/proc/self/fd") else { return false };
    let mut targets = descriptors.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    !sockets.is_empty()
        && targets.any(|target| {
            target.to_str().is_some_and(|target| sockets.iter().any(|socket| socket == target))
        })
}

/// What a descriptor of the socket in a line of `/proc/net/tcp` (proc_net_tcp in the kernel's
/// documentation) is a link to, if it listens on this port.
fn listener(line: &str, port: u16) -> Option<String> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
    // TCP_LISTEN
    let listens = *fields.get(3)? == "0A" && u16::from_str_radix(local_port, 16) == Ok(port);
    listens.then(|| fields.get(9).map(|inode| format!("socket:[{inode}]")))?
}
