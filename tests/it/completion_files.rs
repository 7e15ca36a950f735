//! Completions of the names of files in strings: where a string is one as Python's own tokenizer has
//! it, that what is put there names the file, and that no directory holds a cell up.
#![cfg(has = "posix")]

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
};

use crate::{
    completion::{Live, on_every_python},
    support::{IDLE, python, quoted},
};

/// A session of which this is the working directory.
async fn enter(live: &Live, directory: &Path) {
    assert_eq!(live.send(&format!("import os; os.chdir({})", quoted(directory))).await, IDLE);
}

/// Names that are hard to write, and how many of them can be in a raw string, and in a raw one of
/// bytes, each with quotes of both kinds.
const NAMES: [(&[u8], bool, bool); 12] = [
    (b"plain.txt", true, true),
    (b"with blanks .txt", true, true),
    (b"br{ac}e{s}", true, true),
    (b"back\\slash", true, true),
    ("wärme-漢".as_bytes(), true, false),
    (b"it's", false, false),
    (b"\"said\"", false, false),
    (b"ends\\", false, false),
    (b"tab\tnew\nline\x1b[31m", false, false),
    (b"no utf-8 \xff\xfe", false, false),
    ("right \u{202e} to left \u{f0000}".as_bytes(), false, false),
    (b"\\N{DASH}\\x41\\", false, false),
];

