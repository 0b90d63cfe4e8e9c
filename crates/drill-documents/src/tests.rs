use proptest::prelude::*;

use super::*;

fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn common() -> BTreeMap<String, String> {
    values(&[
        ("Unit", "0123456789abcdef"),
        ("Run", "night-1"),
        ("NotAfter", "1999999999"),
        ("Deadline", "1999999999"),
        ("MaxSeconds", "60"),
    ])
}

fn named(name: &str) -> &'static Document {
    document(name).unwrap()
}

#[test]
fn the_committed_template_has_every_document_as_its_sources_make_it() {
    let committed = std::fs::read_to_string(template::path()).unwrap();

    assert!(committed == template::render(), "it is stale: run `make documents`");
}

#[test]
fn every_script_and_every_part_belongs_to_a_document() {
    let host = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../drill-faults/src/host");
    let scripts = |folder: std::path::PathBuf| -> Vec<String> {
        let files = std::fs::read_dir(folder).unwrap();
        let names = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut found: Vec<_> = names.filter_map(|name| Some(name.strip_suffix(".sh")?.replace('_', "-"))).collect();
        found.sort();
        found
    };
    let asked: Vec<&str> = drill_faults::Document::all()
        .filter_map(|one| one.script().lines().find_map(|line| line.strip_prefix("#: parts: [")?.strip_suffix(']')))
        .flat_map(|parts| parts.split(", "))
        .collect();
    let used = |part: &&str| asked.contains(part);

    assert_eq!(scripts(host.clone()), documents().iter().map(|document| document.name).collect::<Vec<_>>());
    let mut parts: Vec<&str> =
        drill_faults::host::scripts::PARTS.iter().map(|(part, _)| *part).filter(|part| used(part)).collect();
    parts.push("prelude");
    parts.sort_unstable();
    assert_eq!(scripts(host.join("parts")), parts);
}

#[test]
fn a_script_without_a_sound_head_makes_no_document() {
    let check = |source: &str, expected: &str| {
        let said = source::render("x", source).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    };
    let head = "#: description: d\n#: timeout_seconds: 5\n#: parameters: []\n";

    check("true\n", "are not the head");
    check("#: description: [\n", "are not the head");
    check(&format!("{head}#: parts: [nothing]\n"), "asks for the part `nothing`");
    check(&format!("{head}#: parts: []\n#: common: [Nobody]\n"), "asks for the common parameter `Nobody`");
    check(&format!("{head}#: parts: []\necho '{{{{ x }}}}'\n"), "which SSM reads as a parameter");
    assert!(source::render("x", &format!("{head}#: parts: []\ntrue\n")).is_ok());
}

#[test]
fn every_pattern_is_anchored_and_bounded() {
    for document in documents() {
        for parameter in &document.parameters {
            let pattern = &parameter.allowed_pattern;
            assert!(pattern.starts_with('^') && pattern.ends_with('$'), "{} {pattern}", document.name);
            // What Java, Go and POSIX read alike: no classes by letter, no unbounded repeats, no quote.
            for foreign in ["\\d", "\\w", "\\s", "*", "+", "'", "(?"] {
                assert!(!pattern.contains(foreign), "{} {pattern} has {foreign}", document.name);
            }
        }
    }
}

#[test]
fn every_document_fits_into_ssm_and_pastes_nothing() {
    for document in documents() {
        assert!(document.text.len() < 64 * 1024, "{} has {} bytes", document.name, document.text.len());
        assert!(document.text.is_ascii(), "{}", document.name);
        assert!(!document.text.contains("{{"), "{}", document.name);
        assert!(!document.script.contains("exit 194"), "{}", document.name);
        assert!((5..=600).contains(&document.timeout_seconds), "{}", document.name);
    }
}

#[test]
fn every_fault_takes_the_common_parameters_without_defaults() {
    for document in documents().iter().filter(|document| !["probe", "revert"].contains(&document.name)) {
        for name in ["Unit", "Run", "NotAfter", "Deadline", "MaxSeconds"] {
            let found = document.parameters.iter().find(|parameter| parameter.name == name).unwrap();
            assert_eq!(found.default, None, "{} {name}", document.name);
        }
    }
}

#[test]
fn values_become_the_variables_that_the_agent_sets() {
    let mut given = common();
    given.insert("Service".into(), "orders-api".into());

    let environment: BTreeMap<_, _> = named("service-stop").environment(&given).unwrap().into_iter().collect();

    let expected: BTreeMap<_, _> = given.iter().map(|(name, value)| (format!("SSM_{name}"), value.clone())).collect();
    assert_eq!(environment, expected);
}

#[test]
fn a_value_that_is_not_given_has_its_default() {
    let environment: BTreeMap<_, _> = named("process-kill").environment(&common()).unwrap().into_iter().collect();

    let defaults = [("SSM_Process", "-"), ("SSM_User", "-"), ("SSM_AtMost", "2000"), ("SSM_Signal", "TERM")];
    for (name, value) in defaults {
        assert_eq!(environment[name], value);
    }
}

#[test]
fn a_missing_and_an_unknown_parameter_are_named() {
    let document = "service-stop";
    assert_eq!(
        named(document).environment(&common()),
        Err(InvalidParameter::Missing { document, name: "Service".into() })
    );
    let mut more = common();
    more.extend(values(&[("Service", "api"), ("Command", "id")]));
    assert_eq!(named(document).environment(&more), Err(InvalidParameter::Unknown { document, name: "Command".into() }));
}

