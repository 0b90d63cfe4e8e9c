//! Sample the steady state and the stop conditions. See the phase `drill_phases::observe`.

use drill_lambda::{Stopped, begin, serve};
use drill_model::baton::Baton;
use drill_phases::observe::observe;
use function_observe::{BUDGET, Ports};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stopped> {
    let ports = Ports::from_environment(&begin(BUDGET).await)?;
    Ok(serve("observe", async |baton: Baton| observe(&ports, &baton).await).await?)
}
