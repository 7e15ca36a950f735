//! Pictures and documents: shown in the reply, within what clients and models take, and kept in
//! files that it names. A fake worker makes them; what Python makes them of is tested elsewhere.
#![cfg(has = "posix")]

use std::{
    io::Cursor,
    path::{Path, PathBuf},
    process::Command,
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use image::{ImageReader, RgbaImage};
use mcp_repl::{
    reply::{BUDGET, Block},
    screen::Size,
    session::{
        client::{Client, Request},
        engine::{self, Attachments, Config},
        launch::{RuntimeDirectory, Target},
        output_disk::OutputDisk,
        rules::{payload::Payload, state::Paging},
    },
};
use mcp_repl_sideband::PictureLimit;
use serde_json::{Value, json};

use crate::{
    fake_worker::Fake,
    support::{Builder, HANG, assert_has, assert_has_not, text_of},
};

fn start() -> Fake {
    start_with(Builder::new())
}

fn start_with(options: Builder) -> Fake {
    Fake::start_with("does_as_told", options)
}

/// What the worker is told to do.
fn cell(steps: &Value) -> String {
    steps.to_string()
}

/// The reply to a cell of these steps.
#[track_caller]
fn reply(fake: &Fake, steps: &Value) -> Vec<Part> {
    let answer = fake.repl.begin(&cell(steps)).answer();
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    parts(&answer)
}

/// A block of a reply.
#[derive(Debug)]
enum Part {
    Text(String),
    /// Its media type, its pixels, and its length in base64.
    Picture(String, RgbaImage, usize),
}

fn parts(answer: &Value) -> Vec<Part> {
    let part = |block: &Value| match block["type"].as_str().unwrap() {
        "text" => Part::Text(block["text"].as_str().unwrap().to_owned()),
        "image" => {
            let data = block["data"].as_str().unwrap();
            let bytes = BASE64_STANDARD.decode(data).unwrap();
            let reader = ImageReader::new(Cursor::new(&bytes)).with_guessed_format().unwrap();
            let mime = block["mimeType"].as_str().unwrap().to_owned();
            assert_eq!(reader.format().unwrap().to_mime_type(), mime);
            Part::Picture(mime, reader.decode().unwrap().into_rgba8(), data.len())
        }
        other => panic!("{other}"),
    };
    answer["result"]["content"].as_array().unwrap().iter().map(part).collect()
}

/// The text of a reply, with `<640x480>` for a picture.
fn outline(parts: &[Part]) -> String {
    let text = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Picture(_, pixels, _) => format!("<{}x{}>\n", pixels.width(), pixels.height()),
    };
    parts.iter().map(text).collect()
}

fn pictures(parts: &[Part]) -> Vec<(&str, &RgbaImage, usize)> {
    let picture = |part| match part {
        &Part::Picture(ref mime, ref pixels, length) => Some((mime.as_str(), pixels, length)),
        Part::Text(_) => None,
    };
    parts.iter().filter_map(picture).collect()
}

/// The files that a text names, in order, and the text with their names alone.
fn files(text: &str) -> (Vec<PathBuf>, String) {
    let words = text.split_inclusive([' ', '\n', ';', ')']);
    let mut files = Vec::new();
    let short = words.map(|word| {
        let path = word.trim_end_matches([' ', '\n', ';', ')']);
        if !path.starts_with('/') {
            return word.to_owned();
        }
        files.push(PathBuf::from(path));
        let name = Path::new(path).file_name().unwrap().to_string_lossy();
        word.replace(path, &name)
    });
    let short = short.collect();
    (files, short)
}

const RED: [u8; 3] = [255, 0, 0];

#[test]
fn a_picture_comes_in_its_place_and_is_a_file() {
    let fake = start();
    let steps = json!([["print", "one\n"], ["png", 40, 30, RED], ["print", "two\n"]]);
    let parts = reply(&fake, &steps);
    let (files, text) = files(&outline(&parts));
    assert_eq!(text, "one\n[repl] picture: picture-1.png\n<40x30>\ntwo\n");
    let (mime, pixels, _) = pictures(&parts)[0];
    assert_eq!(mime, "image/png");
    assert!(pixels.pixels().all(|pixel| pixel.0 == [255, 0, 0, 255]));
    let file = image::open(&files[0]).unwrap();
    assert_eq!((file.width(), file.height()), (40, 30));
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&files[0]).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // Its number is its own in the session.
    let parts = reply(&fake, &json!([["png", 4, 3, RED]]));
    assert_has(&outline(&parts), "/picture-2.png\n<4x3>\n");
}

