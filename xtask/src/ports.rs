//! Whether a port is free, and if not, who has it.

use std::{fs, io::ErrorKind, net::TcpListener};

use anyhow::{Context, Result, bail};

/// Makes sure that a port of the loopback interface can be listened on.
///
/// # Errors
/// Says who has the port, as far as the system tells, and which flag chooses another one.
pub(crate) fn ensure_free(port: u16, whose: &str, flag: &str) -> Result<()> {
    match TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let holder = listener(port).map_or_else(
                || "another process has it: stop that".to_owned(),
                |(pid, name)| format!("process {pid} ({name}) has it: stop it with `kill {pid}`"),
            );
            bail!(
                "port {port}, where {whose} should listen, is taken; {holder}, or choose another port with {flag}"
            )
        }
        Err(error) => Err(error).with_context(|| {
            format!("failed to listen on port {port} for {whose}; choose another with {flag}")
        }),
    }
}

/// The process that listens on a port, where the system tells it (Linux does, of one's own).
fn listener(port: u16) -> Option<(u32, String)> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .find_map(|table| listening_inode(&table, port))?;
    let socket = format!("socket:[{inode}]");
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let Ok(files) = fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        let holds = files
            .flatten()
            .any(|file| fs::read_link(file.path()).is_ok_and(|link| link.as_os_str() == socket.as_str()));
        if holds {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some((pid, name.trim().to_owned()));
        }
    }
    None
}

/// The inode of the socket that listens on a port, from a table like `/proc/net/tcp`.
fn listening_inode(table: &str, port: u16) -> Option<u64> {
    const LISTENING: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_whitespace();
        let local = columns.nth(1)?;
        let state = columns.nth(1)?;
        let inode = columns.nth(5)?;
        let (_, written) = local.rsplit_once(':')?;
        (state == LISTENING && u16::from_str_radix(written, 16).ok()? == port)
            .then(|| inode.parse().ok())
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listening_socket_is_found_in_the_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:1B59 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n";
        assert_eq!(listening_inode(table, 7001), Some(4711));
        assert_eq!(listening_inode(table, 7002), None);
    }

    #[test]
    fn a_taken_port_is_told_with_the_flag_that_helps() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let message = ensure_free(port, "the CRM", "--crm-port")
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("--crm-port") && message.contains(&port.to_string()),
            "{message}"
        );
    }
}
