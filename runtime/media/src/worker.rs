//! A worker: one thread, one ticker of 20 ms, epoll in between, and never for one packet alone.
//!
//! A line is on one worker at a time. Commands go to the worker where it was opened and are passed
//! on from there, so that they keep their order wherever it moves: lines move to be bridged or
//! mixed, which happens on one worker only.

use std::{
    collections::{HashMap, HashSet},
    io,
    net::SocketAddr,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TryRecvError},
    },
    time::Duration,
};

use mio::{Events, Interest, Poll, Token};

use crate::{
    StreamId,
    clock::{self, Instant},
    command::{Action, Command, Order},
    limits::{
        CATCH_UP_TICKS_MAX, COMMANDS_PER_PASS_MAX, DATAGRAM_BYTES_MAX, FRAME, LOOK_EVERY, PACKET_SAMPLES_MAX,
        TICK,
    },
    line::{Desk, Line, Received},
    media::Shared,
    room::{Members, Role, RoomId},
    statistics::WorkerCounters,
    writer::{Job, Writing},
};

/// The token of the waker; sockets have twice their line's slot, and one more for RTCP.
pub(crate) const WAKER: Token = Token(usize::MAX);
/// Sockets of one look; where there are more, the next look follows at once.
const EVENTS: usize = 1_024;
const TICKS_PER_SECOND: u64 = (1_000 / TICK.as_millis()) as u64;

pub(crate) struct Worker {
    index: usize,
    shared: Arc<Shared>,
    poll: Poll,
    commands: Receiver<Command>,
    lines: Vec<Option<Box<Line>>>,
    free: Vec<usize>,
    slots: HashMap<StreamId, usize>,
    /// Where lines went that were here.
    moved: HashMap<StreamId, usize>,
    rooms: HashMap<RoomId, Members>,
    /// Slots with datagrams that this tick may not cost any more.
    unread: HashSet<usize>,
    desk: Desk,
    datagram: Vec<u8>,
    ticks: u64,
    told: Told,
}

/// What the metrics were told.
#[derive(Default)]
struct Told {
    sent: u64,
    received: u64,
    dropped: u64,
    late: u64,
    skipped_ticks: u64,
}

impl Worker {
    pub(crate) fn new(
        index: usize,
        shared: Arc<Shared>,
        poll: Poll,
        commands: Receiver<Command>,
        queue: SyncSender<Job>,
        epoch: Instant,
    ) -> Self {
        let counters = shared
            .workers
            .get(index)
            .map(|reach| Arc::clone(&reach.counters))
            .unwrap_or_default();
        Self {
            index,
            shared,
            poll,
            commands,
            lines: Vec::new(),
            free: Vec::new(),
            slots: HashMap::new(),
            moved: HashMap::new(),
            rooms: HashMap::new(),
            unread: HashSet::new(),
            desk: Desk {
                now: epoch,
                due: epoch,
                epoch,
                counters,
                writing: Writing::new(queue),
                packet: [0; DATAGRAM_BYTES_MAX],
                samples: [0; PACKET_SAMPLES_MAX],
                over: Vec::new(),
                // Recordings of different workers must not have the same number.
                recordings: (index as u64) << 48,
            },
            datagram: vec![0; DATAGRAM_BYTES_MAX],
            ticks: 0,
            told: Told::default(),
        }
    }

