//! ICE restart within an engine (RFC 8445 §9): a description of a higher generation.
//!
//! There is no offer and no answer to it, only two descriptions of one generation that pass each other or follow one another. Two
//! restarts at once are therefore one: each side takes the other's description for the answer to its own.

use std::time::Instant;

use duologue_signaling::SessionDescription;

use super::Engine;
use super::legs::parameters_of;

/// A generation beyond this one is no count of restarts.
const MOST_GENERATIONS: u32 = 1_000_000;

impl Engine {
    /// Begins a new generation of a leg and tells the peer. The path in use goes on until the new one is checked. While the peer has not
    /// answered the last restart, nothing is begun: what was gathered since is signalled anyway.
    pub(super) fn restart(&mut self, index: usize, now: Instant) {
        let leg = &self.legs[index];
        if self.ended || leg.restarting || !leg.described || !leg.offered || leg.transport.is_closed() {
            return;
        }
        let generation = leg.generation.saturating_add(1);
        tracing::debug!(generation, "ICE restart");
        self.begin_generation(index, generation, now);
        self.legs[index].restarting = true;
        self.tell_generation(index, now);
        self.restarts += 1;
    }

    /// A description of the peer after its first one. One that says nothing new, or would change more than the network path, is counted and
    /// ignored: what was agreed on stays in force.
    pub(super) fn take_further_description(&mut self, index: usize, description: &SessionDescription, now: Instant) {
        let leg = &self.legs[index];
        let generation = description.generation;
        let is_new = generation > leg.generation;
        let is_answer = leg.restarting && generation == leg.generation;
        let parameters = parameters_of(description);
        let usable = generation <= MOST_GENERATIONS && parameters.fingerprints == leg.remote_fingerprints;
        if !(is_new || is_answer) || !usable || leg.transport.is_closed() {
            self.descriptions_ignored += 1;
            tracing::debug!(
                generation,
                ignored = self.descriptions_ignored,
                "a further description is ignored"
            );
            return;
        }
        if is_new {
            self.begin_generation(index, generation, now);
        }
        let leg = &mut self.legs[index];
        leg.restarting = false;
        leg.remote_candidates.clear();
        leg.remote_end = false;
        match leg.transport.set_remote_parameters(parameters, now) {
            Ok(()) => {
                leg.remote_generation = generation;
                leg.remote_ufrag.clone_from(&description.ufrag);
                leg.set_options(&description.options);
                self.add_remote_candidates(index, &description.candidates, description.end_of_candidates, now);
            }
            Err(error) => {
                self.descriptions_ignored += 1;
                tracing::debug!(%error, "a restart of the peer cannot be followed");
            }
        }
        if is_new {
            self.tell_generation(index, now);
        }
    }

    fn begin_generation(&mut self, index: usize, generation: u32, now: Instant) {
        let leg = &mut self.legs[index];
        leg.generation = generation;
        // What was gathered is announced again, under the new credentials.
        (leg.gathered, leg.end_sent) = (false, false);
        leg.candidates.clear();
        leg.unsent.clear();
        leg.transport.restart_ice(now);
        self.pump_legs(now);
    }

    fn tell_generation(&mut self, index: usize, now: Instant) {
        self.pump_legs(now);
        let description = self.describe(index);
        let party = self.legs[index].party.filter(|_| self.is_caller());
        self.call.describe(party, description);
    }
}
