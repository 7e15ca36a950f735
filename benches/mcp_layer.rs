//! What the MCP layer costs a call: from the request's line to the reply's, through real pipes
//! and sockets, with an engine that answers at once.
//!
//! Printed as a ratio to two servers that only send the line back, measured in turns with it:
//! `echo` blocks in `read`, `loop` waits in tokio's event loop as the server does. On Linux all
//! run on one processor: across two, the time a sleeping processor takes to wake is several
//! times what is measured, and which process pays it is luck.

use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use mcp_repl::mcp::{self, OnCancel, Sessions, WorkerText};
use mcp_repl::reply::{Content, Reply, Status};
use mcp_repl::session::client::{EngineCommand, Handle};

const WARM_UP: usize = 200;
const ROUNDS: usize = 5_000;
const REQUEST: &[u8] = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"repl\",\"arguments\":{\"input\":\"1+1\"}}}\n";

fn main() -> io::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("serve") => serve(),
        Some("echo") => echo(),
        Some("loop") => echo_loop(),
        _ => {
            stay_on_one_processor()?;
            measure()
        }
    }
}

/// Keeps this process, and those it starts, on the processor it is on.
fn stay_on_one_processor() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let mut processors = rustix::thread::CpuSet::new();
        processors.set(rustix::thread::sched_getcpu());
        rustix::thread::sched_setaffinity(None, &processors)?;
    }
    Ok(())
}

/// The server under test.
fn serve() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (session, mut commands) = Handle::new();
        tokio::spawn(async move {
            while let Some(command) = commands.recv().await {
                let EngineCommand::Call { reply, .. } = command else { continue };
                let content = vec![Content::Text("2".to_owned())];
                let two = Reply { content, status: Status::Ready { outcome: None } };
                let _ = reply.send(two.into());
            }
        });
        mcp::serve(Sessions::only(session), &WorkerText::ANY, OnCancel::default()).await
    })
}

/// The least a server on tokio could do.
fn echo_loop() -> io::Result<()> {
    use std::os::fd::AsFd;
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
    use tokio::net::{UnixStream, unix::pipe};

    async fn run(
        mut input: impl AsyncRead + Unpin,
        mut output: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = input.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            output.write_all(&buffer[..count]).await?;
        }
    }

    let (input, output) =
        (io::stdin().as_fd().try_clone_to_owned()?, io::stdout().as_fd().try_clone_to_owned()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let is_fifo = std::os::unix::fs::FileTypeExt::is_fifo;
        if is_fifo(&std::fs::File::from(input.try_clone()?).metadata()?.file_type()) {
            run(pipe::Receiver::from_owned_fd(input)?, pipe::Sender::from_owned_fd(output)?).await
        } else {
            let open = |fd: OwnedFd| {
                let stream = std::os::unix::net::UnixStream::from(fd);
                stream.set_nonblocking(true)?;
                UnixStream::from_std(stream)
            };
            run(open(input)?, open(output)?).await
        }
    })
}

/// The least a server could do.
fn echo() -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        output.write_all(&line)?;
        output.flush()?;
        line.clear();
    }
    Ok(())
}

/// A child and the streams to talk with it.
struct Peer {
    child: Child,
    input: Box<dyn Write>,
    output: Box<dyn BufRead>,
    line: Vec<u8>,
}

impl Peer {
    fn start(role: &str, sockets: bool) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(role);
        let (child, input, output): (Child, Box<dyn Write>, Box<dyn BufRead>) = if sockets {
            let (our_input, their_input) = UnixStream::pair()?;
            let (our_output, their_output) = UnixStream::pair()?;
            command.stdin(OwnedFd::from(their_input)).stdout(OwnedFd::from(their_output));
            (command.spawn()?, Box::new(our_input), Box::new(BufReader::new(our_output)))
        } else {
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
            let input: Option<ChildStdin> = child.stdin.take();
            let output: Option<ChildStdout> = child.stdout.take();
            let (Some(input), Some(output)) = (input, output) else {
                return Err(io::Error::other("the child has no pipes"));
            };
            (child, Box::new(input), Box::new(BufReader::new(output)))
        };
        Ok(Peer { child, input, output, line: Vec::new() })
    }

    fn round(&mut self) -> io::Result<Duration> {
        self.line.clear();
        let start = Instant::now();
        self.input.write_all(REQUEST)?;
        self.input.flush()?;
        self.output.read_until(b'\n', &mut self.line)?;
        let elapsed = start.elapsed();
        if self.line.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(elapsed) }
    }

    fn end(self) -> io::Result<()> {
        let Peer { mut child, input, output, .. } = self;
        drop((input, output));
        child.wait().map(drop)
    }
}

fn measure() -> io::Result<()> {
    for (name, sockets) in [("pipes", false), ("sockets", true)] {
        let mut peers = Vec::new();
        for role in ["serve", "loop", "echo"] {
            peers.push((Peer::start(role, sockets)?, Vec::new()));
        }
        for round in 0..WARM_UP + ROUNDS {
            for (peer, times) in &mut peers {
                let time = peer.round()?;
                if round >= WARM_UP {
                    times.push(time);
                }
            }
        }
        let mut percentiles = Vec::new();
        for (peer, times) in peers {
            peer.end()?;
            percentiles.push(Percentiles::of(times));
        }
        let [call, looped, echoed] = &percentiles[..] else {
            return Err(io::Error::other("a server is missing"));
        };
        println!(
            "mcp_layer/{name}: p50 call {:?}, loop {:?}, echo {:?}; call/loop {:.2}, \
             call/echo {:.2}; p99 call {:?}, loop {:?}, echo {:?}",
            call.p50,
            looped.p50,
            echoed.p50,
            call.p50.as_secs_f64() / looped.p50.as_secs_f64(),
            call.p50.as_secs_f64() / echoed.p50.as_secs_f64(),
            call.p99,
            looped.p99,
            echoed.p99,
        );
    }
    Ok(())
}

struct Percentiles {
    p50: Duration,
    p99: Duration,
}

impl Percentiles {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Percentiles { p50: times[times.len() / 2], p99: times[times.len() * 99 / 100] }
    }
}
