//! What is wrong with an experiment beyond its form, each with its place: one change to an experiment that is right, and all
//! that is said about it.

use drill_model::read;

const RIGHT: &str = "\
id: slow-network
title: Orders survive a slow network
hypothesis: Orders stay under 200 ms while one host answers late.
environments: [staging]
targets:
  order-hosts:
    kind: ec2-instance
    tags: { Service: orders }
    pick: { count: 1 }
faults:
  - name: slow
    kind: network-latency
    on: order-hosts
    delay: 100ms
    duration: 60s
steady_state:
  - name: healthy
    host_health: { of: order-hosts }
    covers: 5s
    tolerance: { at_least: 75 }
guards:
  stop_when:
    - alarm: orders-error-budget
  max_blast_radius: 50%
";

/// What is said about an experiment after one change. The rest of it is right, so that nothing else is said.
fn answer(from: &str, to: &str) -> String {
    assert!(RIGHT.contains(from), "{from}");
    match read::experiment(&RIGHT.replacen(from, to, 1)) {
        Ok(_) => format!("{to}\n\nis right"),
        Err(error) => error.to_string(),
    }
}

fn answers(changes: &[(&str, &str)]) -> String {
    changes.iter().map(|(from, to)| answer(from, to)).collect::<Vec<_>>().join("\n\n----\n\n")
}

/// Another fault after the first.
fn second(fault: &str) -> String {
    format!("    duration: 60s\n  - {{ {fault} }}\n")
}

#[test]
fn the_experiment_that_is_changed_is_right() {
    assert_eq!(read::experiment(RIGHT).map(|_| ()), Ok(()));
}

#[test]
fn the_document() {
    let long = format!("title: {}", "a".repeat(501));
    insta::assert_snapshot!(answers(&[
        ("title: Orders survive a slow network", "title: ''"),
        ("title: Orders survive a slow network", &long),
        ("title: Orders survive a slow network", "title: \"Orders \\u202E survive\""),
        (
            "hypothesis: Orders stay under 200 ms while one host answers late.",
            "hypothesis: |\n  One line\n  and another"
        ),
        ("environments: [staging]", "environments: []"),
        ("environments: [staging]", "environments: [staging]\nsuccess: []"),
        ("environments: [staging]", "environments: [staging, production, staging]"),
        ("environments: [staging]", "environments: [staging]\nnotify: { topic: orders }"),
        (
            "environments: [staging]",
            "environments: [staging]\nnotify: { topic: \"arn:aws:sns:eu-central-1:123456789012:drills\" }"
        ),
        ("environments: [staging]", "environments: [staging]\nsuccess: [{ recovery_time_at_most: 0s }]"),
        ("environments: [staging]", "environments: [staging]\nsuccess: [{ recovery_time_at_most: 10m }]"),
        ("environments: [staging]", "environments: [staging]\nsuccess: [{ availability_at_least: 101, of: healty }]"),
    ]));
}

#[test]
fn an_experiment_without_anything() {
    let text = "id: nothing\ntitle: Nothing\nhypothesis: Nothing.\nenvironments: []\ntargets: {}\nfaults: []\nsteady_state: []\nguards: { stop_when: none, max_blast_radius: 1% }\n";

    insta::assert_snapshot!(read::experiment(text).unwrap_err());
}

#[test]
fn the_targets() {
    let ids = "ids: [i-0123456789abcdef0, i-0123456789abcdef1, i-0123456789abcdef2]";
    let picks = |pick: &str| format!("{ids}\n    pick: {pick}");
    let tags_and_pick = "tags: { Service: orders }\n    pick: { count: 1 }";
    let spare = "targets:\n  spare: { kind: ec2-instance, tags: { Service: spare }, pick: { count: 1 } }";
    insta::assert_snapshot!(answers(&[
        ("    tags: { Service: orders }\n", ""),
        ("tags: { Service: orders }", "tags: { \"\": orders }"),
        ("tags: { Service: orders }", "tags: { Service: \"*\" }"),
        ("tags: { Service: orders }", "tags: { aws:autoscaling:groupName: orders-asg }"),
        ("pick: { count: 1 }", "pick: all"),
        ("pick: { count: 1 }", "pick: { percent: 51 }"),
        (tags_and_pick, &picks("{ count: 4 }")),
        (tags_and_pick, &picks("{ count: 2 }")),
        (tags_and_pick, &picks("{ percent: 33 }")),
        (tags_and_pick, &picks("{ count: 1 }")),
        ("targets:", spare),
        ("guards:\n", "guards:\n  min_healthy: { count: 3 }\n"),
    ]));
    let few = RIGHT
        .replace(tags_and_pick, &picks("{ count: 1 }"))
        .replace("guards:\n", "guards:\n  min_healthy: { count: 3 }\n");
    insta::assert_snapshot!("too_few_are_left", read::experiment(&few).unwrap_err());
}

