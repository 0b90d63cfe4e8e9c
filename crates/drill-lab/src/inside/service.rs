//! `service NAME status|start|stop|restart` inside a host: asks process 1, which supervises.
//!
//! Exit codes are those of the Linux Standard Base: 0 done or running, 3 not running, 4 unknown, 1 could not be done.

use std::ffi::OsString;
use std::io::BufReader;
use std::os::unix::net::UnixStream;

use crate::wire::{HostReply, HostRequest, ServiceAction, read_line, write_line};

/// The name under which a host finds this.
pub(crate) const SERVICE_PROGRAM: &str = "service";

/// Where process 1 listens inside the host.
pub(super) const SOCKET: &str = "/run/lab-init.sock";

/// Runs `service` and returns its exit code.
pub(super) fn main(arguments: &[OsString]) -> i32 {
    let words: Vec<&str> = arguments.iter().filter_map(|argument| argument.to_str()).collect();
    let (name, action) = match words.as_slice() {
        [name, "status"] => (name, ServiceAction::Status),
        [name, "start"] => (name, ServiceAction::Start),
        [name, "stop"] => (name, ServiceAction::Stop),
        [name, "restart"] => (name, ServiceAction::Restart),
        _ => {
            eprintln!("usage: service NAME status|start|stop|restart");
            return 2;
        }
    };
    let asked = UnixStream::connect(SOCKET).and_then(|connection| {
        write_line(&connection, &HostRequest::Service { name: (*name).to_owned(), action })?;
        read_line::<HostReply>(&mut BufReader::new(&connection))
    });
    match asked {
        Ok(Some(HostReply::Service { running, text, .. })) => {
            println!("{text}");
            match action {
                ServiceAction::Status if !running => 3,
                ServiceAction::Start | ServiceAction::Restart if !running => 1,
                ServiceAction::Stop if running => 1,
                ServiceAction::Status | ServiceAction::Start | ServiceAction::Restart | ServiceAction::Stop => 0,
            }
        }
        Ok(Some(HostReply::Refused(why))) => {
            eprintln!("{why}");
            4
        }
        Ok(_) => {
            eprintln!("process 1 of this host did not answer");
            1
        }
        Err(error) => {
            eprintln!("could not reach process 1 of this host: {error}");
            1
        }
    }
}
