//! Break what is due: intent, change, receipt. See the phase `drill_phases::inject`.

use drill_lambda::{Stopped, begin, serve};
use drill_model::baton::Baton;
use drill_phases::inject::inject;
use function_inject::{BUDGET, Ports};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stopped> {
    let ports = Ports::from_environment(&begin(BUDGET).await)?;
    Ok(serve("inject", async |baton: Baton| inject(&ports, &baton).await).await?)
}
