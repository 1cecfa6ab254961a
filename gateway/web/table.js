// Reads a table: separated by commas, semicolons or tabs; in UTF-8, UTF-16 or Big5.

/** @param {ArrayBuffer} bytes */
function textOf(bytes) {
  const [one, two] = new Uint8Array(bytes);
  const utf16 = one === 0xff && two === 0xfe ? "utf-16le" : one === 0xfe && two === 0xff ? "utf-16be" : "";
  if (utf16) return new TextDecoder(utf16).decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("big5").decode(bytes);
  }
}

/** @param {string} text @param {string} separator */
function cells(text, separator) {
  /** @type {string[][]} */
  const rows = [[]];
  const part = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${separator}\\r\\n]*))(${separator}|\\r?\\n|\\r|$)`, "gy");
  for (const [, quoted, plain = "", end] of text.matchAll(part)) {
    rows.at(-1)?.push((quoted?.replaceAll('""', '"') ?? plain).trim());
    if (!end) break;
    if (end !== separator.replace("\\t", "\t")) rows.push([]);
  }
  return rows.filter((row) => row.some(Boolean));
}

/** Return the rows of a table by its header, in lower case. @param {ArrayBuffer} bytes @returns {Record<string, string>[]} */
export function readTable(bytes) {
  const text = textOf(bytes);
  const first = text.split(/\r|\n/, 1)[0] ?? "";
  const separators = [",", ";", "\\t"].map((one) => ({ one, count: first.split(one.replace("\\t", "\t")).length }));
  const separator = separators.reduce((best, other) => (other.count > best.count ? other : best)).one;
  const [header = [], ...rows] = cells(text, separator);
  const names = header.map((name) => name.toLowerCase());
  return rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at] ?? ""])));
}
