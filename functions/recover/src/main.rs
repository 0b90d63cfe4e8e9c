//! Undo what has run its time, and see that it is gone. See the phase `drill_phases::recover`.

use drill_lambda::{Stopped, begin, serve};
use drill_model::baton::Baton;
use drill_phases::recover::recover;
use function_recover::{BUDGET, Ports};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stopped> {
    let ports = Ports::from_environment(&begin(BUDGET).await)?;
    Ok(serve("recover", async |baton: Baton| recover(&ports, &baton).await).await?)
}