    /// Works until it is told to stop.
    pub(crate) fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let mut deadline = clock::now() + TICK;
        let mut look = clock::now();
        loop {
            std::thread::sleep(look.min(deadline).saturating_duration_since(clock::now()));
            let wait = deadline.saturating_duration_since(clock::now());
            match self.poll.poll(&mut events, Some(wait)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
                Err(error) => {
                    // Without epoll there is still the ticker.
                    tracing::error!(%error, "a media thread cannot wait for packets");
                    std::thread::sleep(wait.min(TICK));
                    events.clear();
                }
            }
            self.desk.now = clock::now();
            // Only sockets that were looked at can wait; commands wait with them, and where some sockets had no
            // place in this look, nothing does.
            let others = events.iter().any(|event| event.token() != WAKER);
            let whole = events.iter().count() < EVENTS;
            look = self.desk.now
                + if others && whole {
                    LOOK_EVERY
                } else {
                    Duration::ZERO
                };
            if !self.carry_out() {
                break;
            }
            for event in &events {
                let token = event.token();
                if token != WAKER {
                    let slot = token.0 / 2;
                    if let Some(Some(line)) = self.lines.get_mut(slot) {
                        line.readable[token.0 % 2] = true;
                    }
                    self.read(slot);
                }
            }
            deadline = self.tick_until_now(deadline);
        }
        self.stop();
    }

    fn stop(mut self) {
        for line in self.lines.iter_mut().flatten() {
            line.close(&mut self.desk);
            self.desk.counters.streams.sub(1);
        }
        self.report_metrics();
        self.desk.writing.close();
    }

    /// Carries out what was told; false when it is to stop.
    fn carry_out(&mut self) -> bool {
        for _ in 0..COMMANDS_PER_PASS_MAX {
            match self.commands.try_recv() {
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return false,
                Ok(Command::Adopt(line)) => self.adopt(line),
                Ok(Command::Act(id, action)) => self.act(id, action),
                Ok(Command::Forget(id)) => {
                    self.moved.remove(&id);
                }
                Err(TryRecvError::Empty) => break,
            }
        }
        true
    }

    fn line(&mut self, id: StreamId) -> Option<&mut Line> {
        let slot = *self.slots.get(&id)?;
        self.lines.get_mut(slot)?.as_deref_mut()
    }

    fn adopt(&mut self, mut line: Box<Line>) {
        let slot = self.free.pop().unwrap_or(self.lines.len());
        let registry = self.poll.registry();
        for (socket, token) in [(&mut line.rtp, slot * 2), (&mut line.rtcp, slot * 2 + 1)] {
            if let Err(error) = registry.register(socket, Token(token), Interest::READABLE) {
                tracing::error!(%error, "a stream cannot hear: its socket was not registered");
            }
        }
        let id = line.id;
        line.arrive(self.index);
        self.moved.remove(&id);
        self.slots.insert(id, slot);
        match self.lines.get_mut(slot) {
            Some(place) => *place = Some(line),
            None => self.lines.push(Some(line)),
        }
        self.read(slot);
    }

    /// Takes a line away from here.
    fn remove(&mut self, id: StreamId) -> Option<Box<Line>> {
        self.unbridge(id);
        self.leave_room(id);
        let slot = self.slots.remove(&id)?;
        let mut line = self.lines.get_mut(slot)?.take()?;
        self.free.push(slot);
        self.unread.remove(&slot);
        let registry = self.poll.registry();
        for socket in [&mut line.rtp, &mut line.rtcp] {
            if let Err(error) = registry.deregister(socket) {
                tracing::debug!(%error, "a socket was not registered");
            }
        }
        self.desk.counters.streams.sub(1);
        Some(line)
    }

    /// Moves a line to another worker; its commands follow it.
    fn move_to(&mut self, id: StreamId, worker: usize) {
        let Some(reach) = self.shared.workers.get(worker) else {
            return;
        };
        let counters = Arc::clone(&reach.counters);
        if let Some(mut line) = self.remove(id) {
            counters.streams.add(1);
            line.visited.push(self.index);
            self.moved.insert(id, worker);
            self.shared.tell(worker, Command::Adopt(line));
        }
    }

    fn act(&mut self, id: StreamId, action: Action) {
        if !self.slots.contains_key(&id) {
            if let Some(worker) = self.moved.get(&id) {
                self.shared.tell(*worker, Command::Act(id, action));
            }
            return;
        }
        match action {
            Action::Bridge { other, home, order } => {
                // It is there, or was: then it is known there where it went.
                let there = self.moved.get(&other).copied().unwrap_or(home);
                if self.slots.contains_key(&other) {
                    if self.holds(&[id, other], order) {
                        self.bridge(id, other);
                    }
                } else if there != self.index {
                    self.move_to(id, there);
                    let action = Action::Bridge {
                        other,
                        home: there,
                        order,
                    };
                    self.shared.tell(there, Command::Act(id, action));
                }
            }
            Action::Unbridge(order) => {
                if self.holds(&[id], order) {
                    self.unbridge(id);
                }
            }
            Action::Join {
                room,
                home,
                role,
                order,
            } => {
                if home == self.index {
                    if self.holds(&[id], order) {
                        self.join(id, room, role);
                    }
                } else {
                    self.move_to(id, home);
                    let action = Action::Join {
                        room,
                        home,
                        role,
                        order,
                    };
                    self.shared.tell(home, Command::Act(id, action));
                }
            }
            Action::LeaveRoom(order) => {
                if self.holds(&[id], order) {
                    self.leave_room(id);
                }
            }
            Action::Close => {
                if let Some(mut line) = self.remove(id) {
                    line.close(&mut self.desk);
                    for worker in &line.visited {
                        self.shared.tell(*worker, Command::Forget(id));
                    }
                }
            }
            action => {
                if let Some(slot) = self.slots.get(&id)
                    && let Some(Some(line)) = self.lines.get_mut(*slot)
                {
                    line.act(action, &mut self.desk);
                }
            }
        }
    }

    /// Whether nothing newer was told of lines; from now on nothing older holds.
    fn holds(&mut self, ids: &[StreamId], order: Order) -> bool {
        let newest = ids
            .iter()
            .all(|id| self.line(*id).is_some_and(|line| line.joined_by <= order));
        if newest {
            for id in ids {
                if let Some(line) = self.line(*id) {
                    line.joined_by = order;
                }
            }
        }
        newest
    }

    fn bridge(&mut self, one: StreamId, other: StreamId) {
        for (id, partner) in [(one, other), (other, one)] {
            self.leave_room(id);
            if self.line(id).is_some_and(|line| line.partner != Some(partner)) {
                self.unbridge(id);
            }
        }
        for (id, partner) in [(one, other), (other, one)] {
            if let Some(line) = self.line(id) {
                line.pair(Some(partner));
            }
        }
    }

    fn unbridge(&mut self, id: StreamId) {
        let Some(line) = self.line(id) else {
            return;
        };
        let partner = line.partner.take();
        line.pair(None);
        if let Some(partner) = partner.and_then(|partner| self.line(partner)) {
            partner.pair(None);
        }
    }

    fn join(&mut self, id: StreamId, room: RoomId, role: Role) {
        self.unbridge(id);
        if self
            .line(id)
            .is_some_and(|line| line.room.is_some_and(|before| before != room))
        {
            self.leave_room(id);
        }
        if !self.rooms.entry(room).or_default().set(id, role) {
            tracing::warn!("a room is full: a stream stays outside");
            return;
        }
        if let Some(line) = self.line(id) {
            line.enter(Some(room));
        }
    }

    fn leave_room(&mut self, id: StreamId) {
        let Some(line) = self.line(id) else {
            return;
        };
        let Some(room) = line.room else {
            return;
        };
        line.enter(None);
        if let Some(members) = self.rooms.get_mut(&room) {
            members.remove(id);
            if members.0.is_empty() {
                self.rooms.remove(&room);
            }
        }
    }

    /// Reads what a line's sockets hold, as much as it may cost in this tick.
    fn read(&mut self, slot: usize) {
        // Taken, so that it can be lent while lines are changed.
        let mut datagram = std::mem::take(&mut self.datagram);
        self.read_into(slot, &mut datagram);
        self.datagram = datagram;
    }

    fn read_into(&mut self, slot: usize, datagram: &mut [u8]) {
        for socket in 0..2 {
            loop {
                let Some(Some(line)) = self.lines.get_mut(slot) else {
                    return;
                };
                if !line.readable[socket] {
                    break;
                }
                if line.budget == 0 {
                    self.unread.insert(slot);
                    return;
                }
                line.budget -= 1;
                let from = if socket == 0 { &line.rtp } else { &line.rtcp }.recv_from(datagram);
                match from {
                    Ok((length, from)) => {
                        self.take(slot, socket, datagram.get(..length).unwrap_or_default(), from);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => line.readable[socket] = false,
                    // As a refusal of what was sent before; the next one may hold a packet.
                    Err(_) => {}
                }
            }
        }
    }

    fn take(&mut self, slot: usize, socket: usize, bytes: &[u8], from: SocketAddr) {
        let Some(Some(line)) = self.lines.get_mut(slot) else {
            return;
        };
        if socket == 1 {
            line.receive_report(&self.desk, bytes, from);
            return;
        }
        let Some(received) = line.receive(&mut self.desk, bytes, from) else {
            return;
        };
        let (partner, hidden) = (line.partner, line.is_hidden());
        if let Some(partner) = partner {
            self.relay(partner, &received, hidden);
        }
    }

    fn relay(&mut self, partner: StreamId, received: &Received<'_>, hidden: bool) {
        if let Some(slot) = self.slots.get(&partner)
            && let Some(Some(line)) = self.lines.get_mut(*slot)
        {
            line.relay(&mut self.desk, received, hidden);
        }
    }

    /// Does the ticks that are due; gives when the next one is.
    fn tick_until_now(&mut self, mut deadline: Instant) -> Instant {
        let now = clock::now();
        if now < deadline {
            return deadline;
        }
        let Due { skipped, ticks } = due(now.saturating_duration_since(deadline));
        if skipped > 0 {
            for line in self.lines.iter_mut().flatten() {
                line.skip(skipped, &mut self.desk);
            }
            self.desk.counters.skipped_ticks.add(skipped.into());
            tracing::warn!(skipped, "media stalled; sound of that time is left out");
            deadline += TICK.saturating_mul(skipped);
        }
        // Not until the clock is caught up with: where ticks cost more than they last, that would never be,
        // and no command would be carried out again.
        for _ in 0..ticks {
            self.desk.now = clock::now();
            self.desk.due = deadline;
            self.tick();
            deadline += TICK;
        }
        deadline
    }

    fn tick(&mut self) {
        self.hear_rooms();
        for line in self.lines.iter_mut().flatten() {
            let mix = line
                .room
                .and_then(|room| self.rooms.get(&room))
                .map(|room| room.mix(line.id));
            line.tick(&mut self.desk, mix.as_ref());
        }
        self.desk.writing.flush();
        for slot in std::mem::take(&mut self.unread) {
            self.read(slot);
        }
        self.ticks += 1;
        if self.ticks.is_multiple_of(TICKS_PER_SECOND) {
            self.report_metrics();
        }
    }

    /// Takes what members of rooms have said.
    fn hear_rooms(&mut self) {
        for members in self.rooms.values_mut() {
            for member in &mut members.0 {
                let line = self
                    .slots
                    .get(&member.id)
                    .and_then(|slot| self.lines.get_mut(*slot));
                if let Some(Some(line)) = line {
                    member.said = line.say().unwrap_or([0; FRAME]);
                    member.hidden = line.is_hidden();
                }
            }
        }
    }

    fn report_metrics(&mut self) {
        let counters: &WorkerCounters = &self.desk.counters;
        let worker = self.index.to_string();
        let streams = counters.streams.get();
        metrics::gauge!("trunkline_media_streams", "worker" => worker.clone()).set(streams as f64);
        let Told {
            sent,
            received,
            dropped,
            late,
            skipped_ticks,
        } = &mut self.told;
        for (name, now, told) in [
            ("trunkline_media_packets_sent", counters.sent.get(), sent),
            (
                "trunkline_media_packets_received",
                counters.received.get(),
                received,
            ),
            ("trunkline_media_packets_dropped", counters.dropped.get(), dropped),
            ("trunkline_media_packets_late", counters.late.get(), late),
            (
                "trunkline_media_ticks_skipped",
                counters.skipped_ticks.get(),
                skipped_ticks,
            ),
        ] {
            metrics::counter!(name, "worker" => worker.clone()).increment(now - *told);
            *told = now;
        }
    }
}