#[test]
fn the_faults() {
    let last = "    duration: 60s\n";
    insta::assert_snapshot!(answers(&[
        ("on: order-hosts", "on: order-host"),
        ("duration: 60s", "duration: 0s"),
        ("duration: 60s", "duration: 13h"),
        ("delay: 100ms", "delay: 2m"),
        ("delay: 100ms", "delay: 100ms\n    jitter: 200ms"),
        ("delay: 100ms", "delay: 100ms\n    to: { dependency: database }"),
        ("delay: 100ms", "delay: 100ms\n    to: { cidrs: [0.0.0.0/0] }"),
        (last, &second("name: slow, kind: cpu-stress, on: order-hosts, load: 80%, duration: 60s")),
        (last, &second("name: busy, kind: cpu-stress, on: order-hosts, load: 0.5%, duration: 60s")),
        (last, &second("name: busy, kind: cpu-stress, on: order-hosts, load: 80%, duration: 60s, after: slo")),
        (last, &second("name: busy, kind: cpu-stress, on: order-hosts, load: 80%, duration: 60s, after: busy")),
        (last, &second("name: slower, kind: network-latency, on: order-hosts, delay: 1s, duration: 60s")),
        (last, &second("name: slower, kind: network-latency, on: order-hosts, delay: 1s, duration: 60s, after: slow")),
        (last, &second("name: gone, kind: instance-stop, on: order-hosts, duration: 60s, delay_start: 59s")),
    ]));
}

#[test]
fn faults_that_wait_for_each_other() {
    let text = RIGHT.replace("    duration: 60s\n", "    duration: 60s\n    after: b\n  - { name: b, kind: process-kill, process: x, on: order-hosts, duration: 1m, after: c }\n  - { name: c, kind: process-kill, process: y, on: order-hosts, duration: 1m, after: slow }\n");

    insta::assert_snapshot!(read::experiment(&text).unwrap_err());
}

#[test]
fn a_target_that_is_gone() {
    let text = RIGHT
        .replace("kind: network-latency", "kind: instance-terminate\n    irreversible: accepted")
        .replace("    delay: 100ms\n", "");
    let text = text.replace(
        "    duration: 60s\n",
        &second("name: busy, kind: cpu-stress, on: order-hosts, load: 80%, duration: 60s, after: slow"),
    );

    insta::assert_snapshot!(read::experiment(&text).unwrap_err());
}

#[test]
fn the_probes() {
    let source = "host_health: { of: order-hosts }\n    covers: 5s";
    let whole = "    host_health: { of: order-hosts }\n    covers: 5s\n    tolerance: { at_least: 75 }\n";
    let cloudwatch = |period: &str| {
        format!("cloudwatch: {{ namespace: Orders, metric: Latency, statistic: p99, period: {period} }}")
    };
    let again = format!("{whole}  - name: healthy\n{whole}");
    insta::assert_snapshot!(answers(&[
        (whole, &again),
        (source, "host_health: { of: hosts }\n    covers: 5s"),
        (source, &cloudwatch("2s")),
        (source, &cloudwatch("90s")),
        (source, &cloudwatch("5m")),
        (source, &cloudwatch("10s")),
        (
            source,
            "cloudwatch: { namespace: \"\", metric: Latency, statistic: p99, period: 10s, dimensions: { Service: \"\" } }"
        ),
        (source, "prometheus: { query: \" \" }"),
        (source, "http: { url: orders.example.com }"),
        (source, "http: { url: \"https:///health\" }"),
        (source, "http: { url: \"https://me:secret@orders.example.com/\" }"),
        (source, "http: { url: \"http://orders.example.com/a b\", status: 700, timeout: 0s, measure: milliseconds }"),
    ]));
}

