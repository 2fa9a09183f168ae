//! Rows of waits, marks, losses and ends.

use crate::{
    event::{
        loss::{Count, Gap, Layer, SourceEnd},
        mark::{Declared, Key, MapId, Mark, Owned},
        name::known,
        wait::{Blocked, WaitEvent, WaitSums, Waker, Waking},
    },
    trace::field::{BadRow, Field, Input, Output, fields, newtypes, variants},
};

variants!(WaitEvent {
    1 Ended { tid, tgid, wait, waker },
    2 Sample { tid, tgid, blocked, ran, waker, sums },
    3 Futex { tgid, address, sums, wakers },
});

fields!(Blocked { since, call, args });

impl Field for [u64; 4] {
    fn put(&self, row: &mut Output<'_>) {
        for value in self {
            value.put(row);
        }
    }

    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        let mut values = Self::default();
        for value in &mut values {
            *value = Field::get(row)?;
        }
        Ok(values)
    }
}

fields!(Waker { at, how });

variants!(Waking {
    1 Thread(tid),
    2 Interrupt,
});

impl Field for WaitSums {
    /// Most buckets are empty: those that are not are told with their number.
    fn put(&self, row: &mut Output<'_>) {
        self.count.put(row);
        self.total_ns.put(row);
        let filled = || {
            (0u8..)
                .zip(&self.histogram)
                .filter(|(_, count)| **count > 0)
        };
        row.bytes.push(filled().count() as u8);
        for (bucket, count) in filled() {
            row.bytes.push(bucket);
            count.put(row);
        }
    }

    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        let mut sums = Self {
            count: Field::get(row)?,
            total_ns: Field::get(row)?,
            histogram: [0; 32],
        };
        for _ in 0..row.byte()? {
            let bucket = usize::from(row.byte()?);
            *sums.histogram.get_mut(bucket).ok_or(BadRow::Range)? = Field::get(row)?;
        }
        Ok(sums)
    }
}

fields!(Mark {
    tid,
    tgid,
    map,
    key,
    what
});

newtypes!(MapId);

fields!(Key { text, len });

variants!(Declared {
    1 StoreBegin { span },
    2 StoreEnd { span },
    3 Own(owned),
    4 DeleteBegin { policy },
    5 DeleteUnlink,
    6 DeleteEnd,
});

variants!(Owned {
    1 Handle(fd),
    2 Thread(tid),
});

fields!(Gap {
    layer,
    cpu,
    lost,
    from,
    until
});

variants!(Layer {
    1 Ring,
    2 Map(name),
    3 Missed,
    4 Unwatched(name),
    5 Damaged,
    6 Recorder,
    7 File,
});

impl Field for &'static str {
    fn put(&self, row: &mut Output<'_>) {
        row.raw(self.as_bytes());
    }

    fn get(row: &mut Input<'_, '_>) -> Result<Self, BadRow> {
        let name = std::str::from_utf8(row.raw()?).map_err(|_| BadRow::Range)?;
        Ok(known(name))
    }
}

fields!(SourceEnd { error, counts });

fields!(Count {
    produced,
    received,
    lost
});