/// What one pass makes up for.
#[derive(Debug, PartialEq, Eq)]
struct Due {
    skipped: u32,
    ticks: u64,
}

/// What to do when the clock is behind by so much: never more than a few ticks at once.
fn due(behind: Duration) -> Due {
    let behind = u64::try_from(behind.as_millis() / TICK.as_millis()).unwrap_or(u64::MAX);
    let skipped = behind.saturating_sub(CATCH_UP_TICKS_MAX);
    Due {
        skipped: u32::try_from(skipped).unwrap_or(u32::MAX),
        ticks: behind.min(CATCH_UP_TICKS_MAX) + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_has_an_end_however_far_it_is_behind() {
        let due = |ms| due(Duration::from_millis(ms));
        assert_eq!(due(0), Due { skipped: 0, ticks: 1 });
        assert_eq!(due(39), Due { skipped: 0, ticks: 2 });
        let most = CATCH_UP_TICKS_MAX + 1;
        assert_eq!(
            due(20 * CATCH_UP_TICKS_MAX),
            Due {
                skipped: 0,
                ticks: most
            }
        );
        assert_eq!(
            due(20 * (CATCH_UP_TICKS_MAX + 7)),
            Due {
                skipped: 7,
                ticks: most
            }
        );
        assert_eq!(
            due(u64::MAX),
            Due {
                skipped: u32::MAX,
                ticks: most
            }
        );
    }
}
