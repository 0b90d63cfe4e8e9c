//! Check the experiment, pick the targets, measure the baseline, write the plan. See the phase `drill_phases::prepare`.

use drill_lambda::{Stopped, begin, serve};
use drill_phases::prepare::{Invocation, prepare};
use function_prepare::{BUDGET, Ports};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stopped> {
    let ports = Ports::from_environment(&begin(BUDGET).await)?;
    Ok(serve("prepare", async |invocation: Invocation| prepare(&ports, &invocation).await).await?)
}
