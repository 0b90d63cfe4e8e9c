//! Clean what nobody else cleans. See the phase `drill_phases::janitor`.

use drill_lambda::{Stopped, begin, serve};
use drill_phases::janitor::{Wake, sweep};
use function_janitor::{BUDGET, Ports};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Stopped> {
    let ports = Ports::from_environment(&begin(BUDGET).await)?;
    Ok(serve("janitor", async |wake: Wake| sweep(&ports, &wake).await).await?)
}
