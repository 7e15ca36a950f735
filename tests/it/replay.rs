//! A session that is recorded and replayed without a process gives the replies of the live one.

use std::time::Duration;

use mcp_repl::{
    cast::Version,
    reply::{Content, KeptText, Notice, Reply, Status},
    screen::Size,
    session::{
        client::{Client, Handle, Request, ScreenUpdate},
        engine::{self, Config},
        launch::{RuntimeDirectory, Target, python::PythonSearch},
        recording::{Cuts, Recording, RecordingFile, replay},
        rules::payload::{Keys, Payload},
    },
};

use crate::support::{HANG, python};

/// A live session in this process, which is recorded.
pub(crate) struct Live {
    pub(crate) session: Handle,
    replies: Vec<Reply>,
    directory: tempfile::TempDir,
    engine: tokio::task::JoinHandle<()>,
}

impl Live {
    pub(crate) fn start() -> Live {
        let search = PythonSearch::of_process(Some(python::default()));
        let directory = tempfile::tempdir().unwrap();
        let recording = RecordingFile {
            path: directory.path().join("live.cast"),
            records_input: true,
            version: Version::V3,
            title: None,
        };
        let config = Config {
            recording: Some(recording),
            ..Config::new(Target::Python(search), RuntimeDirectory::new().unwrap())
        };
        let (session, engine) = engine::start(config).unwrap();
        Live { session, replies: Vec::new(), directory, engine }
    }

    /// Makes a call and keeps its reply; gives its text.
    async fn call(&mut self, client: &Client, payload: Payload, timeout: Duration) -> String {
        let reply = client.call(Request::new(payload, timeout)).await.expect("the engine lives");
        let text = text(&reply);
        self.replies.push(reply);
        text
    }

    async fn send(&mut self, client: &Client, input: &str) -> String {
        let payload = Payload::parse(input, Vec::new()).unwrap();
        self.call(client, payload, HANG).await
    }

    async fn keys(&mut self, client: &Client, keys: &[&str]) -> String {
        let words = keys.iter().map(|key| key.to_string()).collect();
        self.call(client, Payload::Keys(Keys(words)), HANG).await
    }

    /// How things stand.
    async fn status(&mut self, client: &Client) -> Status {
        self.send(client, "").await;
        self.replies.last().expect("a reply").status.clone()
    }

    /// Ends the session; gives the replies, and the recording.
    pub(crate) async fn end(self) -> (Vec<Reply>, Recording) {
        self.session.shutdown();
        self.engine.await.unwrap();
        let file = std::fs::read(self.directory.path().join("live.cast")).unwrap();
        (self.replies, Recording::read(&file[..]).unwrap())
    }
}

fn text(reply: &Reply) -> String {
    format!("{:?}", reply.clone().merged())
}

/// A reply as a recording has it: where the text is that it leaves out, is another place each time.
fn recorded(mut reply: Reply) -> String {
    for part in &mut reply.content {
        if let Content::Notice(Notice::TextLeftOut { kept, .. } | Notice::WholeText { kept }) = part
        {
            *kept = KeptText::File("a file of the session".into());
        }
    }
    reply.text()
}

