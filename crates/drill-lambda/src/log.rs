//! The log: one JSON object for each line, with the run and the phase. Inputs are not in it, because some have tokens.

use lambda_runtime::tracing::subscriber::filter::EnvFilter;
use lambda_runtime::tracing::subscriber::fmt::MakeWriter;
use lambda_runtime::tracing::{self, Dispatch, Subscriber, subscriber};

/// What Lambda sets when somebody asks for another level.
const LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";
const LEVELS: [&str; 4] = ["debug", "info", "warn", "error"];

/// Begins to log to standard output, and lets panics be told there as well.
pub(crate) fn begin() {
    let asked = std::env::var(LEVEL).unwrap_or_default();
    tracing::dispatcher::set_global_default(Dispatch::new(lines(&asked, std::io::stdout)))
        .expect("a function begins once");
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, "panicked");
    }));
}

/// Writes lines at this level. Only our own crates are asked for more than warnings: at its lower levels the runtime logs
/// every input, and the SDK every body.
pub(crate) fn lines<W>(level: &str, to: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let level = level.to_lowercase();
    let level = LEVELS.into_iter().find(|one| *one == level).unwrap_or("info");
    let ours = if level == "error" { "error" } else { "warn" };
    // The runtime logs again what a function answered with; that is logged where it is answered.
    let filter = format!(
        "{ours},lambda_runtime::layers::panic=off,drill_lambda={level},drill_phases={level},\
         drill_aws_dynamodb={level},drill_aws_ssm={level},drill_aws_http={level}"
    );
    subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(to)
        .finish()
}