#[test]
fn a_picture_that_is_too_large_is_shown_smaller_and_kept_as_it_came() {
    let fake = start();
    let parts = reply(&fake, &json!([["png", 3000, 1000, RED]]));
    let (files, text) = files(&outline(&parts));
    let told =
        "[repl] picture: picture-1.png (3000x1000 pixels, shown here as 1568x522)\n<1568x522>\n";
    assert_eq!(text, told);
    assert!(pictures(&parts)[0].1.pixels().all(|pixel| pixel.0 == [255, 0, 0, 255]));
    assert_eq!(image::image_dimensions(&files[0]).unwrap(), (3000, 1000));
}

#[test]
fn how_large_pictures_are_can_be_lowered_and_the_worker_is_told() {
    let fake = start();
    assert_eq!(
        outline(&reply(&fake, &json!([["limit"]]))),
        "{\"edge\": 1568, \"area\": 1150000}\n"
    );
    let fake = start_with(Builder::new().args(["--image-size", "784"]));
    let parts = reply(&fake, &json!([["limit"], ["png", 3000, 3000, RED], ["png", 784, 300, RED]]));
    let text = outline(&parts);
    assert_has(&text, "{\"edge\": 784, \"area\": 287500}\n");
    assert_has(&text, "<536x536>\n");
    assert_has(&text, "<784x300>\n");
    for wrong in ["0", "99", "1569", "many"] {
        let output = Builder::new().arg(format!("--image-size={wrong}")).output("");
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert_has(&String::from_utf8_lossy(&output.stderr), "a number of pixels, 100 to 1568");
    }
}

#[test]
fn the_pictures_of_a_reply_are_few_and_take_no_more_than_a_client_takes() {
    let fake = start();
    let steps: Vec<Value> = (0..6).map(|_| json!(["noise", 400, 300])).collect();
    let parts = reply(&fake, &json!(steps));
    let shown = pictures(&parts);
    assert_eq!(shown.len(), 4, "{}", outline(&parts));
    let total: usize = shown.iter().map(|(_, _, length)| length).sum();
    assert!(total <= 700_000, "{total}");
    // Each has its share, and is no smaller than need be.
    assert!(shown.iter().all(|(mime, _, length)| *mime == "image/jpeg" && *length > 40_000));
    let (files, text) = files(&outline(&parts));
    for (number, file) in (1..=6).zip(&files) {
        assert_eq!(image::image_dimensions(file).unwrap(), (400, 300));
        let line = text.lines().filter(|line| line.starts_with("[repl] ")).nth(number - 1).unwrap();
        let is_shown = !line.ends_with("(not shown here: a reply shows 4 pictures)");
        assert_eq!(is_shown, [1, 2, 5, 6].contains(&number), "{line}");
    }
}

#[test]
fn what_is_no_picture_or_a_broken_one_is_told_kept_and_harms_nobody() {
    let fake = start();
    let png =
        |data: &[u8]| json!(["image", {"mime": "image/png", "data": BASE64_STANDARD.encode(data)}]);
    let mut bomb =
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\0\0\0\x01\0\0\x08\x02\0\0\0\xad\xb1\x6c\xa4".to_vec();
    bomb.extend(b"\0\0\0\x04IDAT\x78\x9c\x03\0");
    let steps = json!([
        png(b"plain text"),
        ["cut"],
        png(&bomb),
        ["image", {"mime": "image/png", "data": "no base64 at all"}],
        ["image", {"mime": "image/svg+xml", "data": "PHN2Zz4="}],
        ["print", "end\n"],
    ]);
    let parts = reply(&fake, &steps);
    assert!(pictures(&parts).is_empty());
    let (files, text) = files(&outline(&parts));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "[repl] picture: picture-1.png (image/png)");
    let damaged = "[repl] picture: picture-2.png (not shown here: it can't be decoded: ";
    assert!(lines[1].starts_with(damaged), "{text}");
    assert!(lines[2].starts_with("[repl] picture: picture-3.png (not shown here: "), "{text}");
    let wrong = "[repl] picture (image/png; not kept on disk: its data is no base64)";
    assert_eq!(lines[3..], [wrong, "[repl] SVG drawing: drawing-5.svg", "end"]);
    assert_eq!(std::fs::read(&files[0]).unwrap(), b"plain text");
    assert_eq!(std::fs::read(&files[2]).unwrap(), bomb);
    assert_eq!(outline(&reply(&fake, &json!([["print", "next\n"]]))), "next\n");
}

