//! Undo everything. See the phase `drill_phases::rollback`.

use drill_lambda::{Stopped, begin, serve};
use drill_model::baton::Baton;
use drill_phases::rollback::rollback;
use function_rollback::{BUDGET, Ports};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stopped> {
    let ports = Ports::from_environment(&begin(BUDGET).await)?;
    Ok(serve("rollback", async |baton: Baton| rollback(&ports, &baton).await).await?)
}
