//! Reports, notices, and who waits.

use drill_phases::ports::{Callback as _, Class, Notices as _, Reports as _};

use super::class;
use crate::fixtures::id;
use crate::ground::Ground;

pub async fn a_report_is_stored_and_replaced(ground: &impl Ground) {
    let reports = ground.reports();

    let first = reports.store(&id("r"), "report.md", "one").await.unwrap();
    let second = reports.store(&id("r"), "report.md", "two — with more").await.unwrap();
    reports.store(&id("other"), "report.md", "theirs").await.unwrap();

    assert_eq!(first, second);
    assert!(first.ends_with("r/report.md"), "{first}");
    assert_eq!(ground.report(&id("r"), "report.md").await.as_deref(), Some("two — with more"));
}

pub async fn a_report_stays_in_its_place(ground: &impl Ground) {
    assert_eq!(class(ground.reports().store(&id("r"), "../other/report.md", "x").await), Class::Refused);

    assert_eq!(ground.report(&id("other"), "report.md").await, None);
}

pub async fn a_notice_is_published(ground: &impl Ground) {
    ground
        .notices()
        .publish("default", "Stormdrill: a subject", "A body.\nWith two lines — and a dash.")
        .await
        .unwrap();
}

pub async fn a_subject_that_the_service_refuses_is_refused(ground: &impl Ground) {
    let long = "x".repeat(101);

    assert_eq!(class(ground.notices().publish("default", &long, "body").await), Class::Refused);
}

pub async fn nobody_waits_with_a_token_that_was_never_given(ground: &impl Ground) {
    assert_eq!(class(ground.callback().resume("nobody's").await), Class::Missing);
}