#[test]
fn documents_are_files_whose_names_have_nothing_from_outside() {
    let fake = start();
    let document = |mime: &str| json!(["document", {"mime": mime, "data": "PGI+"}]);
    let steps = json!([
        document("text/html"),
        document("image/svg+xml"),
        document("application/vnd.vegalite.v5+json"),
        document("application/../../x"),
        ["too_large", {"mime": "image/png", "bytes": 123_456_789}],
    ]);
    let parts = reply(&fake, &steps);
    let (files, text) = files(&outline(&parts));
    assert_eq!(
        text,
        "[repl] HTML page: page-1.html\n\
         [repl] SVG drawing: drawing-2.svg\n\
         [repl] document: document-3.json (application/vnd.vegalite.v5+json)\n\
         [repl] document: document-4.bin (application/../../x)\n\
         [repl] not kept: image/png of 123456789 bytes, which is too large\n"
    );
    for file in files {
        assert_eq!(std::fs::read(file).unwrap(), b"<b>");
    }
}

#[test]
fn a_client_that_takes_no_pictures_gets_their_names() {
    let fake = start_with(Builder::new().args(["--images", "file"]));
    let parts = reply(&fake, &json!([["png", 40, 30, RED], ["png", 3000, 3000, RED]]));
    assert!(pictures(&parts).is_empty());
    let (files, text) = files(&outline(&parts));
    assert_eq!(text, "[repl] picture: picture-1.png\n[repl] picture: picture-2.png\n");
    assert_eq!(image::image_dimensions(&files[1]).unwrap(), (3000, 3000));
    let output = Builder::new().args(["--images", "both"]).output("");
    assert_has(&String::from_utf8_lossy(&output.stderr), "one of `inline` and `file`");
}

#[test]
fn a_picture_comes_with_the_prompt_behind_it() {
    let fake = start();
    let parts = reply(&fake, &json!([["png", 4, 3, RED], ["print", "> "], ["asks"]]));
    assert_eq!(files(&outline(&parts)).1, "[repl] picture: picture-1.png\n<4x3>\n> ");
    assert_eq!(fake.repl.repl("answer"), "<<repl status: idle>>\n");
}

#[test]
fn a_cancel_that_crosses_the_reply_loses_no_picture_and_a_poll_repeats_none() {
    let fake = start();
    let fifo = fake.repl.directory().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for number in 1..=60_u32 {
        let call = fake.repl.begin(&cell(&json!([["says", fifo], ["png", 300, 200, RED]])));
        assert_eq!(std::fs::read(&fifo).unwrap(), b"!");
        (0..number * 5000).for_each(|_| std::hint::spin_loop());
        fake.repl.notify("notifications/cancelled", &json!({"requestId": call.id}));
        let (mut told, mut name) = (Vec::new(), String::new());
        // Until the cell is over and all was told.
        while !name.contains("status: idle") {
            let answer = fake.repl.begin("").answer();
            name = text_of(&answer);
            told.push(answer);
        }
        let id = call.id;
        told.extend(fake.repl.messages(|message| message["id"] == id));
        let all: String = told.iter().map(text_of).collect();
        assert_eq!(all.matches("<image/png>").count(), 1, "{all}");
        assert_eq!(all.matches(&format!("/picture-{number}.png")).count(), 1, "{all}");
    }
}

#[test]
fn files_of_pictures_count_among_those_of_long_outputs() {
    let fake = start_with(Builder::new().args(["--max-output-disk", "10000"]));
    let document =
        |length: usize| json!([["document", {"mime": "text/html", "data": "A".repeat(length)}]]);
    let first = files(&outline(&reply(&fake, &document(6000)))).0;
    let second = outline(&reply(&fake, &document(6000)));
    assert_has_not(&second, "deleted");
    let third = outline(&reply(&fake, &document(6000)));
    let told = format!("at most 10000 bytes on disk: deleted {}\n", first[0].display());
    assert_has(&third, &told);
    assert!(!first[0].exists());
    let parts = reply(&fake, &document(8000));
    assert_eq!(outline(&parts), "[repl] HTML page (not kept on disk: one may take 5000 bytes)\n");
}

