//! Parts of long outputs, read from files.

use super::*;

fn part_of(text: &str) -> Result<Part, ShowError> {
    Wanted::parse(text).map(|wanted| wanted.part)
}

/// What is shown of an output with this text.
#[track_caller]
fn show(text: &str, part: &str, room: usize) -> Result<String, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("output-1.txt");
    std::fs::write(&path, text).unwrap();
    let part = part_of(part).unwrap_or_else(|error| panic!("{error}"));
    let deadline = Instant::now() + Duration::from_secs(60);
    read(&path, &part, room, deadline).map_err(|error| error.to_string())
}

/// 100 lines.
fn lines() -> String {
    (1..=100).map(|number| format!("line {number}\n")).collect()
}

#[test]
fn lines_are_shown_as_they_are() {
    let text = lines();
    let shown = show(&text, "lines 9-11", 1000).unwrap();
    assert_eq!(shown, "[repl] lines 9-11 of output-1\nline 9\nline 10\nline 11\n");
    let shown = show(&text, " lines  99- ", 1000).unwrap();
    assert_eq!(shown, "[repl] lines 99-100 of output-1\nline 99\nline 100\n");
    assert_eq!(show(&text, "line 7", 7).unwrap(), "[repl] lines 7-7 of output-1\nline 7\n");
    let shown = show("one\n[repl] two", "lines 1-9", 1000).unwrap();
    assert_eq!(shown, "[repl] lines 1-2 of output-1\none\n\\[repl] two\n");
    let behind = show(&text, "lines 101-200", 1000);
    assert_eq!(behind, Err("output-1 ends with line 100".into()));
    assert_eq!(show("a\nb", "line 3", 9), Err("output-1 ends with line 2".into()));
}

#[test]
fn lines_that_have_no_room_are_named() {
    let shown = show(&lines(), "lines 10-90", 20).unwrap();
    let told = "[repl] lines 10-11 of output-1\nline 10\nline 11\n[repl] … lines 12-90 left out \
                here; show \"lines 12-90\" goes on\n";
    assert_eq!(shown, told);
    let long = format!("{}\nshort\n", "é".repeat(100_000));
    let shown = show(&long, "lines 1-2", 4).unwrap();
    let told = "[repl] lines 1-1 of output-1\néééé\n[repl] … the rest of this line is left out \
                here: it is too long; show \"lines 2-2\" goes on behind it\n";
    assert_eq!(shown, told);
    assert_eq!(show(&long, "lines 2-", 9).unwrap(), "[repl] lines 2-2 of output-1\nshort\n");
}

#[test]
fn the_end_is_found_from_behind() {
    let text = lines();
    let shown = show(&text, "tail 2", 1000).unwrap();
    assert_eq!(shown, "[repl] lines 99-100 of output-1\nline 99\nline 100\n");
    assert_eq!(show("a\nb", "tail 9", 9).unwrap(), "[repl] lines 1-2 of output-1\na\nb\n");
    let shown = show(&text, "tail 50", 20).unwrap();
    let told = "[repl] … lines 51-98 left out here; show \"lines 51-98\" reads it\n\
                [repl] lines 99-100 of output-1\nline 99\nline 100\n";
    assert_eq!(shown, told);
    let long = format!("short\n{}end\n", "x".repeat(100_000));
    let shown = show(&long, "tail 2", 6).unwrap();
    let told = "[repl] … the start of line 2 left out here: it is too long\n\
                [repl] lines 2-2 of output-1\nxxend\n";
    assert_eq!(shown, told);
}

