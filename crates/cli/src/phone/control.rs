//! Instructions to a running phone: lines of a script, or keys.

use std::io::BufRead as _;

use tokio::sync::mpsc::{self, Receiver, Sender};

use super::keys;

/// Instructions that wait at most; whoever writes faster waits.
const CAPACITY: usize = 16;

/// What a phone in a call can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Instruction {
    /// Accept, with a text for the caller.
    Accept(Option<String>),
    /// Do not accept.
    Decline,
    /// End the call, with a release phrase.
    End(Option<String>),
    /// Microphone off or on.
    Mute(bool),
    /// Microphone off when it is on, on when it is off.
    SwitchMute,
    /// On hold, with a reason.
    Hold(Option<String>),
    /// Not on hold any more.
    Unhold,
    /// The other of the two.
    SwitchHold,
}

impl Instruction {
    /// Reads a line of a script.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = Some(rest.trim().to_owned()).filter(|rest| !rest.is_empty());
        Ok(match (word, rest) {
            ("accept", message) => Self::Accept(message),
            ("decline", None) => Self::Decline,
            ("end", phrase) => Self::End(phrase),
            ("mute", None) => Self::Mute(true),
            ("unmute", None) => Self::Mute(false),
            ("hold", reason) => Self::Hold(reason),
            ("unhold", None) => Self::Unhold,
            _ => {
                return Err(format!(
                    "`{line}` is no instruction: give accept [MESSAGE], decline, end [PHRASE], mute, unmute, hold \
                     [REASON] or unhold"
                ));
            }
        })
    }

    /// What a key means, if anything.
    pub(super) fn of_key(key: u8) -> Option<Self> {
        match key {
            b'm' | b'M' => Some(Self::SwitchMute),
            b'h' | b'H' => Some(Self::SwitchHold),
            _ => None,
        }
    }
}

/// Where instructions come from.
#[derive(Debug)]
pub(super) struct Controls {
    scripted: bool,
    /// Kept for the keys, which are watched only once there is a call.
    sender: Option<Sender<Result<Instruction, String>>>,
    receiver: Receiver<Result<Instruction, String>>,
}

impl Controls {
    /// With `scripted`, reads standard input line by line from now on. Its end is no instruction: the call goes on.
    pub(super) fn new(scripted: bool) -> Self {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        let kept = if scripted {
            // A thread of its own, because reading a terminal or pipe cannot be cancelled.
            std::thread::spawn(move || {
                let lines = std::io::stdin().lock().lines().map_while(Result::ok);
                for line in lines.filter(|line| !line.trim().is_empty()) {
                    if sender.blocking_send(Instruction::parse(&line)).is_err() {
                        break;
                    }
                }
            });
            None
        } else {
            Some(sender)
        };
        Self {
            scripted,
            sender: kept,
            receiver,
        }
    }

    /// Without a script: reads the keys of the terminal from now on, if there is one.
    pub(super) fn watch_keys(&mut self) {
        if let Some(sender) = self.sender.take().filter(|_| !self.scripted) {
            keys::watch(move |key| match Instruction::of_key(key) {
                Some(instruction) => sender.blocking_send(Ok(instruction)).is_ok(),
                None => !sender.is_closed(),
            });
        }
    }

    /// The next instruction; never resolves when there will be none.
    pub(super) async fn next(&mut self) -> Result<Instruction, String> {
        match self.receiver.recv().await {
            Some(instruction) => instruction,
            None => std::future::pending().await,
        }
    }

    /// Resolves when the script ends the phone before there is a call; anything else has no meaning yet.
    pub(super) async fn end_before_call(&mut self) {
        while !matches!(self.next().await, Ok(Instruction::End(_))) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_instructions() {
        for (line, instruction) in [
            ("accept", Instruction::Accept(None)),
            (
                "  accept  good evening \r",
                Instruction::Accept(Some("good evening".into())),
            ),
            ("decline", Instruction::Decline),
            ("end", Instruction::End(None)),
            (
                "end battery is empty",
                Instruction::End(Some("battery is empty".into())),
            ),
            ("mute", Instruction::Mute(true)),
            ("unmute", Instruction::Mute(false)),
            ("hold", Instruction::Hold(None)),
            ("hold the door bell", Instruction::Hold(Some("the door bell".into()))),
            ("unhold", Instruction::Unhold),
        ] {
            assert_eq!(Instruction::parse(line), Ok(instruction), "{line:?}");
        }
        for line in ["", "mute now", "decline politely", "Accept", "dance"] {
            assert!(Instruction::parse(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn keys_are_instructions() {
        assert_eq!(Instruction::of_key(b'm'), Some(Instruction::SwitchMute));
        assert_eq!(Instruction::of_key(b'h'), Some(Instruction::SwitchHold));
        assert_eq!(Instruction::of_key(b'x'), None);
    }
}
