//! Batches are staged over rows in memory.

use std::{collections::BTreeMap, ops::Range, sync::Mutex};

use tokio::sync::oneshot;

use super::*;
use crate::rows::{Change, CommitError, Take};

/// Rows in memory.
#[derive(Default)]
struct MapRows(Mutex<BTreeMap<Row, Vec<u8>>>);

type Row = (u8, Vec<u8>);

impl Rows for MapRows {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.lock().unwrap().get(&(table as u8, key.to_vec())).cloned())
    }

    fn last_key(&self, table: Table, range: Range<Vec<u8>>) -> Result<Option<Vec<u8>>, Error> {
        let mut last = None;
        self.scan(table, range, &mut |key, _| {
            last = Some(key.to_vec());
            Ok(Scan::On)
        })?;
        Ok(last)
    }

    fn scan(&self, table: Table, range: Range<Vec<u8>>, take: &mut Take<'_>) -> Result<(), Error> {
        let rows = self.0.lock().unwrap();
        for ((_, key), value) in rows.range((table as u8, range.start)..(table as u8, range.end)) {
            if take(key, value)? == Scan::Enough {
                break;
            }
        }
        Ok(())
    }

    fn commit(&self, changes: Vec<Change>) -> Result<(), CommitError> {
        let mut rows = self.0.lock().unwrap();
        for change in changes {
            let key = (change.table as u8, change.key);
            match change.value {
                Some(value) => drop(rows.insert(key, value)),
                None => drop(rows.remove(&key)),
            }
        }
        Ok(())
    }
}

type Answer = oneshot::Receiver<Result<u64, Error>>;

fn request(work: Work) -> (Request, Answer) {
    let (reply, answer) = oneshot::channel();
    (Request { work, reply }, answer)
}

fn append(expected: u64, standing: Standing) -> (Request, Answer) {
    request(Work::Append {
        stream: ContactId::from("a"),
        expected: Version::from_u64(expected),
        frames: vec![b"frame".to_vec()],
        standing,
        key: None,
    })
}

fn put(key: &str) -> (Request, Answer) {
    request(Work::Put {
        space: "crm".to_owned(),
        key: key.to_owned(),
        value: b"value".to_vec(),
        expect: Expect::Any,
        expires: None,
        at: Timestamp::from_millis(0),
    })
}

/// A put of what is expired when [`sweep`] comes.
fn expiring(key: &str) -> (Request, Answer) {
    request(Work::Put {
        space: "crm".to_owned(),
        key: key.to_owned(),
        value: b"value".to_vec(),
        expect: Expect::Any,
        expires: Some(Timestamp::from_millis(10)),
        at: Timestamp::from_millis(0),
    })
}

fn usage(ledger: &Ledger<MapRows>) -> Usage {
    let usage = ledger.rows.get(Table::Entries, &rows::usage_key("crm"));
    rows::usage_from_bytes("crm", &usage.unwrap().unwrap()).unwrap()
}

fn delete() -> (Request, Answer) {
    request(Work::DeleteStream {
        stream: ContactId::from("a"),
    })
}

fn ledger() -> Ledger<MapRows> {
    Ledger::new(Arc::new(MapRows::default()))
}

fn commit(ledger: &mut Ledger<MapRows>, mut batch: Batch) {
    ledger.close(&mut batch);
    let mut rows: Vec<_> = batch
        .changes
        .iter()
        .map(|change| (change.table as u8, change.key.clone()))
        .collect();
    let changes = rows.len();
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(rows.len(), changes, "a row is changed twice");
    ledger.rows.commit(std::mem::take(&mut batch.changes)).unwrap();
    batch.answer(&Ok(()));
}

#[test]
fn appends_of_one_stream_share_a_batch_until_its_standing_changes_again() {
    let mut ledger = ledger();
    let mut batch = Batch::default();
    let (first, first_answer) = append(0, Standing::Open);
    let (second, second_answer) = append(1, Standing::Open);
    let (stale, mut stale_answer) = append(1, Standing::Open);
    let (end, mut end_answer) = append(2, Standing::Ended);
    assert!(ledger.stage(first, &mut batch).is_none());
    assert!(ledger.stage(second, &mut batch).is_none());
    assert!(ledger.stage(stale, &mut batch).is_none());
    assert!(matches!(stale_answer.try_recv(), Ok(Err(Error::Conflict { .. }))));
    let later = ledger.stage(end, &mut batch).expect("it waits");
    assert!(
        end_answer.try_recv().is_err(),
        "nothing is said before it is durable"
    );
    commit(&mut ledger, batch);
    assert_eq!(first_answer.blocking_recv().unwrap().unwrap(), 1);
    assert_eq!(second_answer.blocking_recv().unwrap().unwrap(), 2);

    let mut batch = Batch::default();
    let (late, late_answer) = append(3, Standing::Ended);
    assert!(ledger.stage(later, &mut batch).is_none());
    assert!(ledger.stage(late, &mut batch).is_none());
    commit(&mut ledger, batch);
    assert_eq!(end_answer.blocking_recv().unwrap().unwrap(), 3);
    assert_eq!(late_answer.blocking_recv().unwrap().unwrap(), 4);
}

