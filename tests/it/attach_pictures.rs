//! `mcp-repl attach` where programs show pictures: on the terminal where that can, else by their
//! names.
#![cfg(has = "person")]

use crate::support::{Graphics, IDLE, Runtime, Server, Terminal, assert_has, assert_has_not};

/// `picture(width, height)` is a value that shows itself as a red picture.
const MAKE: &str = "\
import struct, sys, zlib
def picture(width, height):
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    png = (b'\\x89PNG\\r\\n\\x1a\\n'
        + chunk(b'IHDR', struct.pack('>2I5B', width, height, 8, 2, 0, 0, 0))
        + chunk(b'IDAT', zlib.compress((b'\\0' + b'\\xff\\0\\0' * width) * height)) + chunk(b'IEND', b''))
    return type('Picture', (), {'_repr_png_': lambda self: png})()";

/// What begins a picture in each protocol.
const KITTY: &str = "\x1b_Ga=T,f=100,C=1,q=2,m=0;iVBOR";
const ITERM2: &str = "\x1b]1337;File=inline=1;size=";
const SIXEL: &str = "\x1bP0;1q\"1;1;30;41#0;2;100;0;0";
const QUESTION: &str = "\x1b_Gi=31";

/// An agent, and a person whose terminal shows pictures so.
#[track_caller]
fn two(runtime: &Runtime, graphics: Graphics, arguments: &[&str]) -> (Server, Terminal) {
    let agent = runtime.agent();
    agent.gives(MAKE, IDLE);
    let mut builder = runtime.attaching(arguments);
    for name in ["TMUX", "STY", "ZELLIJ", "TERM_PROGRAM", "LC_TERMINAL"] {
        builder = builder.env_remove(name);
    }
    let mut person = Terminal::run_with(builder, graphics);
    person.is_at_prompt();
    (agent, person)
}

fn bytes(person: &Terminal) -> String {
    String::from_utf8_lossy(&person.bytes).into_owned()
}

#[test]
fn a_picture_of_either_is_shown_in_the_terminals_own_protocol_above_the_prompt() {
    let all = [(Graphics::Kitty, KITTY), (Graphics::Iterm2, ITERM2), (Graphics::Sixel, SIXEL)];
    for (graphics, begin) in all {
        let runtime = Runtime::new();
        let (agent, mut person) = two(&runtime, graphics, &[]);
        // Nothing is asked before there is a picture.
        assert_has_not(&bytes(&person), QUESTION);
        person.types("half");
        person.ends_with(">>> half");
        assert_has(&agent.repl("picture(30, 41)"), "[repl] picture: ");
        // Of three rows of 20 pixels; the line that was begun stands below.
        person.shows_when("the picture's rows", |page| {
            page.ends_with("[agent] >>> picture(30, 41)\n\n\n\n>>> half")
        });
        assert_has(&bytes(&person), begin);
        assert_has_not(&person.page(), "[repl] picture");
        person.types("\x03");
        person.ends_with("\n>>>");
        person.types("print('a', end='') or sys.displayhook(picture(30, 21)) or print('b')\r");
        person.shows_when("both", |page| page.ends_with("\na\n\n\nb\n>>>"));
        person.types("'on'\r");
        person.ends_with("'on'\n>>>");
        assert_has_not(&person.page(), "[repl] picture");
        let bytes = bytes(&person);
        assert_eq!(bytes.matches(QUESTION).count(), 1, "asked once");
        person.types("\x1dd");
        assert_eq!(person.ends().0, 0);
    }
}

#[test]
fn where_the_terminal_has_none_or_they_are_not_wanted_they_are_named() {
    for (graphics, arguments) in
        [(Graphics::None, &[][..]), (Graphics::Kitty, &["--no-pictures"][..])]
    {
        let runtime = Runtime::new();
        let (agent, mut person) = two(&runtime, graphics, arguments);
        agent.repl("picture(30, 41)");
        person.shows_when("its path", |page| {
            page.contains("[repl] picture: /") && page.contains("picture-1.png\n>>>")
        });
        person.types("picture(3, 4)\r");
        person.shows_when("its path", |page| page.contains("picture-2.png\n>>>"));
        assert_eq!(person.page().matches("picture-2.png").count(), 1, "{}", person.page());
        let is_asked = bytes(&person).contains(QUESTION);
        assert_eq!(is_asked, arguments.is_empty());
        assert_has_not(&bytes(&person), KITTY);
    }
}

#[test]
fn what_the_terminal_answers_reaches_no_program() {
    let runtime = Runtime::new();
    let (agent, mut person) = two(&runtime, Graphics::Sixel, &[]);
    agent.gives(
        "import os, tty, termios\ndef keys():\n    modes = termios.tcgetattr(0)\n    \
         tty.setraw(0)\n    sys.displayhook(picture(30, 41))\n    os.write(1, b'keys?')\n    \
         got = b''\n    while not got.endswith(b'q'): got += os.read(0, 99)\n    \
         termios.tcsetattr(0, termios.TCSANOW, modes)\n    return got",
        IDLE,
    );
    person.shows("return got\n>>>");
    person.types("keys()\r");
    person.ends_with("keys?");
    assert_has(&bytes(&person), SIXEL);
    person.types("xq");
    person.shows("b'xq'\n>>>");
}

#[test]
fn one_that_comes_while_a_program_has_the_whole_screen_is_shown_behind_that() {
    let runtime = Runtime::new();
    let (agent, mut person) = two(&runtime, Graphics::Kitty, &[]);
    agent.gives(
        "def full():\n    print('\\033[?1049h\\033[Hfull', end='', flush=True)\n    \
         sys.displayhook(picture(30, 41))\n    input('go on? ')\n    \
         print('\\033[?1049l', end='', flush=True)",
        IDLE,
    );
    person.shows("1049l', end='', flush=True)\n>>>");
    person.types("full()\r");
    person.ends_with("go on?");
    assert_has_not(&bytes(&person), QUESTION);
    person.types("\r");
    person.shows_when("its rows", |page| page.ends_with(">>> full()\n\n\n\n>>>"));
    assert_has(&bytes(&person), KITTY);
}

#[test]
fn a_picture_that_cannot_be_decoded_is_named() {
    let runtime = Runtime::new();
    let (agent, mut person) = two(&runtime, Graphics::Kitty, &[]);
    let broken =
        "type('Broken', (), {'_repr_png_': lambda self: b'\\x89PNG\\r\\n\\x1a\\n' + b'x' * 99})()";
    agent.repl(broken);
    person.shows_when("its path", |page| page.contains("picture-1.png") && page.ends_with(">>>"));
    person.types("'on'\r");
    person.ends_with("'on'\n>>>");
    assert_has_not(&bytes(&person), KITTY);
}