#[cfg(has = "posix")]
#[tokio::test]
async fn a_whole_session_replays_without_a_process() {
    let mut live = Live::start();
    let client = live.session.join();
    live.send(&client, "x = 20 + 1\nx * 2").await;
    live.send(&client, "1 / 0").await;
    // A reader of Python's own.
    live.send(&client, "name = input('Who? ')").await;
    live.send(&client, "Grace").await;
    // A pager, read through and by hand.
    live.send(&client, "import subprocess; print(name)").await;
    let lines =
        "f = open('t', 'w'); f.write(''.join(f'line {n}\\n' for n in range(300))); f.close()";
    live.send(&client, &format!("import os, tempfile; os.chdir(tempfile.mkdtemp()); {lines}"))
        .await;
    let paged = live.send(&client, "subprocess.run(['less', 't']).returncode").await;
    assert!(paged.contains("line 299"), "{paged}");
    // A program with the screen to itself.
    let drawn = live.send(&client, "subprocess.run(['vim', '-u', 'NONE', 't']).returncode").await;
    assert!(drawn.contains("[screen] vim"), "{drawn}");
    live.keys(&client, &["Escape", ":q!", "Enter"]).await;
    // A program that reads lines of the terminal.
    live.send(&client, "subprocess.run(['cat']).returncode").await;
    live.send(&client, "to cat").await;
    live.keys(&client, &["C-d"]).await;
    // A call that times out, an interrupt, and what was left unread.
    let slow = Payload::Text("import time\nwhile True: time.sleep(0.01)".into());
    live.call(&client, slow, Duration::from_millis(50)).await;
    live.send(&client, "not taken").await;
    live.send(&client, "\u{3}'after'").await;
    // More than a reply holds.
    live.send(&client, "for n in range(20_000): print('number', n)").await;
    // The end, and a fresh start.
    live.send(&client, "\u{4}'fresh'").await;
    live.send(&client, "exit(3)").await;
    live.send(&client, "").await;
    let (replies, recording) = live.end().await;
    assert!(matches!(replies.last().unwrap().status, Status::Ended { .. }));
    let live: Vec<String> = replies.into_iter().map(recorded).collect();
    let texts = |answered: &[mcp_repl::session::recording::Answered]| {
        answered.iter().map(|one| one.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(texts(&recording.replies), live);
    let whole = replay(&recording, Cuts::AsRecorded);
    assert_eq!(texts(&whole.replies), live);
    assert!(whole.transcript.contains(">>> name = input('Who? ')\nWho? Grace\n"));
    let everywhere = Cuts::Everywhere { most: 20_000, seed: 7 };
    for cuts in [Cuts::Whole, everywhere] {
        let again = replay(&recording, cuts);
        assert_eq!(again.transcript, whole.transcript, "{cuts:?}");
        assert_eq!(again, whole, "{cuts:?}");
    }
}

#[tokio::test]
async fn a_reply_to_one_client_takes_nothing_away_from_another() {
    let mut live = Live::start();
    let (one, two) = (live.session.join(), live.session.join());
    live.send(&two, "").await;
    live.send(&one, "print('to both')").await;
    let told = live.send(&two, "").await;
    assert!(told.contains("to both"), "{told}");
    assert!(!live.send(&two, "").await.contains("to both"));
    let long = "for n in range(20_000): print('number', n)";
    assert!(live.send(&two, long).await.contains("the whole text is in"));
    let told = live.send(&one, "").await;
    assert!(told.contains("number 19999") && told.contains("the whole text is in"), "{told}");
    // One that calls later is told what happens from then on.
    let three = live.session.join();
    assert!(live.send(&three, "").await.contains("idle"));
    live.end().await;
}

#[cfg(has = "posix")]
#[tokio::test]
async fn what_the_last_client_was_not_told_is_for_the_next() {
    let mut live = Live::start();
    let one = live.session.join();
    let place = tempfile::tempdir().unwrap();
    let [go, done] = ["go", "done"].map(|name| place.path().join(name));
    let later = format!(
        "import os, threading\n\
         def later():\n    \
             open({go:?}).read()\n    \
             print('for the next')\n    \
             open({done:?}, 'w').close()\n\
         os.mkfifo({go:?}), os.mkfifo({done:?}), threading.Thread(target=later).start()"
    );
    live.send(&one, &later).await;
    drop(one);
    let printed = move || std::fs::write(go, "").and_then(|()| std::fs::read(done));
    tokio::task::spawn_blocking(printed).await.unwrap().unwrap();
    let two = live.session.join();
    let told = live.send(&two, "'asked'").await;
    assert!(told.contains("for the next"), "{told}");
    live.end().await;
}

/// What a subscriber's terminal shows, once it shows `expected`.
async fn shows(subscription: &mut mcp_repl::session::client::Subscription, expected: &str) -> Size {
    let mut screen = mcp_repl::screen::Screen::new(Size::default());
    while !screen.page_text().contains(expected) {
        match subscription.next().await.expect("the session goes on") {
            ScreenUpdate::Repaint { size, bytes } => {
                screen = mcp_repl::screen::Screen::new(size);
                screen.feed(&bytes);
            }
            ScreenUpdate::Bytes(bytes) | ScreenUpdate::Echo(bytes) => screen.feed(&bytes),
            _ => {}
        }
    }
    screen.size()
}

#[tokio::test]
async fn who_looks_on_sees_the_screen_types_and_resizes() {
    let mut live = Live::start();
    let client = live.session.join();
    live.send(&client, "print('before')").await;
    let mut subscription = client.subscribe().await.unwrap();
    assert_eq!(shows(&mut subscription, "before").await, Size::default());
    live.send(&client, "name = input('Who? '); print('Hello', name)").await;
    let wider = Size { columns: 132, rows: 50 };
    client.resize(wider);
    client.type_bytes(b"Ada\r".into()).await;
    // What is typed is on its way until it was taken: until then the reader waits.
    assert_eq!(shows(&mut subscription, "Hello Ada").await, wider);
    live.send(&client, "").await;
    let told = live.send(&client, "import os; name, os.get_terminal_size()").await;
    assert!(told.contains("('Ada', os.terminal_size(columns=132, lines=50))"), "{told}");
    // The interrupt key ends what runs.
    let slow = Payload::Text("import time\nwhile True: time.sleep(0.01)".into());
    live.call(&client, slow, Duration::from_millis(50)).await;
    client.type_bytes(vec![3]).await;
    assert!(live.send(&client, "").await.contains("KeyboardInterrupt"));
    live.end().await;
}

#[cfg(has = "posix")]
#[tokio::test]
async fn the_interrupt_key_reaches_a_program_that_reads_in_the_background() {
    let mut live = Live::start();
    let client = live.session.join();
    live.send(&client, "import subprocess\nchild = subprocess.Popen(['cat'])").await;
    // When it reads, and when it has gone, is the machine's affair.
    let struck = tokio::time::timeout(HANG, async {
        while !matches!(live.status(&client).await, Status::Reading { .. }) {}
        client.type_bytes(vec![3]).await;
        while matches!(live.status(&client).await, Status::Reading { .. }) {}
    });
    struck.await.expect("it reads, and ends");
    let told = live.send(&client, "child.wait()").await;
    // The terminal may have echoed the key after the reply before.
    assert!(told.contains("-2\\n\""), "{told}");
    live.end().await;
}