#[test]
fn puts_of_one_key_and_deletions_wait_for_the_next_batch() {
    let mut ledger = ledger();
    let mut batch = Batch::default();
    assert!(ledger.stage(put("k").0, &mut batch).is_none());
    assert!(ledger.stage(put("other").0, &mut batch).is_none());
    assert!(ledger.stage(put("k").0, &mut batch).is_some());
    assert!(ledger.stage(append(0, Standing::Open).0, &mut batch).is_none());
    assert!(ledger.stage(delete().0, &mut batch).is_some());
    commit(&mut ledger, batch);

    let mut batch = Batch::default();
    let (delete, deleted) = delete();
    assert!(ledger.stage(delete, &mut batch).is_none());
    let (again, begun) = append(0, Standing::Open);
    let again = ledger.stage(again, &mut batch).expect("its rows are still there");
    commit(&mut ledger, batch);
    assert_eq!(deleted.blocking_recv().unwrap().unwrap(), 1);
    assert!(
        ledger
            .rows
            .0
            .lock()
            .unwrap()
            .keys()
            .all(|(table, _)| *table == Table::Entries as u8)
    );
    let mut batch = Batch::default();
    assert!(ledger.stage(again, &mut batch).is_none());
    commit(&mut ledger, batch);
    assert_eq!(begun.blocking_recv().unwrap().unwrap(), 1);
}

#[test]
fn what_did_not_land_is_forgotten() {
    let mut ledger = ledger();
    let mut batch = Batch::default();
    assert!(ledger.stage(append(0, Standing::Open).0, &mut batch).is_none());
    assert!(ledger.stage(put("k").0, &mut batch).is_none());
    drop(batch);
    ledger.forget();
    let mut batch = Batch::default();
    let (again, answer) = append(0, Standing::Open);
    let (put, version) = put("k");
    assert!(ledger.stage(again, &mut batch).is_none());
    assert!(ledger.stage(put, &mut batch).is_none());
    commit(&mut ledger, batch);
    assert_eq!(answer.blocking_recv().unwrap().unwrap(), 1);
    assert_eq!(version.blocking_recv().unwrap().unwrap(), 1);
    assert_eq!(usage(&ledger), Usage { keys: 1, bytes: 6 });
}

fn sweep(limit: usize) -> (Request, Answer) {
    request(Work::Sweep {
        space: "crm".to_owned(),
        at: Timestamp::from_millis(10),
        limit,
    })
}

#[test]
fn what_is_behind_a_request_that_waits_keeps_its_order_and_the_rest_goes_on() {
    let mut ledger = ledger();
    let mut batch = Batch::default();
    assert!(ledger.stage(append(0, Standing::Open).0, &mut batch).is_none());
    assert!(ledger.stage(put("k").0, &mut batch).is_none());

    let (end, ended) = append(1, Standing::Ended);
    let (late, appended_late) = append(2, Standing::Ended);
    let (swept, sweep_answer) = sweep(10);
    let (other, put_late) = put("other");
    let later: Vec<_> = [end, late, swept, other]
        .into_iter()
        .map(|request| ledger.stage(request, &mut batch).expect("it waits"))
        .collect();
    let elsewhere = request(Work::Put {
        space: "notes".to_owned(),
        key: "k".to_owned(),
        value: Vec::new(),
        expect: Expect::Any,
        expires: None,
        at: Timestamp::from_millis(0),
    });
    assert!(ledger.stage(elsewhere.0, &mut batch).is_none());
    assert_eq!(batch.len(), 3);
    commit(&mut ledger, batch);

    let mut batch = Batch::default();
    for request in later {
        assert!(ledger.stage(request, &mut batch).is_none());
    }
    commit(&mut ledger, batch);
    assert_eq!(ended.blocking_recv().unwrap().unwrap(), 2);
    assert_eq!(appended_late.blocking_recv().unwrap().unwrap(), 3);
    assert_eq!(sweep_answer.blocking_recv().unwrap().unwrap(), 0);
    assert_eq!(put_late.blocking_recv().unwrap().unwrap(), 3);
}

#[test]
fn a_sweep_shares_a_batch_with_all_but_the_rows_it_removes() {
    let mut ledger = ledger();
    let mut batch = Batch::default();
    assert!(ledger.stage(expiring("old").0, &mut batch).is_none());
    commit(&mut ledger, batch);

    let mut batch = Batch::default();
    let (swept, answer) = sweep(10);
    assert!(ledger.stage(append(0, Standing::Open).0, &mut batch).is_none());
    assert!(ledger.stage(swept, &mut batch).is_none());
    assert!(ledger.stage(put("new").0, &mut batch).is_none());
    assert!(ledger.stage(put("old").0, &mut batch).is_some());
    assert!(ledger.stage(append(1, Standing::Open).0, &mut batch).is_none());
    commit(&mut ledger, batch);
    assert_eq!(answer.blocking_recv().unwrap().unwrap(), 1);
    assert_eq!(usage(&ledger), Usage { keys: 1, bytes: 8 });
}

#[test]
fn a_sweep_looks_at_so_many_entries_and_the_next_goes_on_behind_them() {
    let mut ledger = ledger();
    let mut batch = Batch::default();
    for number in 0..SWEEP_ENTRIES_MAX {
        let live = put(&format!("live-{number:05}"));
        assert!(ledger.stage(live.0, &mut batch).is_none());
    }
    for key in ["old-1", "old-2"] {
        assert!(ledger.stage(expiring(key).0, &mut batch).is_none());
    }
    commit(&mut ledger, batch);
    for expected in [0, 1, 1, 0, 0] {
        let mut batch = Batch::default();
        let (swept, answer) = sweep(1);
        assert!(ledger.stage(swept, &mut batch).is_none());
        commit(&mut ledger, batch);
        assert_eq!(answer.blocking_recv().unwrap().unwrap(), expected);
    }
    assert_eq!(usage(&ledger).keys, SWEEP_ENTRIES_MAX as u64);
}
