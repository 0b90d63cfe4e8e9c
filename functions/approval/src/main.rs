//! Ask people, and take their answer. See the phase `drill_phases::approval`.

use drill_lambda::{Stopped, begin, serve};
use drill_phases::approval::{Call, answered};
use function_approval::{BUDGET, Ports};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stopped> {
    let ports = Ports::from_environment(&begin(BUDGET).await)?;
    Ok(serve("approval", async |call: Call| answered(&ports, call).await).await?)
}