#[test]
fn which_time_a_value_tells_of() {
    let source = "host_health: { of: order-hosts }\n    covers: 5s";
    let metric = "cloudwatch: { namespace: Orders, metric: Errors, statistic: Sum, period: 10s }";
    let average = "cloudwatch: { namespace: Orders, metric: Latency, statistic: p99, period: 10s }";
    let with = |source: &str, field: &str| format!("{source}\n    {field}");
    insta::assert_snapshot!(answers(&[
        (source, "host_health: { of: order-hosts }"),
        (source, &with("host_health: { of: order-hosts }", "covers: 0s")),
        (source, "alarm: { name: budget }"),
        (source, "prometheus: { query: 'sum(rate(errors[30s])) * 100' }"),
        (source, &with("prometheus: { query: 'sum(rate(errors[30s])) * 100' }", "covers: 20s")),
        (source, &with("prometheus: { query: 'sum(rate(errors[30s])) * 100' }", "covers: 30s")),
        (source, "prometheus: { query: 'up{path=\"/[5m]\"}' }"),
        (source, &with(average, "covers: 5s")),
        (source, &with("http: { url: \"https://orders.example.com/\", measure: milliseconds }", "covers: 5s")),
        (source, &with(average, "settles: 2h")),
        (source, &with("capacity: { group: orders-asg }", "settles: 10s")),
        (source, &with(average, "missing: zero")),
        (source, &with(metric, "missing: zero")),
    ]));
}

#[test]
fn the_tolerances() {
    let tolerance = "tolerance: { at_least: 75 }";
    let alarm = "    host_health: { of: order-hosts }\n    covers: 5s\n    tolerance: { at_least: 75 }\n";
    insta::assert_snapshot!(answers(&[
        (tolerance, "tolerance: {}"),
        (tolerance, "tolerance: { at_least: 90, at_most: 10 }"),
        (tolerance, "tolerance: { at_least: 75, in_samples: 0% }"),
        (tolerance, "tolerance: { at_least: 0 }"),
        (tolerance, "tolerance: { at_least: 101 }"),
        (alarm, "    alarm: { name: budget }\n    covers: 5s\n    tolerance: { at_most: 1 }\n"),
        (alarm, "    alarm: { name: budget }\n    covers: 5s\n    tolerance: { at_most: 0 }\n"),
    ]));
}

#[test]
fn the_guards() {
    let condition = "alarm: orders-error-budget";
    let guards = "guards:\n";
    let window = |window: &str| format!("guards:\n  windows: [{{ zone: UTC, {window} }}]\n");
    insta::assert_snapshot!(answers(&[
        (condition, "{ probe: helthy, below: 50 }"),
        (condition, "{ probe: healthy, above_baseline: 0.9x }"),
        (condition, "{ probe: healthy, below_baseline: 1x }"),
        (condition, "{ probe: healthy, below: 50, above: 20 }"),
        (condition, "{ probe: healthy, below: 50, for_samples: 14 }"),
        (condition, "{ probe: healthy, degraded: { by: 0%, alpha: 0.5 } }"),
        (condition, "{ probe: healthy, degraded: {}, for_samples: 3 }"),
        ("max_blast_radius: 50%", "max_blast_radius: 0%"),
        (guards, "guards:\n  approval: { within: 30s }\n"),
        (guards, "guards:\n  approval: { within: 13h }\n"),
        (guards, &window("days: daily, from: \"10:00\", to: \"10:00\", faults: [cpu-stress]")),
        (guards, &window("days: daily, from: \"10:00\", to: \"10:00\", on_holidays: only")),
        (guards, &window("days: weekdays, from: \"5pm\", to: \"24:00\"")),
        ("duration: 60s", "duration: 60s\n    delay_start: 2h"),
    ]));
    let long = RIGHT
        .replace("duration: 60s", "duration: 2h")
        .replace(guards, &window("days: daily, from: \"10:00\", to: \"11:00\""));
    insta::assert_snapshot!("a_window_that_is_too_short", read::experiment(&long).unwrap_err());
}

