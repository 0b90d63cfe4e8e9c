//! Judge, report, tell. See the phase `drill_phases::report`.

use drill_lambda::{Stopped, begin, serve};
use drill_phases::report::{Call, reported};
use function_report::{BUDGET, Ports};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stopped> {
    let ports = Ports::from_environment(&begin(BUDGET).await)?;
    Ok(serve("report", async |call: Call| reported(&ports, &call).await).await?)
}