#[test]
fn hostile_values_match_no_pattern() {
    for hostile in [
        "",
        "$(id)",
        "`id`",
        "a b",
        "a;id",
        "a\n",
        "a\nb",
        "\n",
        "-rf",
        "{{ id }}",
        "ä",
        "any,",
        "1.2.3.4",
        "a|b",
        "a'",
        "a\"",
        "a\\",
        "/etc/passwd",
        "*",
        "0x10",
        "١",
        "a\u{0}b",
        "\u{202e}api",
    ] {
        for document in documents() {
            for parameter in &document.parameters {
                // Some patterns are wide enough for the form of an option, of an address or of a path: a name, and a text
                // that is only ever compared. None of them is ever a first word.
                let wide = matches!(
                    (parameter.name.as_str(), hostile),
                    ("Run", "-rf")
                        | ("Name" | "Process" | "Service" | "Interface" | "User", "1.2.3.4" | "0x10")
                        | ("Run", "0x10")
                        | ("Volume", "/etc/passwd")
                        | ("CommandLine", "1.2.3.4" | "0x10" | "a b" | "any," | "/etc/passwd")
                );
                assert!(
                    wide || parameter.check(document.name, hostile).is_err(),
                    "{} {} {hostile:?}",
                    document.name,
                    parameter.name
                );
            }
        }
    }
}

#[test]
fn numbers_end_where_they_say() {
    let check = |document: &str, name: &str, good: &[&str], bad: &[&str]| {
        let document = named(document);
        let parameter = document.parameters.iter().find(|parameter| parameter.name == name).unwrap();
        for value in good {
            assert_eq!(parameter.check(document.name, value), Ok(()), "{name} {value}");
        }
        for value in bad {
            assert!(parameter.check(document.name, value).is_err(), "{name} {value}");
        }
    };
    check("cpu-stress", "MaxSeconds", &["1", "9", "43200", "42999", "39999"], &["0", "43201", "00060", "99999"]);
    check("cpu-stress", "Percent", &["1", "99", "100"], &["0", "101", "01"]);
    check("cpu-stress", "Workers", &["0", "1", "512", "499"], &["513", "600", "00"]);
    check("memory-stress", "Percent", &["1", "9", "10", "89", "90"], &["0", "91", "99", "100"]);
    check("disk-fill", "Percent", &["1", "99"], &["0", "100"]);
    check(
        "disk-fill",
        "Volume",
        &["-", "/", "/var", "/var/lib/a.b"],
        &["", "var", "/var/", "//", "/..", "/a/../b", "/a%t"],
    );
    check("network-latency", "DelayMs", &["1", "60000", "9999", "59999"], &["0", "60001", "99999"]);
    check(
        "network-latency",
        "Interface",
        &["default", "eth0", "ens5", "enX0", "eth0.100", "br-1a2b3c", "bond0.5", "e12345678901234"],
        &["", ".", "..", "-eth0", "eth0;", "a/b", "a b", "e123456789012345"],
    );
    check(
        "network-loss",
        "Percent",
        &["0.1", "0.0001", "1", "12.5", "99.9999", "100"],
        &["0", "0.0", "0.00001", "01", "1.", "1.50", ".5", "100.1", "101", "1e1"],
    );
    check("process-kill", "AtMost", &["1", "999", "2000"], &["0", "2001", "01"]);
    check(
        "process-kill",
        "CommandLine",
        &["-", "gunicorn: master", "/srv/app.jar", "ab"],
        &["", "a", "a+b", "-Dapp=a", " a", "a ", "a*", "a[b]"],
    );
    check(
        "process-pause",
        "SystemdUnit",
        &["-", "ledger.service", "getty@tty1.service"],
        &["ledger", "ledger.mount", "-.slice"],
    );
    check("process-pause", "Container", &["-", "0123456789ab"], &["0123456789a", "0123456789AB", "0123456789ab-"]);
    check("network-blackhole", "Port", &["0", "5432", "65535"], &["65536", "99999", "05432"]);
    check(
        "network-loss",
        "To",
        &["any", "10.0.0.0/8", "192.0.2.7/32,0.0.0.0/0", "fd00::/8", "::/0", "10.0.0.0/8,2001:db8::1/128"],
        &[
            "2001:db8::1",
            "fd00::/129",
            "FD00::/8",
            "::1%lo/128",
            "10.0.0.0",
            "256.0.0.0/8",
            "10.0.0.0/33",
            "any,10.0.0.0/8",
            "010.0.0.0/8",
        ],
    );
    check("network-blackhole", "Name", &["-", "db.internal", "a"], &["-db", "db.", ".db", "db internal"]);
    check("revert", "Unit", &["0123456789abcdef"], &["0123456789abcde", "0123456789abcdefa", "0123456789ABCDEF"]);
}

proptest! {
    #[test]
    fn a_value_that_passes_has_nothing_a_shell_would_read(value in any::<String>()) {
        for document in documents() {
            for parameter in &document.parameters {
                // A text that is only ever compared may have more in it, and still nothing that a shell would read.
                let more = if parameter.name == "CommandLine" { " =" } else { "" };
                let known = |each: char| "@._-/,:".contains(each) || more.contains(each);
                if parameter.check(document.name, &value).is_ok() {
                    let harmless = |each: char| each.is_ascii_alphanumeric() || known(each);
                    prop_assert!(value.chars().all(harmless), "{}", value);
                }
            }
        }
    }
}