#[test]
fn what_matches_is_shown_with_its_number_and_what_is_around() {
    let text = lines();
    let shown = show(&text, "/^line (20|21|50)$/", 1000).unwrap();
    let told = "18-line 18\n19-line 19\n20:line 20\n21:line 21\n22-line 22\n23-line 23\n--\n\
                48-line 48\n49-line 49\n50:line 50\n51-line 51\n52-line 52\n";
    assert_eq!(shown, told);
    let shown = show(&text, "/0$/", 40).unwrap();
    let told = "8-line 8\n9-line 9\n10:line 10\n11-line 11\n[repl] … 9 more matching lines left \
                out here; show \"/0$/ from 20\" goes on\n";
    assert_eq!(shown, told);
    assert!(show(&text, "/0$/ from 98", 1000).unwrap().ends_with("99-line 99\n100:line 100\n"));
    let none = show(&text, "/nothing/ from 3", 1000).unwrap();
    assert_eq!(none, "[repl] none of lines 3-100 of output-1 matches /nothing/\n");
    // Also far in a long line.
    let long = format!("{}needle{}\n", "é".repeat(50_000), "x".repeat(50_000));
    let shown = show(&long, "/needle/", 1000).unwrap();
    assert!(shown.starts_with("1:…é") && shown.contains("éneedlex"), "{shown}");
    assert!(shown.chars().count() < 600, "{shown}");
}

#[test]
fn time_that_is_up_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("output-1.txt");
    // Also where it takes an expression long to be found in what was read at once.
    std::fs::write(&path, format!("{:63}\n", "line").repeat(2000)).unwrap();
    let shown = read(&path, &part_of("/none/").unwrap(), 100, Instant::now()).unwrap();
    let told = "[repl] none of lines 1-1 of output-1 matches /none/\n[repl] … the time was up at \
                line 2; show \"/none/ from 2\" goes on\n";
    assert_eq!(shown, told);
}

#[test]
fn what_is_no_part_is_refused_with_what_is_one() {
    for wrong in [
        "",
        "lines",
        "lines 0-3",
        "lines 5-3",
        "lines x",
        "tail",
        "tail -3",
        "all",
        "/",
        "//",
        "/x",
        "/x/ to 3",
        "output-",
        "output-x tail 3",
        "output-3",
        "../../etc/passwd",
        "head 3",
    ] {
        let error = part_of(wrong).expect_err(wrong).to_string();
        assert!(error.contains("lines 2000-2100") && error.contains("output-3 "), "{error}");
    }
    let wanted = Wanted::parse("output-3.txt /a/b/ from 7").unwrap();
    assert_eq!(wanted.output, Some(3));
    assert!(matches!(wanted.part, Part::Matches { regex, from: 7 } if regex.as_str() == "a/b"));
    for (wrong, why) in [("/(/", "unclosed group"), (r"/\w{5000}/", "exceeds size limit")] {
        let error = part_of(wrong).expect_err(wrong).to_string();
        assert!(error.starts_with("the regular expression can't be used: "), "{error}");
        assert!(error.contains(why) && !error.contains('\n'), "{error}");
    }
}

#[tokio::test]
async fn the_output_is_the_last_one_or_one_by_its_number() {
    let directory = tempfile::tempdir().unwrap();
    let file = |number: u64| directory.path().join(format!("output-{number}.txt"));
    std::fs::write(file(1), "one\n").unwrap();
    std::fs::write(file(2), "two\n").unwrap();
    let shows = Shows::default();
    let ask = async |part: &str, last: Option<PathBuf>| {
        let (answer, shown) = oneshot::channel();
        shows.show(part, directory.path(), last, 100, answer);
        shown.await.unwrap()
    };
    let two = "[repl] lines 1-1 of output-2\ntwo\n";
    assert_eq!(ask("tail 3", Some(file(2))).await.unwrap(), two);
    let one = ask("output-1 tail 3", Some(file(2))).await.unwrap();
    assert_eq!(one, "[repl] lines 1-1 of output-1\none\n");
    assert!(ask("tail 3", None).await.unwrap_err().starts_with("no reply to this client"));
    let gone = ask("output-3 tail 3", None).await.unwrap_err();
    assert!(gone.starts_with("output-3 is not there"), "{gone}");
    assert!(ask("nonsense", None).await.is_err());
}
