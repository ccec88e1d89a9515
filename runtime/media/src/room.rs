//! Rooms: three-way calls and supervision. What each member hears is mixed at every tick.

use crate::{
    StreamId,
    limits::{FRAME, ROOM_MEMBERS_MAX},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RoomId(pub(crate) u64);

/// A place where streams hear each other. It is gone when the last member has left.
#[derive(Clone, Debug)]
pub struct Room {
    pub(crate) id: RoomId,
    /// The worker on which it is.
    pub(crate) home: usize,
}

/// What a member of a room hears, and who hears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Hears all others, and is heard by all.
    Speaks,
    /// Hears all who speak, and is heard by nobody.
    Listens,
    /// Hears all who speak, and is heard by one only.
    Whispers {
        /// By whom.
        to: StreamId,
    },
}

/// A member and what it said in this tick.
pub(crate) struct Member {
    pub(crate) id: StreamId,
    pub(crate) role: Role,
    /// What it said.
    pub(crate) said: [i16; FRAME],
    /// As `said`, for recordings: silence while its keys are hidden.
    pub(crate) hidden: bool,
}

/// The members of a room.
#[derive(Default)]
pub(crate) struct Members(pub(crate) Vec<Member>);

/// What one member hears in this tick, and whether recordings of it must be silent.
pub(crate) struct Mix {
    pub(crate) samples: [i16; FRAME],
    pub(crate) hidden: bool,
    /// Nobody is there to be heard.
    pub(crate) alone: bool,
}

impl Members {
    /// Adds a member or changes its role; false when the room is full.
    pub(crate) fn set(&mut self, id: StreamId, role: Role) -> bool {
        if let Some(member) = self.0.iter_mut().find(|member| member.id == id) {
            member.role = role;
            return true;
        }
        if self.0.len() >= ROOM_MEMBERS_MAX {
            return false;
        }
        self.0.push(Member {
            id,
            role,
            said: [0; FRAME],
            hidden: false,
        });
        true
    }

    pub(crate) fn remove(&mut self, id: StreamId) {
        self.0.retain(|member| member.id != id);
    }

    /// What a member hears: the sum of the others who speak and of those who whisper to it, cut at the
    /// loudest.
    pub(crate) fn mix(&self, hearer: StreamId) -> Mix {
        let mut sum = [0i32; FRAME];
        let (mut hidden, mut alone) = (false, true);
        for member in &self.0 {
            let heard = member.id != hearer
                && match member.role {
                    Role::Speaks => true,
                    Role::Listens => false,
                    Role::Whispers { to } => to == hearer,
                };
            if heard {
                alone = false;
                hidden |= member.hidden;
                for (sum, said) in sum.iter_mut().zip(member.said) {
                    *sum += i32::from(said);
                }
            }
        }
        let samples = sum.map(|sum| i16::try_from(sum).unwrap_or(if sum < 0 { i16::MIN } else { i16::MAX }));
        Mix {
            samples,
            hidden,
            alone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hears_whom_it_should() {
        let [caller, agent, supervisor, coach] = [1, 2, 3, 4].map(StreamId);
        let mut members = Members::default();
        assert!(members.set(caller, Role::Speaks));
        assert!(members.set(agent, Role::Speaks));
        assert!(members.set(supervisor, Role::Listens));
        assert!(members.set(coach, Role::Whispers { to: agent }));
        for (member, said) in members.0.iter_mut().zip([1, 10, 100, 1_000]) {
            member.said = [said; FRAME];
        }
        let heard = |who| members.mix(who).samples[0];
        assert_eq!(heard(caller), 10);
        assert_eq!(heard(agent), 1_001);
        assert_eq!(heard(supervisor), 11);
        assert_eq!(heard(coach), 11);
        assert!(!members.mix(caller).alone);
        members.remove(agent);
        assert!(
            members.mix(caller).alone,
            "a supervisor and a coach are not heard"
        );
    }

    #[test]
    fn loud_voices_are_cut_and_not_turned_over() {
        let mut members = Members::default();
        for id in 0..4 {
            assert!(members.set(StreamId(id), Role::Speaks));
            members.0[id as usize].said = [-30_000; FRAME];
        }
        assert_eq!(members.mix(StreamId(0)).samples[0], i16::MIN);
    }

    #[test]
    fn a_room_has_a_size() {
        let mut members = Members::default();
        for id in 0..ROOM_MEMBERS_MAX as u64 {
            assert!(members.set(StreamId(id), Role::Speaks));
        }
        assert!(!members.set(StreamId(99), Role::Speaks));
        assert!(members.set(StreamId(1), Role::Listens), "who is there may change");
    }
}
