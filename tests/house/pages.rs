//! What every page refers to exists.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::{files, root, spans, text};

/// A page's own words, and its code: what is in a block that a shell would run, and what stands between backticks.
struct Page {
    path: String,
    prose: Vec<String>,
    code: Vec<String>,
}

fn pages() -> Vec<Page> {
    let pages: Vec<Page> = files(".md").into_iter().map(|path| read(&path)).collect();
    assert!(pages.len() > 20, "the pages are found");
    pages
}

fn read(path: &str) -> Page {
    let mut page = Page { path: path.to_owned(), prose: Vec::new(), code: Vec::new() };
    let mut block: Option<String> = None;
    for line in text(path).lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            block = if block.is_some() { None } else { Some(language.to_owned()) };
            continue;
        }
        match block.as_deref() {
            None => {
                page.prose.push(line.to_owned());
                page.code.extend(spans(line));
            }
            Some("sh" | "console") => page.code.push(line.to_owned()),
            Some(_) => {}
        }
    }
    page
}

/// The targets of the links in a line, without what is code.
fn links(line: &str) -> Vec<String> {
    let prose: String = line.split('`').step_by(2).collect();
    prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// The name by which a heading is linked to.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

/// A path with its `..` taken away.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(plain.pop(), "{} leads out of the repository", path.display()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

fn has_heading(path: &str, wanted: &str) -> bool {
    read(path)
        .prose
        .iter()
        .filter(|line| line.starts_with('#'))
        .any(|line| anchor(line.trim_start_matches('#').trim()) == wanted)
}

/// What a link leads to, if that is not there.
fn broken(page: &str, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() {
        PathBuf::from(page)
    } else {
        plain(&Path::new(page).parent().expect("a page is in a folder").join(path))
    };
    let there = root().join(&target).exists();
    let found = there && (heading.is_empty() || has_heading(&target.to_string_lossy(), heading));
    (!found).then(|| format!("{page}: {link}"))
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_exist() {
    let broken: Vec<String> = pages()
        .iter()
        .flat_map(|page| page.prose.iter().map(move |line| (page, line)))
        .flat_map(|(page, line)| links(line).into_iter().filter_map(|link| broken(&page.path, &link)))
        .collect();

    assert_eq!(broken, [""; 0]);
}

/// The words after `make` in a line of code.
fn goals(code: &str) -> Vec<String> {
    let words: Vec<&str> = code.split_whitespace().collect();
    words
        .iter()
        .enumerate()
        .filter(|(at, word)| **word == "make" && (*at == 0 || matches!(words[at - 1], "$" | "&&" | "run:" | "then")))
        .filter_map(|(at, _)| words.get(at + 1))
        .filter(|goal| goal.starts_with(|letter: char| letter.is_ascii_lowercase()))
        .map(|goal| (*goal).to_owned())
        .collect()
}

#[test]
fn every_make_target_that_is_named_exists() {
    let makefile = text("Makefile");
    let targets: BTreeSet<&str> =
        makefile.lines().filter_map(|line| Some(line.split_once(": ")?.0)).filter(|name| !name.contains(' ')).collect();
    let mut named: Vec<(String, String)> = pages()
        .iter()
        .flat_map(|page| page.code.iter().flat_map(|code| goals(code)).map(|goal| (page.path.clone(), goal)))
        .collect();
    for path in files(".yml").into_iter().chain([".ci/run".to_owned()]) {
        named.extend(text(&path).lines().flat_map(goals).map(|goal| (path.clone(), goal)));
    }
    assert!(named.len() > 20, "the commands are found");

    named.retain(|(_, goal)| !targets.contains(goal.as_str()));

    assert_eq!(named, []);
}

/// The paths from the top that a line of code names, patterns and placeholders left out.
fn paths(code: &str) -> Vec<String> {
    const FOLDERS: [&str; 12] = [
        "bench/",
        "crates/",
        "docs/",
        "events/",
        "experiments/",
        "functions/",
        "infra/",
        "scripts/",
        "statemachine/",
        "tests/",
        ".ci/",
        ".github/",
    ];
    code.split(|letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | '(' | ')' | ',' | ';' | '='))
        .map(|word| word.trim_start_matches("file://").trim_start_matches("./").trim_end_matches(['.', ':']))
        .filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)))
        .filter(|word| !word.contains(['*', '$', '<', '{', '…', '[']))
        .map(|word| word.split(':').next().expect("a first part").to_owned())
        .collect()
}

#[test]
fn every_path_that_is_named_exists() {
    let mut named: Vec<(String, String)> = pages()
        .iter()
        .flat_map(|page| page.code.iter().flat_map(|code| paths(code)).map(|path| (page.path.clone(), path)))
        .collect();
    assert!(named.len() > 50, "the paths are found");

    named.retain(|(_, path)| !root().join(path).exists());

    assert_eq!(named, []);
}

#[test]
fn a_link_that_leads_nowhere_is_noticed() {
    assert_eq!(links("see [this](a.md) and `[x](b.md)` and [that](c.md#d)"), ["a.md", "c.md#d"]);
    assert_eq!(broken("README.md", "nowhere.md"), Some("README.md: nowhere.md".to_owned()));
    assert_eq!(
        broken("README.md", "ARCHITECTURE.md#no-such-heading"),
        Some("README.md: ARCHITECTURE.md#no-such-heading".to_owned())
    );
    assert_eq!(broken("docs/how-to/deploy.md", "../../README.md#licence"), None);
}

#[test]
fn a_command_and_a_path_that_do_not_exist_are_noticed() {
    assert_eq!(goals("$ make build && make deploy ARGS=x"), ["build", "deploy"]);
    assert_eq!(goals("what they make here"), [""; 0]);
    assert_eq!(
        paths("scripts/no.sh --stack NAME tests/*/x file://events/start.json"),
        ["scripts/no.sh", "events/start.json"]
    );
}
