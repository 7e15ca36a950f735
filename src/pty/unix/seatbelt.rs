//! The sandbox of a worker as macOS is asked to hold it: a profile for sandbox-exec(1). Pure, and
//! untested: no macOS was at hand.
//!
//! Of the rules of a profile the last one that fits decides, so that places stand from the outer to
//! the inner ones.

use std::path::Path;

use crate::sandbox::{Network, Rules};

/// What every program writes to.
const DEVICES: [&str; 7] = [
    "/dev/null",
    "/dev/zero",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/dtracehelper",
];

/// The profile of these rules.
pub(super) fn profile(rules: &Rules) -> String {
    let mut lines: Vec<String> = [
        "(version 1)",
        "(allow default)",
        "(deny file-write*)",
        "(deny signal)",
        "(allow signal (target same-sandbox))",
        "(deny process-info* (target others))",
        "(deny network*)",
        "(deny system-socket)",
        "(allow system-socket (socket-domain AF_UNIX))",
        "(deny nvram*)",
        "(deny job-creation)",
        "(deny mach-priv*)",
        r#"(allow file-write* file-ioctl (regex #"^/dev/ttys[0-9]+$"))"#,
        r#"(allow file-write* file-ioctl (regex #"^/dev/pty[a-z0-9]+$"))"#,
    ]
    .map(str::to_owned)
    .to_vec();
    let named = rules.devices.iter().map(|device| device.as_path());
    for device in DEVICES.iter().map(Path::new).chain(named) {
        lines.push(format!("(allow file-write* file-ioctl (literal {}))", quoted(device)));
    }
    match rules.network {
        Network::Off => {}
        Network::Local => {
            lines.extend(
                [
                    "(allow system-socket)",
                    r#"(allow network-bind (local ip "localhost:*"))"#,
                    r#"(allow network-inbound (local ip "localhost:*"))"#,
                    r#"(allow network-outbound (remote ip "localhost:*"))"#,
                ]
                .map(str::to_owned),
            );
        }
        Network::On => {
            lines.push("(allow system-socket)".to_owned());
            lines.push("(allow network*)".to_owned());
            lines.push("(deny network-outbound (remote unix-socket))".to_owned());
        }
    }
    let mut places: Vec<(&Path, &str)> = Vec::new();
    // Of equal places, the stricter one comes last.
    let lists = [
        (&rules.writable, "(allow file-read* file-write* network* (subpath"),
        (&rules.protected, "(deny file-write* network-bind (subpath"),
        (&rules.hidden, "(deny file-read* file-write* network* (subpath"),
    ];
    for (list, rule) in lists {
        places.extend(list.iter().map(|place| (place.as_path(), rule)));
    }
    places.sort_by_key(|(place, _)| place.components().count());
    lines.extend(places.into_iter().map(|(place, rule)| format!("{rule} {}))", quoted(place))));
    // A directory that holds something protected is not renamed with it.
    let guarded = rules.protected.iter().chain(&rules.hidden);
    let mut around: Vec<&Path> = guarded.flat_map(|place| place.ancestors().skip(1)).collect();
    around.sort();
    around.dedup();
    for place in around.into_iter().filter(|place| is_below_one(place, rules)) {
        lines.push(format!("(deny file-write-unlink (literal {}))", quoted(place)));
    }
    lines.join("\n") + "\n"
}

fn is_below_one(place: &Path, rules: &Rules) -> bool {
    rules.writable.iter().any(|writable| place.starts_with(writable))
}

/// A path as a string of the profile's language, which is a Scheme.
fn quoted(path: &Path) -> String {
    let mut text = String::from("\"");
    for character in path.to_string_lossy().chars() {
        if matches!(character, '"' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expressions of a profile, if its parentheses and strings are closed.
    fn expressions(profile: &str) -> Option<usize> {
        let (mut depth, mut found, mut in_string) = (0_usize, 0, false);
        let mut characters = profile.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' if in_string => {
                    characters.next();
                }
                '"' => in_string = !in_string,
                '(' if !in_string => depth += 1,
                ')' if !in_string => {
                    depth = depth.checked_sub(1)?;
                    found += usize::from(depth == 0);
                }
                _ => {}
            }
        }
        (depth == 0 && !in_string).then_some(found)
    }

    fn rules() -> Rules {
        Rules {
            hidden: vec!["/work/secret".into(), "/Users/ada/.ssh".into()],
            writable: vec!["/work".into(), "/work/secret/tmp".into()],
            protected: vec!["/work/.git/hooks".into(), "/work/a\"b\\c) (allow default".into()],
            devices: Vec::new(),
            network: Network::Off,
        }
    }

    #[test]
    fn a_path_stays_a_string_whatever_is_in_it() {
        let profile = profile(&rules());
        assert_eq!(expressions(&profile), Some(profile.lines().count()), "{profile}");
        assert!(profile.contains(r#"(subpath "/work/a\"b\\c) (allow default"))"#), "{profile}");
    }

    #[test]
    fn inner_places_come_behind_outer_ones() {
        let profile = profile(&rules());
        let at = |text: &str| profile.find(text).unwrap_or_else(|| panic!("{text}: {profile}"));
        assert!(at("(deny file-write*)") < at("(subpath \"/work\")"));
        assert!(at("(subpath \"/work\")") < at("(subpath \"/work/secret\")"));
        assert!(at("(subpath \"/work/secret\")") < at("(subpath \"/work/secret/tmp\")"));
        assert!(
            at("(subpath \"/work\")") < at("(deny file-write-unlink (literal \"/work/.git\"))")
        );
    }

    #[test]
    fn the_network_is_as_wanted() {
        let with = |network| profile(&Rules { network, ..rules() });
        assert!(
            !with(Network::Off).contains("localhost")
                && !with(Network::Off).contains("(allow network*)")
        );
        assert!(with(Network::Local).contains("localhost"));
        assert!(with(Network::On).contains("(allow network*)"));
    }
}
