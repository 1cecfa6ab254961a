// Reads the files of a zip file. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const STORED = 0;
const DEFLATED = 8;
/** Bytes of the end record without its comment, and of the longest comment. */
const TAIL = 22 + 0xffff;

/** Return the files of a zip file; null if it is not one, or of a kind that is not supported. @param {Blob} zip @returns {Promise<File[] | null>} */
export async function unzip(zip) {
  const tail = new DataView(await zip.slice(-TAIL).arrayBuffer());
  let at = tail.byteLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== END) at--;
  if (at < 0) return null;
  const [count, size, start] = [tail.getUint16(at + 10, true), tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
  const list = new DataView(await zip.slice(start, start + size).arrayBuffer());
  /** @type {File[]} */
  const files = [];
  for (let entry = 0, number = 0; number < count; number++) {
    if (entry + 46 > list.byteLength || list.getUint32(entry, true) !== ENTRY) return null;
    const [flags, method] = [list.getUint16(entry + 8, true), list.getUint16(entry + 10, true)];
    const packed = list.getUint32(entry + 20, true);
    const [named, extra, comment] = [28, 30, 32].map((offset) => list.getUint16(entry + offset, true));
    const bytes = new Uint8Array(list.buffer, entry + 46, named);
    const name = new TextDecoder(flags & 0x800 ? "utf-8" : "big5").decode(bytes);
    if (!name.endsWith("/")) {
      const file = await extracted(zip, list.getUint32(entry + 42, true), packed, method);
      if (!file) return null;
      files.push(new File([file], name));
    }
    entry += 46 + (named ?? 0) + (extra ?? 0) + (comment ?? 0);
  }
  return files;
}

/** @param {Blob} zip @param {number} at @param {number} size @param {number} method @returns {Promise<Blob | null>} */
async function extracted(zip, at, size, method) {
  const head = new DataView(await zip.slice(at + 26, at + 30).arrayBuffer());
  const start = at + 30 + head.getUint16(0, true) + head.getUint16(2, true);
  const packed = zip.slice(start, start + size);
  if (method === STORED) return packed;
  if (method !== DEFLATED) return null;
  return new Response(packed.stream().pipeThrough(new DecompressionStream("deflate-raw"))).blob();
}