#[tokio::test]
async fn what_is_put_in_a_string_names_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("d");
    fs::create_dir(&place).unwrap();
    for (name, ..) in NAMES {
        fs::write(place.join(OsStr::from_bytes(name)), "").unwrap();
    }
    on_every_python(async |live| {
        enter(live, directory.path()).await;
        for prefix in ["", "r", "b", "Rb", "f", "Fr", "u"] {
            for quote in ["'", "\"", "'''", "\"\"\""] {
                let known = live.completes(&format!("open({prefix}{quote}d/|")).await.matches;
                let (is_raw, is_bytes) = (prefix.contains(['r', 'R']), prefix.contains('b'));
                let other = if quote.contains('\'') { &b"\"said\""[..] } else { b"it's" };
                let written = NAMES.iter().filter(|(name, in_raw, in_raw_bytes)| {
                    !is_raw || *name == other || if is_bytes { *in_raw_bytes } else { *in_raw }
                });
                assert_eq!(known.len(), written.count(), "{prefix}{quote}: {known:?}");
                let literals: Vec<String> =
                    known.iter().map(|name| format!("{prefix}{quote}d/{name}{quote}")).collect();
                let count =
                    format!("len({{os.stat(name).st_ino for name in [{}]}})", literals.join(", "));
                assert_eq!(live.send(&count).await, format!("{}\n", known.len()), "{count}");
                // Each is found again by what is written of it, an escape that has come in part included.
                for name in &known {
                    for (end, _) in name.char_indices().skip(1) {
                        let cell = format!("{prefix}{quote}d/{}|", &name[..end]);
                        let found = live.completes(&cell).await.matches;
                        // Within the number of a character, or between two braces, it is another one.
                        let is_cut = name[..end].ends_with(['{', '}'])
                            || name[..end]
                                .rfind('\\')
                                .is_some_and(|at| (2..10).contains(&(end - at)));
                        assert!(found.contains(name) || is_cut, "{cell}: {found:?}");
                    }
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn files_are_known_in_strings_and_nowhere_else() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("qqfile"), "").unwrap();
    on_every_python(async |live| {
        enter(live, directory.path()).await;
        let version = live.send("import sys; sys.version_info >= (3, 12)").await;
        let nests_strings = version == "True\n";
        for cell in [
            "'qq|",
            "x = \"qq|",
            "'''qq|",
            "r\"\"\"qq|\"\"\"",
            "f'qq|",
            "f'qq|{x}'",
            "f'{{'; 'qq|",
            "{'a': 1}['qq|",
            "print('a', \"b\", '''c\n''', 'qq|",
            "'not closed\n'qq|",
            "'escaped \\' quote' + 'qq|",
            "r'\\' ' + 'qq|",
            "# '\n'qq|",
            "f'{x!r:>{width}}' 'qq|",
            "f'{d[\"a\"]}' + \"qq|",
            "f'{open(\"qq|",
            "f'''{open(\"qq|",
            "f\"{x:%H:%M}\" 'qq|",
            "f'\\N{DASH}'; 'qq|",
            "f'{x}' f'qq|",
            "if 1:'qq|",
        ] {
            let known = live.completes(cell).await.matches;
            assert_eq!(known, ["qqfile"], "{cell}");
        }
        for cell in [
            "qq|",
            "'a' qq|",
            "# 'qq|",
            "f'{qq|",
            "f'{x + qq|",
            "f'{x:qq|",
            "f'{x}/qq|",
            "f'{x!r}qq|",
            "f'{{{qq|",
            "f'{ {\"a\": qq|",
            "'''\nqq|",
            "'a\\\nb\\nqq|",
            "'''a''' qq|",
            "f'''{\nqq|",
            "b'é/qq|",
            "'\\0qq|",
            "f'}qq|",
        ] {
            live.knows_nothing(cell).await;
        }
        // The same quotes in an expression: a string of its own (PEP 701), or the end of the outer one.
        let nested = live.completes("f'{open('qq|").await.matches;
        assert_eq!(nested.is_empty(), !nests_strings);
        let nested = live.completes("f'{open('') + qq|").await.matches;
        assert_eq!(nested, [""; 0]);
        // However deep.
        for part in ["f'{", "f'''{f\"{", "{", "f'{x:{", "\\"] {
            live.completes(&format!("{}|", part.repeat(100_000))).await;
        }
        live.knows("'qq|", 1, &["qqfile"]).await;
    })
    .await;
}

#[tokio::test]
async fn paths_begin_at_the_sessions_directory_the_home_or_the_root() {
    let directory = tempfile::tempdir().unwrap();
    let (work, home) = (directory.path().join("work"), directory.path().join("home"));
    for place in [&work, &home, &home.join("deep er"), &work.join("be'low")] {
        fs::create_dir(place).unwrap();
    }
    for file in ["work/be'low/x-file", "home/deep er/y-file", "home/.x-hidden", "work/x-own"] {
        fs::write(directory.path().join(file), "").unwrap();
    }
    symlink(work.join("be'low"), work.join("x-link")).unwrap();
    symlink("nothing", work.join("x-broken")).unwrap();
    on_every_python(async |live| {
        enter(live, &work).await;
        let set = format!("os.environ['HOME'] = {}", quoted(&home));
        assert_eq!(live.send(&set).await, IDLE);
        live.knows("'x|", 1, &["x-broken", "x-link/", "x-own"]).await;
        live.knows("'x-link/|", 8, &["x-file"]).await;
        live.knows("'be\\'l|", 1, &["be\\'low/"]).await;
        live.knows("'be\\|", 1, &["be\\'low/"]).await;
        live.knows("'be\\'low/|", 9, &["x-file"]).await;
        live.knows("'be\\x27low/x|", 11, &["x-file"]).await;
        live.knows("'be\\47low\\x2fx|", 13, &["x-file"]).await;
        live.knows("'~|", 1, &["~/"]).await;
        live.knows("'~/d|", 3, &["deep er/"]).await;
        live.knows("'~/deep er/|", 11, &["y-file"]).await;
        live.knows("'~/|", 3, &["deep er/"]).await;
        live.knows("'~/.x|", 3, &[".x-hidden"]).await;
        live.knows("'..|", 1, &["../"]).await;
        live.knows("'../w|", 4, &["work/"]).await;
        live.has("'/|", 2, &["tmp/", "usr/"], &[]).await;
        live.knows_nothing("'x-own/|").await;
        let root = "'/".len() + directory.path().to_str().unwrap().len();
        live.knows(&format!("'{}/w|", directory.path().display()), root, &["work/"]).await;
    })
    .await;
}

#[tokio::test]
async fn of_very_many_files_the_first_and_the_last_are_told() {
    let directory = tempfile::tempdir().unwrap();
    for n in 0..1200 {
        fs::write(directory.path().join(format!("f{n:04}")), "").unwrap();
    }
    let live = Live::of_python(&python::default()).await;
    enter(&live, directory.path()).await;
    let known = live.completes("'f|").await.matches;
    let named = |name: usize| known[name].as_str();
    assert_eq!((known.len(), named(0), named(498), named(499)), (500, "f0000", "f0498", "f1199"));
    live.has("'f11|", 1, &["f1100", "f1199"], &["f0000"]).await;
    // Names of the session, too.
    assert_eq!(live.send("for n in range(1200): globals()[f'f{n:04}'] = n").await, IDLE);
    let known = live.completes("f|").await.matches;
    assert_eq!((known.len(), known[499].as_str()), (500, "frozenset("));
    live.end().await;
}

/// Has directories never open from here on, as those on a network do that has gone: the kernel waits for
/// the word of a supervisor (seccomp_unotify(2)), which never comes.
#[cfg(has = "proc")]
const DIRECTORIES_HANG: &str = "\
    import ctypes, os, struct\n\
    openat, seccomp = {'x86_64': (257, 317), 'aarch64': (56, 277)}[os.uname().machine]\n\
    program = [\n\
        (0x20, 0, 0, 0), (0x15, 0, 3, openat), (0x20, 0, 0, 32), (0x45, 0, 1, os.O_DIRECTORY),\n\
        (0x06, 0, 0, 0x7fc00000), (0x06, 0, 0, 0x7fff0000)]\n\
    code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *one) for one in program))\n\
    filter = struct.pack('HxxxxxxP', len(program), ctypes.addressof(code))\n\
    libc = ctypes.CDLL(None, use_errno=True)\n\
    number = lambda n: ctypes.c_long(n)\n\
    assert libc.prctl(38, number(1), number(0), number(0), number(0)) == 0\n\
    listener = libc.syscall(number(seccomp), number(1), number(8), filter)\n\
    assert listener >= 0, ctypes.get_errno()";

#[cfg(has = "proc")]
#[tokio::test]
async fn a_directory_that_never_answers_holds_up_no_cell() {
    let live = Live::of_python(&python::default()).await;
    assert_eq!(live.send(DIRECTORIES_HANG).await, IDLE);
    // More of them than there may be threads for.
    for n in 0..6 {
        let looked = tokio::spawn({
            let session = live.session.clone();
            async move { session.join().complete("'a".into(), 2).await }
        });
        assert_eq!(live.send(&format!("{n} + 1")).await, format!("{}\n", n + 1));
        assert_eq!(looked.await.unwrap().matches, [""; 0]);
        live.knows_nothing("'a|").await;
        live.has("prin|", 0, &["print("], &[]).await;
    }
    assert_eq!(live.send("6 * 7").await, "42\n");
    live.end().await;
}
