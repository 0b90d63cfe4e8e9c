//! The page of each probe: every source has one, and what it shows is right.

use std::path::Path;

use drill_model::read;

const AROUND: &str = "\
id: page
title: A page
hypothesis: It is right.
environments: [staging]
targets:
  order-hosts: { kind: ec2-instance, tags: { Service: orders }, pick: { count: 1 } }
faults:
  - { name: slow, kind: network-latency, on: order-hosts, delay: 100ms, duration: 10m }
guards: { stop_when: none, max_blast_radius: 50% }
recovery: { within: 10m }
steady_state:
";
const SOURCES: [&str; 6] = ["cloudwatch", "alarm", "prometheus", "http", "capacity", "host_health"];

#[test]
fn each_source_has_a_page_whose_examples_are_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/probes");
    for source in SOURCES {
        let page = std::fs::read_to_string(folder.join(format!("{source}.md"))).expect("it has a page");
        let examples: Vec<&str> =
            page.split("```yaml\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0)).collect();
        assert!(!examples.is_empty(), "{source} has no example");
        for example in examples {
            let experiment = read::experiment(&format!("{AROUND}{example}")).unwrap_or_else(|error| panic!("{error}"));
            assert!(experiment.steady_state.iter().all(|probe| probe.source.word() == source), "{source}");
        }
    }
}