#[test]
fn how_it_is_watched() {
    let id = "id: slow-network\n";
    insta::assert_snapshot!(answers(&[
        (id, "id: slow-network\nobserve: { every: 500ms }\n"),
        (id, "id: slow-network\nobserve: { baseline_samples: 0, min_samples: 0, unknown_samples: 2000 }\n"),
        (id, "id: slow-network\nobserve: { every: 30s }\n"),
        (id, "id: slow-network\nobserve: { every: 31s }\n"),
        (id, "id: slow-network\nobserve: { baseline_samples: 200 }\n"),
        (id, "id: slow-network\nrecovery: { within: 0s }\n"),
        (id, "id: slow-network\nrecovery: { within: 25h }\n"),
        (id, "id: slow-network\nrecovery: { check_every: 100ms }\n"),
        (id, "id: slow-network\nrecovery: { within: 20s, good_samples: 4 }\n"),
        (id, "id: slow-network\nrecovery: { within: 20s, good_samples: 3 }\n"),
    ]));
}

#[test]
fn what_does_not_fit_into_its_time() {
    let id = "id: slow-network\n";
    let source = "    host_health: { of: order-hosts }\n    covers: 5s\n    tolerance: { at_least: 75 }\n";
    let metric = |period: &str| {
        let metric = format!("{{ namespace: A, metric: B, statistic: p99, period: {period} }}");
        format!("    cloudwatch: {metric}\n    tolerance: {{ at_most: 200 }}\n")
    };
    let alarm = "    - alarm: orders-error-budget\n";
    let text = |period: &str, from: &str, to: &str| {
        let text = RIGHT.replacen(source, &metric(period), 1).replacen(from, to, 1);
        read::experiment(&text).map_or_else(|error| error.to_string(), |_| format!("{period}, {to} is right"))
    };
    let answers = [
        // One whole minute of a fault of a minute: only if the fault began with the clock's minute.
        text("60s", id, "id: slow-network\nobserve: { min_samples: 1 }\n"),
        text("60s", id, id),
        text("20s", id, id),
        text("20s", id, "id: slow-network\nobserve: { min_samples: 2 }\n"),
        text("10s", alarm, "    - { probe: healthy, above: 500, for_samples: 6 }\n"),
        text("10s", id, "id: slow-network\nsuccess: [{ recovery_time_at_most: 10s }]\n"),
        text("10s", id, "id: slow-network\nsuccess: [{ recovery_time_at_most: 11s }]\n"),
        text("10s", id, "id: slow-network\nrecovery: { within: 20s }\n"),
        text("10s", id, "id: slow-network\nrecovery: { within: 21s }\n"),
        answer("covers: 5s", "covers: 60s"),
        answer("covers: 5s", "covers: 55s"),
        answer("covers: 5s", "covers: 50s"),
        answer(id, "id: slow-network\nsuccess: [{ recovery_time_at_most: 5s }]\n"),
    ];
    insta::assert_snapshot!(answers.join("\n\n----\n\n"));
}

#[test]
fn sizes_without_end() {
    let mut text = RIGHT.replace(
        "    - alarm: orders-error-budget\n",
        &(0..51).map(|n| format!("    - alarm: a{n}\n")).collect::<String>(),
    );
    let probes: String = (0..51)
        .map(|n| {
            format!(
                "  - {{ name: p{n}, host_health: {{ of: order-hosts }}, covers: 5s, tolerance: {{ at_least: 75 }} }}\n"
            )
        })
        .collect();
    text = text.replace("steady_state:\n", &format!("steady_state:\n{probes}"));
    let faults: String = (0..20)
        .map(|n| format!("  - {{ name: f{n}, kind: process-kill, process: p{n}, on: order-hosts, duration: 60s }}\n"))
        .collect();
    text = text.replace("faults:\n", &format!("faults:\n{faults}"));
    let targets: String = (0..10)
        .map(|n| format!("  t{n}: {{ kind: ec2-instance, tags: {{ A: b }}, pick: {{ count: 1 }} }}\n"))
        .collect();
    text = text.replace("targets:\n", &format!("targets:\n{targets}"));
    let error = read::experiment(&text).unwrap_err();
    let sizes: Vec<&str> = error.complaints().iter().map(|complaint| complaint.message.as_str()).collect();

    assert_eq!(
        sizes,
        [
            "11 groups of targets are too many for one experiment",
            "21 faults are too many for one experiment",
            "52 probes are too many for one experiment",
            "51 stop conditions are too many for one experiment",
        ]
    );
}
