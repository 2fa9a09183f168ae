//! Tables as Parquet files, one a table, in a folder of their own.
//!
//! Rows are gathered by column and written as row groups of a bounded size: that is the memory an
//! export takes, however many events there are. Every column may be null.

use std::{fs::File, io, sync::Arc};

use ::parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel},
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type},
    errors::Result,
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::{ColumnPath, Type},
};

use super::{
    Subject, Totals,
    tables::{self, Column, Kind, SCHEMA, Sink, Table, Value},
};
use crate::event::id::BootTime;

/// Most rows of a row group.
const MOST_ROWS: usize = 1 << 16;

/// Most bytes of text in one, but for the last row's.
const MOST_TEXT: usize = 16 << 20;

/// Writes the files that `open` makes by their names.
pub(super) fn write(
    open: &mut dyn FnMut(&str) -> io::Result<File>,
    subject: Subject<'_>,
    progress: &mut dyn FnMut(BootTime),
) -> io::Result<Totals> {
    let mut files = Vec::new();
    for table in Table::ALL {
        let file = open(&format!("{}.parquet", table.name()))?;
        files.push(Rows::new(table, file).map_err(io::Error::other)?);
    }
    let mut files = Files(files);
    let mut totals = tables::fill(subject, &mut files, progress)?;
    for rows in files.0 {
        let file = rows.close().map_err(io::Error::other)?;
        totals.bytes += file.metadata()?.len();
    }
    Ok(totals)
}

/// In the order of [`Table::ALL`].
struct Files(Vec<Rows>);

impl Sink for Files {
    fn row(&mut self, table: Table, row: &[Value<'_>]) -> io::Result<()> {
        self.0[table as usize].row(row).map_err(io::Error::other)
    }
}

/// A file, and the rows that are not in it yet.
struct Rows {
    writer: SerializedFileWriter<File>,
    columns: Vec<Gathered>,
    rows: usize,
    text: usize,
}

/// The values of a column that are known, and of each row whether it has one.
struct Gathered {
    values: Values,
    known: Vec<i16>,
}

enum Values {
    /// Of numbers with a sign and without, by their 64 bits.
    Numbers(Vec<i64>),
    Flags(Vec<bool>),
    Texts(Vec<ByteArray>),
}

impl Rows {
    fn new(table: Table, file: File) -> Result<Self> {
        let columns = table.columns();
        let fields = columns.iter().map(|column| field(column).map(Arc::new));
        let fields = fields.collect::<Result<_>>()?;
        let schema = Type::group_type_builder(table.name()).with_fields(fields);
        let schema_name = KeyValue::new("schema".to_owned(), SCHEMA.to_owned());
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            // No event is as another one.
            .set_column_dictionary_enabled(ColumnPath::from("json"), false)
            .set_key_value_metadata(Some(vec![schema_name]));
        Ok(Self {
            writer: SerializedFileWriter::new(
                file,
                Arc::new(schema.build()?),
                Arc::new(properties.build()),
            )?,
            columns: columns.iter().map(Gathered::new).collect(),
            rows: 0,
            text: 0,
        })
    }

    fn row(&mut self, row: &[Value<'_>]) -> Result<()> {
        for (column, value) in self.columns.iter_mut().zip(row) {
            self.text += column.push(value);
        }
        self.rows += 1;
        if self.rows >= MOST_ROWS || self.text >= MOST_TEXT {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            let writer = group.next_column()?;
            column.flush(writer.expect("the schema was made of these columns"))?;
        }
        group.close()?;
        (self.rows, self.text) = (0, 0);
        Ok(())
    }

    fn close(mut self) -> Result<File> {
        if self.rows > 0 {
            self.flush()?;
        }
        self.writer.into_inner()
    }
}

impl Gathered {
    fn new(column: &Column) -> Self {
        Self {
            values: match column.kind {
                Kind::Number | Kind::Wide => Values::Numbers(Vec::new()),
                Kind::Flag => Values::Flags(Vec::new()),
                Kind::Text => Values::Texts(Vec::new()),
            },
            known: Vec::new(),
        }
    }

    /// Returns how much text that is.
    fn push(&mut self, value: &Value<'_>) -> usize {
        self.known.push(i16::from(*value != Value::Null));
        match (&mut self.values, value) {
            (_, Value::Null) => {}
            (Values::Numbers(numbers), Value::Number(number)) => numbers.push(*number),
            (Values::Numbers(numbers), Value::Wide(wide)) => numbers.push(wide.cast_signed()),
            (Values::Flags(flags), Value::Flag(is)) => flags.push(*is),
            (Values::Texts(texts), Value::Text(text)) => {
                texts.push(text.as_bytes().to_vec().into());
                return text.len();
            }
            (_, value) => unreachable!("{value:?} is in a column of another kind"),
        }
        0
    }

    fn flush(&mut self, writer: SerializedColumnWriter<'_>) -> Result<()> {
        let Self { values, known } = self;
        match values {
            Values::Numbers(numbers) => batch::<Int64Type>(writer, numbers, known)?,
            Values::Flags(flags) => batch::<BoolType>(writer, flags, known)?,
            Values::Texts(texts) => batch::<ByteArrayType>(writer, texts, known)?,
        }
        known.clear();
        Ok(())
    }
}

fn batch<T: DataType>(
    mut writer: SerializedColumnWriter<'_>,
    values: &mut Vec<T::T>,
    known: &[i16],
) -> Result<()> {
    writer.typed::<T>().write_batch(values, Some(known), None)?;
    values.clear();
    writer.close()
}

fn field(column: &Column) -> Result<Type> {
    let (physical, logical) = match column.kind {
        Kind::Number => (Physical::INT64, Some(LogicalType::integer(64, true))),
        Kind::Wide => (Physical::INT64, Some(LogicalType::integer(64, false))),
        Kind::Flag => (Physical::BOOLEAN, None),
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    Type::primitive_type_builder(column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()
}
