//! The documentation's links: each leads to a file that is there, and to a heading of it; and each page
//! stands in the site's table of contents.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// A page's headings, as anchors, and its links.
#[derive(Debug, Default, PartialEq)]
struct Page {
    anchors: BTreeSet<String>,
    links: Vec<String>,
}

/// What a code-hosting page and mdbook make of a heading: lower case, `-` for each blank, and nothing of
/// what is no letter, digit, `-` or `_`; a number behind it where that is there already.
fn anchor(heading: &str, counts: &mut HashMap<String, u32>) -> String {
    let heading = heading.to_lowercase();
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
        _ => None,
    });
    let name: String = kept.collect();
    let count = counts.entry(name.clone()).or_default();
    *count += 1;
    if *count == 1 { name } else { format!("{name}-{}", *count - 1) }
}

fn page(text: &str) -> Page {
    let mut page = Page::default();
    let mut heading = None;
    let mut counts = HashMap::new();
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let heading = heading.take().unwrap_or_default();
                page.anchors.insert(anchor(&heading, &mut counts));
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                page.links.push(dest_url.into_string());
            }
            _ => {}
        }
    }
    page
}

/// What is wrong with a link of a page in this directory; `None` of one that leads somewhere, and of one
/// that leaves the repository.
fn broken(link: &str, directory: &Path, own: &Page) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, wanted) = link.split_once('#').unwrap_or((link, ""));
    // The site has the pages of docs/ alone.
    if file.starts_with("..") {
        return Some(format!("{link}: not in this directory"));
    }
    let target = directory.join(file);
    if !file.is_empty() && !target.exists() {
        return Some(format!("{link}: no such file"));
    }
    let other = match file {
        "" => None,
        _ if wanted.is_empty() => return None,
        _ => Some(page(&fs::read_to_string(&target).unwrap_or_default())),
    };
    let anchors = &other.as_ref().unwrap_or(own).anchors;
    (!anchors.contains(wanted)).then(|| format!("{link}: no such heading"))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// README.md, and the pages of docs/.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let docs = docs.filter(|file| file.extension().is_some_and(|extension| extension == "md"));
    let mut pages: Vec<PathBuf> = docs.chain([root().join("README.md")]).collect();
    pages.sort();
    pages
}

#[test]
fn each_leads_somewhere() {
    let mut wrong = Vec::new();
    for file in pages() {
        let own = page(&fs::read_to_string(&file).unwrap());
        let of = |link: &String| broken(link, file.parent().unwrap(), &own);
        let broken = own.links.iter().filter_map(of);
        wrong.extend(broken.map(|what| format!("{}: {what}", file.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_broken_one_is_found() {
    let text = "# One `two`, three!\n## A\n### A\n[x](#a-1) [y](#b) [z](gone.md) [o](../a.md) ![p](README.md#nope)\n";
    let own = page(text);
    let anchors = ["a", "a-1", "one-two-three"].map(str::to_owned);
    assert_eq!(own.anchors, anchors.into());
    let found: Vec<_> = own.links.iter().filter_map(|link| broken(link, &root(), &own)).collect();
    let expected = [
        "#b: no such heading",
        "gone.md: no such file",
        "../a.md: not in this directory",
        "README.md#nope: no such heading",
    ];
    assert_eq!(found, expected);
}

#[test]
fn each_page_of_the_documentation_is_in_the_table_of_contents() {
    let contents = page(&fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap());
    let listed: BTreeSet<_> = contents.links.into_iter().collect();
    let name = |file: PathBuf| file.file_name().unwrap().to_str().unwrap().to_owned();
    let there: BTreeSet<_> = pages().into_iter().map(name).collect();
    let others = ["README.md", "SUMMARY.md"].map(str::to_owned).into();
    assert_eq!(listed, there.difference(&others).cloned().collect());
}