/// `exec` with these arguments and the worker that does as it is told, in a directory.
#[track_caller]
fn exec(directory: &Path, arguments: &[&str], steps: &Value) -> (String, String) {
    let words = crate::support::fake_worker("does_as_told", &directory.join("file"));
    let options = Builder::new().directory(directory).arg("exec").worker(words);
    let output = options.args(arguments).arg(cell(steps)).output("");
    assert_eq!(output.status.code(), Some(0));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn exec_writes_pictures_to_a_directory_and_says_so_or_that_it_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let document = json!(["document", {"mime": "text/html", "data": "PGI+"}]);
    let steps = json!([["limit"], ["png", 3000, 2000, RED], document, ["print", "two\n"]]);
    // The worker draws as large as the program says.
    let printed = format!("{{\"edge\": {0}, \"area\": {0}}}\ntwo\n", u32::MAX);
    let told = exec(directory.path(), &["--images", "out/new"], &steps);
    let notes = "[repl] out/new/picture-1.png\n[repl] out/new/page-2.html\n";
    assert_eq!(told, (printed.clone(), notes.into()));
    let file = directory.path().join("out/new/picture-1.png");
    assert_eq!(image::image_dimensions(file).unwrap(), (3000, 2000));
    let directory = tempfile::tempdir().unwrap();
    let told = exec(directory.path(), &[], &steps);
    let notes = "[repl] picture-1.png (image/png) was not kept; `--images DIR` writes it there\n\
                 [repl] page-2.html (text/html) was not kept; `--images DIR` writes it there\n";
    assert_eq!(told, (printed, notes.into()));
}

#[test]
fn json_has_pictures_as_base64_or_paths() {
    let directory = tempfile::tempdir().unwrap();
    let steps: Vec<Value> = (0..30).map(|_| json!(["png", 4, 3, RED])).collect();
    let (told, _) = exec(directory.path(), &["--json"], &json!(steps));
    let told: Value = serde_json::from_str(&told).unwrap();
    let content = told["content"].as_array().unwrap();
    assert_eq!(content.iter().filter(|part| part["type"] == "image").count(), 30);
    assert_eq!(content[0]["mimeType"], "image/png");
    let bytes = BASE64_STANDARD.decode(content[0]["data"].as_str().unwrap()).unwrap();
    assert_eq!(image::load_from_memory(&bytes).unwrap().width(), 4);
    let directory = tempfile::tempdir().unwrap();
    let (told, notes) = exec(directory.path(), &["--json", "--images", "."], &json!(steps[..1]));
    let told: Value = serde_json::from_str(&told).unwrap();
    let wanted = json!({"type": "image", "mimeType": "image/png", "path": "./picture-1.png"});
    assert_eq!((&told["content"][0], notes.as_str()), (&wanted, ""));
    assert!(directory.path().join("picture-1.png").exists());
}

#[tokio::test]
async fn each_client_gets_each_picture() {
    let directory = tempfile::tempdir().unwrap();
    let [program, arguments @ ..] =
        crate::support::fake_worker("does_as_told", &directory.path().join("file"));
    let arguments = arguments.into_iter().map(Into::into).collect();
    let config = Config {
        target: Target::Custom(program.into(), arguments),
        runtime: RuntimeDirectory::new().unwrap(),
        surroundings: Default::default(),
        paging: Paging::Through,
        is_size_pinned: false,
        size: Size::default(),
        budget: BUDGET.into(),
        attachments: Attachments::Kept(PictureLimit { edge: 1568, area: 1_150_000 }),
        output_disk: OutputDisk::default(),
        recording: None,
    };
    let (session, engine) = engine::start(config).unwrap();
    let clients = [session.join(), session.join(), session.join()];
    let call = async |client: &Client, payload| {
        let reply = client.call(Request::new(payload, HANG)).await;
        let blocks = reply.unwrap().merged();
        let pictures = blocks.iter().filter(|block| matches!(block, Block::Image { .. })).count();
        (pictures, format!("{blocks:?}"))
    };
    for client in &clients {
        call(client, Payload::poll()).await;
    }
    let steps = json!([["png", 40, 30, RED], ["png", 3000, 3000, RED]]);
    call(&clients[0], Payload::Text(cell(&steps))).await;
    for client in &clients[1..] {
        let (pictures, told) = call(client, Payload::poll()).await;
        assert_eq!(pictures, 2, "{told}");
        assert_has(&told, "/picture-1.png");
        assert_has(&told, "/picture-2.png (3000x3000 pixels, shown here as 1072x1072)");
    }
    session.shutdown();
    engine.await.unwrap();
}
