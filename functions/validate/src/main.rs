//! Is the steady state back? See the phase `drill_phases::validate`.

use drill_lambda::{Stopped, begin, serve};
use drill_model::baton::Baton;
use drill_phases::validate::validate;
use function_validate::{BUDGET, Ports};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stopped> {
    let ports = Ports::from_environment(&begin(BUDGET).await)?;
    Ok(serve("validate", async |baton: Baton| validate(&ports, &baton).await).await?)
}
