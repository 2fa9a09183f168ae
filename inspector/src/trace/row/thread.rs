//! Rows of threads and tables.

use crate::{
    event::{
        id::{CallNumber, Fd, Tgid, Tid},
        table::{TableRead, TableWhy},
        thread::{CloneFlags, ThreadEvent},
    },
    trace::field::{fields, newtypes, variants},
};

newtypes!(Tid, Tgid, Fd, CallNumber, CloneFlags);

variants!(ThreadEvent {
    1 Born { parent, parent_tgid, child, tgid, start, flags, files, comm },
    2 Renamed { tid, tgid, comm },
    3 Exec { tgid, old_tid, start, files, comm },
    4 Exiting { tid, tgid, start },
    5 Gone { tid, tgid, start },
});

fields!(TableRead {
    owner,
    tgid,
    by,
    files,
    why,
    open,
    complete,
});

variants!(TableWhy {
    1 Fork,
    2 Exec,
    3 Unshare,
});
