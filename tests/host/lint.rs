//! The scripts as a shell reads them: shellcheck finds nothing, and every shell that a host may have can parse them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use libtest_mimic::Trial;

use crate::{have, trial};

pub fn trials() -> Vec<Trial> {
    let with = |program: &'static str, arguments: &'static [&'static str]| {
        trial(format!("lint::{program}_accepts_every_script"), move || {
            for document in drill_documents::documents() {
                accepts(document.name, &document.script, program, arguments);
            }
        })
        .with_ignored_flag(!have(program))
    };
    vec![
        with("shellcheck", &["-"]),
        with("dash", &["-n"]),
        with("bash", &["--posix", "-n"]),
        with("busybox", &["sh", "-n"]),
    ]
}

fn accepts(name: &str, script: &str, program: &str, arguments: &[&str]) {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}");
}
