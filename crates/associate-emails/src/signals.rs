//! Handles the signals that end the program: SIGINT (Ctrl-C), SIGTERM and SIGHUP.
//!
//! The first signal lets a run stop and print what was done. A second signal, or a signal that arrives while nothing
//! needs to be finished, ends the process immediately. The process handles the signals from its start and does not rely
//! on their default action, because the kernel ignores that action for process 1 of a container (pid_namespaces(7)).

use std::io;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch::{Receiver, Sender};

use crate::printable::print_error;

/// A signal that ends the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    HangUp,
    Interrupt,
    Terminate,
}

impl Signal {
    const ALL: [Signal; 3] = [Signal::HangUp, Signal::Interrupt, Signal::Terminate];

    fn kind(self) -> SignalKind {
        match self {
            Signal::HangUp => SignalKind::hangup(),
            Signal::Interrupt => SignalKind::interrupt(),
            Signal::Terminate => SignalKind::terminate(),
        }
    }

    /// Exit code that a shell reports for the signal: 128 plus its number.
    pub(crate) fn exit_code(self) -> u8 {
        // Linux, macOS and the BSDs have the same numbers for these three.
        match self {
            Signal::HangUp => 129,
            Signal::Interrupt => 130,
            Signal::Terminate => 143,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Signals(Arc<Sender<Option<Signal>>>);

impl Signals {
    /// Starts to handle the signals. A signal that the parent process ignores, as `nohup` does, stays ignored.
    pub(crate) fn listen() -> io::Result<Self> {
        let signals = Signals(Arc::new(Sender::new(None)));
        for which in Signal::ALL.into_iter().filter(|which| !is_ignored(*which)) {
            let (mut listener, sender) = (signal(which.kind())?, signals.0.clone());
            tokio::spawn(async move {
                while listener.recv().await.is_some() {
                    handle(which, &sender);
                }
            });
        }
        Ok(signals)
    }

    /// Announces that the caller stops by itself at the first signal. While the result exists, the first signal does
    /// not end the process.
    pub(crate) fn stop(&self) -> Stop {
        Stop(self.0.subscribe())
    }
}

/// The first signal, for a caller that stops by itself.
#[derive(Debug)]
pub(crate) struct Stop(Receiver<Option<Signal>>);

impl Stop {
    pub(crate) async fn requested(&mut self) -> Signal {
        loop {
            if let Some(signal) = *self.0.borrow_and_update() {
                return signal;
            }
            if self.0.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Passes the first signal to the caller that stops by itself, or ends the process.
fn handle(signal: Signal, sender: &Sender<Option<Signal>>) {
    let is_first = sender.borrow().is_none();
    if is_first && sender.receiver_count() > 0 {
        sender.send_replace(Some(signal));
        return;
    }
    if is_first {
        print_error("associate-emails: interrupted");
    }
    std::process::exit(signal.exit_code().into());
}

/// Returns whether this process was started with the signal ignored. Outside Linux, always returns false.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored(&status) & 1 << (signal.exit_code() - 129) != 0
}

/// Returns the mask of ignored signals in the text of `/proc/self/status` (proc_pid_status(5)).
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_status() {
        assert_eq!(ignored("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"), 0x1001);
        assert_eq!(ignored(""), 0);
    }
}
