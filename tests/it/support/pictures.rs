//! Sessions with plotting packages, and looking at the pictures of a reply.

use std::{path::PathBuf, process::Command, sync::Mutex};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{Builder, Server, packages::environment, python, replies::text_of};

/// What is installed; each has releases for the oldest and the newest Python.
const REQUIREMENTS: &str = "matplotlib>=3.9,<3.12
seaborn>=0.13,<0.14
pandas>=2.2,<4
pillow>=11,<14
plotly>=6,<8
altair>=5.5,<7
bokeh>=3.4,<4
ipython>=8.18,<10
";

/// What a reply shows.
pub(crate) struct Shown {
    /// Its text without notices; a picture is `<image/png>`.
    pub(crate) text: String,
    pub(crate) pictures: Vec<Picture>,
}

/// A picture, decoded.
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Red, green and blue of each pixel, line by line.
    pixels: Vec<[u8; 3]>,
}

/// The Python of this version with the packages.
fn with_packages(version: &str) -> PathBuf {
    static WARM: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let base = python::of_version(version);
    let python = environment(&format!("pictures-{version}"), &base, REQUIREMENTS);
    let mut warm = WARM.lock().unwrap();
    if !warm.iter().any(|known| known == version) {
        // The first import makes a list of the machine's fonts and says so.
        let import = ["-c", "import matplotlib.font_manager"];
        assert!(Command::new(&python).args(import).output().unwrap().status.success());
        warm.push(version.to_owned());
    }
    python
}

/// How to start a session of the newest Python with the packages, without a display.
pub(crate) fn plain() -> Builder {
    of_version(python::versions().last().expect("a Python is tested"))
}

fn of_version(version: &str) -> Builder {
    let builder = Builder::new().python(with_packages(version));
    ["DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND", "BROWSER"]
        .into_iter()
        .fold(builder, Builder::env_remove)
}

/// A session of the newest Python with the packages.
pub(crate) fn session() -> Server {
    plain().start()
}

/// Runs a test in sessions of the oldest and the newest Python, with the packages.
pub(crate) fn on_oldest_and_newest(test: impl Fn(&Server)) {
    let versions: Vec<_> = python::versions().collect();
    let [oldest, newest] = [0, versions.len() - 1].map(|place| versions[place]);
    for version in if oldest == newest { vec![newest] } else { vec![oldest, newest] } {
        eprintln!("with Python {version}:");
        test(&of_version(version).start());
    }
}

impl Server {
    /// What the reply to a payload shows.
    #[track_caller]
    pub(crate) fn shows(&self, input: &str) -> Shown {
        Shown::of(&self.begin(input).answer())
    }
}

impl Shown {
    #[track_caller]
    pub(crate) fn of(answer: &Value) -> Shown {
        let blocks = answer["result"]["content"].as_array();
        let blocks = blocks.unwrap_or_else(|| panic!("no result: {answer}"));
        let pictures = blocks.iter().filter(|block| block["type"] == "image").map(|block| {
            assert_eq!(block["mimeType"], "image/png");
            Picture::decode(&STANDARD.decode(block["data"].as_str().unwrap()).unwrap())
        });
        let text = text_of(answer);
        let is_own = |line: &&str| !line.starts_with("[repl] ") && !line.starts_with("<<repl");
        let text = text.split_inclusive('\n').filter(is_own).collect();
        Shown { text, pictures: pictures.collect() }
    }

    /// The one picture there is.
    #[track_caller]
    pub(crate) fn picture(&self) -> &Picture {
        assert_eq!(self.pictures.len(), 1, "one picture: {}", self.text);
        &self.pictures[0]
    }

    /// Fails unless there is no picture.
    #[track_caller]
    pub(crate) fn has_no_picture(&self) {
        assert!(self.pictures.is_empty(), "no picture: {}", self.text);
    }
}

/// The contents of the file that a reply names in the line that begins so: `[repl] HTML page: `.
#[track_caller]
pub(crate) fn file_named(reply: &str, line: &str) -> String {
    let named = reply.lines().find_map(|whole| whole.strip_prefix(line));
    let path = named.unwrap_or_else(|| panic!("{line:?} is not in:\n{reply}"));
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

impl Picture {
    #[track_caller]
    fn decode(bytes: &[u8]) -> Picture {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
        let mut reader = decoder.read_info().unwrap();
        let mut data = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut data).unwrap();
        let samples = info.color_type.samples();
        let pixel = |pixel: &[u8]| match pixel {
            [red, green, blue, ..] => [*red, *green, *blue],
            _ => [pixel[0]; 3],
        };
        let pixels = data[..info.buffer_size()].chunks(samples).map(pixel).collect();
        Picture { width: info.width, height: info.height, pixels }
    }

    /// Its width and height, in pixels.
    pub(crate) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The colour in the middle.
    pub(crate) fn middle(&self) -> [u8; 3] {
        self.pixels[(self.height / 2 * self.width + self.width / 2) as usize]
    }

    /// The colour in the upper left corner.
    pub(crate) fn corner(&self) -> [u8; 3] {
        self.pixels[0]
    }
}
